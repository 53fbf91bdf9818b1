"""One preset: configures and builds it through scripts/build, asks CTest for its tests and runs them."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import plan
import results

ROOT = pathlib.Path(__file__).resolve().parents[2]

_SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "halt_on_error=1:detect_stack_use_after_return=1:check_initialization_order=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}

# The sanitizers of g++ 12 and clang 14 cannot place their shadow when addresses have more random bits than this.
_MOST_RANDOM_BITS = 28


def _environment(mode):
    environment = dict(os.environ)
    for name, value in _SANITIZER_OPTIONS.items():
        # Later options win, so that the caller's may add to ours.
        environment[name] = ":".join(filter(None, (value, os.environ.get(name))))
    if mode.full:
        environment["PAGEWIRE_FULL"] = "1"
    return environment


def _address_randomization_off():
    """The command prefix under which sanitized programs start on this kernel."""
    try:
        bits = int(pathlib.Path("/proc/sys/vm/mmap_rnd_bits").read_text())
    except (OSError, ValueError):
        return []
    prefix = ["setarch", "-R"]
    if bits <= _MOST_RANDOM_BITS or not shutil.which(prefix[0]):
        return []
    return prefix if subprocess.run([*prefix, "true"], capture_output=True).returncode == 0 else []


class Preset:
    def __init__(self, name, mode):
        self.name = name
        self._mode = mode
        self._folder = ROOT / "build" / name

    def configure(self):
        """True when the build files stand. scripts/build does it; help is a target that builds nothing."""
        return self._build_targets(["build.ninja"])

    def tests(self):
        """Test name to suite, for what this run selects."""
        command = ["ctest", "--test-dir", self._folder, "--show-only=json-v1"]
        listing = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        found = {}
        for test in listing["tests"]:
            properties = {p["name"]: p["value"] for p in test.get("properties", [])}
            labels = properties.get("LABELS", [])
            suites = [label for label in labels if label != plan.FULL_LABEL]
            if len(suites) != 1:
                raise SystemExit(f"test {test['name']} has the labels {labels}; it needs exactly one suite")
            if plan.FULL_LABEL in labels and not self._mode.full:
                continue
            if plan.selected(suites[0], self.name, self._mode):
                found[test["name"]] = suites[0]
        return found

    def build(self, suites):
        """Builds what the tests of `suites` need; everything where examples and clang's warnings are to be seen too."""
        everything = self.name in plan.BUILT_WHOLE and not self._mode.filters
        return self._build_targets([] if everything else [f"suite_{suite}" for suite in suites])

    def run(self, suite_of):
        """Tallies by suite and names of failed tests. Output goes to stdout as it comes."""
        with tempfile.TemporaryDirectory(prefix="pagewire-test-") as scratch:
            scratch = pathlib.Path(scratch)
            junit, reports = scratch / "junit.xml", scratch / "reports"
            environment = _environment(self._mode)
            environment["GTEST_OUTPUT"] = f"json:{reports}/"
            command = ["ctest", "--test-dir", self._folder, "--output-on-failure", "--output-junit", junit]
            command += ["--parallel", str(os.cpu_count() or 1)]
            command += ["--label-regex", plan.label_expression(sorted(set(suite_of.values())))]
            if not self._mode.full:
                command += ["--label-exclude", f"^{plan.FULL_LABEL}$"]
            if self.name in plan.SANITIZERS:
                command = _address_randomization_off() + command
            _stream(command, environment)
            return results.read(junit, reports, suite_of)

    def _build_targets(self, targets):
        return subprocess.run([ROOT / "scripts/build", self.name, *targets]).returncode == 0


def _stream(command, environment):
    """Runs ctest and shows a line per finished test, and the whole output of failed ones."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, errors="replace")
    summary = False
    for line in process.stdout:
        summary = summary or re.match(r"\d+% tests passed", line) is not None
        if not summary and not re.match(r"\s*Start +\d+: |Test project |Internal ctest ", line) and line.strip():
            print(line, end="", flush=True)
    process.wait()
