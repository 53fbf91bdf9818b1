"""Programs that print what a test says, in place of those that measure."""

import json
import pathlib
import sys

_PROGRAM = """#!{python}
import json, pathlib, sys
here = pathlib.Path(__file__)
plan = json.loads(here.with_suffix(".plan").read_text())
if "--list" in sys.argv:
    print("\\n".join(plan["forms"]))
    sys.exit(plan.get("list_status", 0))
asked = dict(argument[2:].split("=", 1) for argument in sys.argv[1:])
with open(here.parent / "log", "a") as log:
    log.write(json.dumps({{"program": here.name, **asked}}) + "\\n")
if asked["workload"] not in plan["workloads"]:
    print("no workload " + asked["workload"], file=sys.stderr)
    sys.exit(2)
if asked["form"] in plan.get("fails", ()):
    print("connection refused", file=sys.stderr)
    sys.exit(1)
counter = here.with_suffix("." + asked["form"])
turn = int(counter.read_text()) if counter.exists() else 0
counter.write_text(str(turn + 1))
result = {{"program": here.name, **{{key: int(asked[key]) for key in ("payload_bytes", "inflight", "touch")}},
          "workload": asked["workload"], "form": asked["form"], "version": "1.0"}}
for name, values in plan["figures"].items():
    values = values.get(asked["form"], [1.0]) if isinstance(values, dict) else values
    result[name] = values[turn % len(values)]
print("a line of talk")
print(json.dumps(result))
"""


def install(folder, name, *, forms=("callback",), workloads=("echo", "put", "get"), **plan):
    """plan: figures, fails, list_status. figures: name to values, one for each run of a form in turn, or to a dict of
    them by form. fails: forms."""
    path = pathlib.Path(folder, name)
    path.write_text(_PROGRAM.format(python=sys.executable))
    path.chmod(0o755)
    path.with_suffix(".plan").write_text(json.dumps({"forms": forms, "workloads": workloads, **plan}))


def log(folder):
    """What was asked for so far, run by run."""
    path = pathlib.Path(folder, "log")
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
