"""Builds the programs in a folder of their own, so that scripts/test keeps its builds."""

import pathlib
import re
import subprocess

from contestants import OURS_PROGRAM, PROGRAMS

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build/bench"
PROGRAMS_FOLDER = FOLDER / "bin"


class BuildError(Exception):
    """Ours does not build; the text is what a user should see."""


def _last_lines(done, count=15):
    return "\n".join((done.stdout + done.stderr).strip().splitlines()[-count:])


def _configure():
    command = ["cmake", "--preset", "release", "-B", FOLDER, "-DPAGEWIRE_BENCH_PEERS=ON",
               f"-DCMAKE_RUNTIME_OUTPUT_DIRECTORY={PROGRAMS_FOLDER}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        raise BuildError(f"configuring {FOLDER} failed:\n{_last_lines(done)}")
    return reasons(done.stdout)


def reasons(said):
    """Program name to what CMake (bench/peers/CMakeLists.txt) says of why it is left out."""
    return {f"pagewire-peer-{name}": f"is not built: {reason}"
            for name, reason in re.findall(r"^-- peer (\w+): not built: (.*)$", said, re.MULTILINE)}


def _targets():
    listing = subprocess.run(["ninja", "-C", FOLDER, "-t", "targets", "all"], capture_output=True, text=True).stdout
    return {line.split(":")[0] for line in listing.splitlines()}


def _build(name):
    return subprocess.run(["ninja", "-C", FOLDER, name], cwd=ROOT, capture_output=True, text=True)


def setup():
    """Installs what the bench needs; False when only some of it could be had, which scripts/setup has said."""
    return subprocess.run([ROOT / "scripts/setup", "--bench"]).returncode == 0


def build(say):
    """Program name to why it is not there. Raises BuildError if ours is not."""
    say(f"building in {FOLDER.relative_to(ROOT)}")
    missing = _configure()
    known = _targets()
    for program in PROGRAMS:
        if program.name not in known:
            missing.setdefault(program.name, "is left out by CMake, which does not say why")
            continue
        done = _build(program.name)
        if done.returncode != 0:
            if program is OURS_PROGRAM:
                raise BuildError(f"{program.name} does not build:\n{_last_lines(done)}")
            missing[program.name] = "does not build: " + (_last_lines(done, 1) or "no reason given")
            say(f"{program.name} does not build:\n{_last_lines(done)}")
    return missing
