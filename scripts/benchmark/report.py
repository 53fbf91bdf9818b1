"""Writes a folder of documents: peers.md with every table, charts, and the first section of README.md."""

import charts
import tables
import verdicts
from wording import number

MOST_DISTURBED = 40  # rows; the JSON has all

BEGIN, END = "<!-- lost: written by scripts/bench -->", "<!-- end of lost -->"


def _cell_text(text):
    return str(text).replace("|", "\\|").replace("\n", " ")


def markdown_table(table):
    columns, rows = table
    lines = ["| " + " | ".join(map(_cell_text, columns)) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(map(_cell_text, row)) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _section(title, table, text=""):
    if not table[1]:
        return ""
    return f"## {title}\n\n" + (f"{text}\n\n" if text else "") + markdown_table(table) + "\n"


def lost_section(result, all_of_it="[peers.md](peers.md)"):
    """What README.md begins with. all_of_it: where the rest is, for the reader."""
    not_met = tables.target_rows(result, (verdicts.NOT_MET,))
    undecided = [target["title"] for target in result["targets"] if target["verdict"] == verdicts.INCONCLUSIVE]
    unmeasured = [target["title"] for target in result["targets"] if target["verdict"] == verdicts.NOT_MEASURED]
    ahead = tables.lost(result)
    parts = [f"From the {result['mode']} run of {result['began'][:10]} at commit {result['commit']}; the whole of it: "
             f"{all_of_it}.\n"]
    parts.append("Targets that are not met:\n\n" + markdown_table(not_met) if not_met[1] else
                 "No target is missed in what was measured.\n")
    if undecided:
        parts.append("The run cannot decide: " + "; ".join(undecided) + ".\n")
    if unmeasured:
        parts.append("Not measured: " + "; ".join(unmeasured) + ".\n")
    if result["missing"]:
        missing = [f"{name} ({reason})" for name, reason in result["missing"].items()]
        parts.append("Missing: " + "; ".join(missing) + ".\n")
    if ahead[1]:
        parts.append("Others who are ahead of us in a piece of work, by the figure that it is about:\n\n" +
                     markdown_table(ahead))
    return "\n".join(parts)


def replace_lost(document, result):
    """`document` with what is between the marks replaced."""
    if document.count(BEGIN) != 1 or document.count(END) != 1 or document.index(BEGIN) > document.index(END):
        raise SystemExit(f"README.md has no place for what is lost: one line {BEGIN} and, below it, one {END}")
    before, rest = document.split(BEGIN)
    return f"{before}{BEGIN}\n\n{lost_section(result)}\n{END}{rest.split(END)[1]}"


def _machine(result):
    machine = result["machine"]
    facts = [("machine", f"{machine['processors']} × {machine['processor']}, {machine['memory_bytes'] / (1 << 30):.0f} "
              f"GiB, virtual: {machine['virtual']}"),
             ("kernel", f"Linux {machine['kernel']}, congestion control {machine['congestion_control']} "
              f"(system's default), tcp_rmem {machine['tcp_rmem']}, tcp_wmem {machine['tcp_wmem']}, transparent "
              f"hugepages {machine['hugepages']}"),
             ("versions", ", ".join(f"{name} {version}" for name, version in result["versions"].items())),
             ("commit", result["commit"]),
             ("command", f"`{result['command']}`"),
             ("began, took", f"{result['began']}, {number(result['took'] / 60)} min"
              + (", interrupted" if result["interrupted"] else "")),
             ("missing", "; ".join(f"{name}: {reason}" for name, reason in result["missing"].items()) or "nobody")]
    return ("", ""), facts


_HOW = """Written by `scripts/bench`; how figures come about, and what the words mean, is in [README.md](README.md).
Figures are medians (least–most) over {rounds} rounds. "Ours over it" is the median of the ratios within each round,
ours being the form marked; "best/best" compares the best round of each.
"""


def document(result, chart_names):
    """peers.md."""
    parts = ["# Beside the peers\n", _HOW.format(rounds=result["rounds"])]
    parts.append("\n## Lost\n\n" + lost_section(result, "below") + "\n")
    parts.append(_section("The machine and the run", _machine(result)))
    parts.append(_section("Targets", tables.targets(result)))
    parts.append(_section("Targets, row by row", tables.target_rows(result, (
        verdicts.NOT_MET, verdicts.INCONCLUSIVE, verdicts.MET, verdicts.NOT_MEASURED))))
    if chart_names:
        parts.append("## Charts\n\n" + "\n".join(f"![{title}]({name})" for name, title in chart_names) + "\n\n")
    for record in result["cells"]:
        parts.append(_section(f"{record['title'][0].upper()}{record['title'][1:]}",
                              tables.cell(record, result["contestants"]), f"`{record['id']}`" + _not_offered(record)))
    parts.append(_section("Disturbed runs", tables.disturbed(result, MOST_DISTURBED),
                          "Other processes had more than a twentieth of the machine, or its host more than a "
                          f"fiftieth: {tables.count_disturbed(result)}. They are in the figures above. The worst:"))
    parts.append(_section("Failed runs", tables.failed(result)))
    parts.append(_section("The machine's speed", tables.slow_rounds(result),
                          "A fixed piece of work before each cell: periods in which everything costs more show here, "
                          "and neither in load nor in steal."))
    return "\n".join(part.rstrip("\n") + "\n" for part in parts if part)


def _not_offered(record):
    names = record.get("not_offered")
    return f"; not offered by {', '.join(names)}" if names else ""


def write(result, folder):
    """Everything but JSON. README.md is left alone where there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    chart_names = charts.write(result, folder)
    (folder / "peers.md").write_text(document(result, chart_names))
    readme = folder / "README.md"
    if readme.exists():
        readme.write_text(replace_lost(readme.read_text(), result))
