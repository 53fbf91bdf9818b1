"""Who is measured: programs, the forms each says it has, and what a form is given besides."""

import pathlib
import subprocess
from dataclasses import dataclass

OURS, BASELINE, PEER = "ours", "baseline", "peer"


@dataclass(frozen=True)
class Program:
    name: str  # in the folder of programs
    family: str  # the first half of a contestant's id
    title: str  # as its project writes it
    role: str


PROGRAMS = (
    Program("pagewire-bench", "pagewire", "Pagewire", OURS),
    Program("pagewire-peer-socket", "socket", "bare socket", BASELINE),
    Program("pagewire-peer-grpc", "grpc", "gRPC", PEER),
    Program("pagewire-peer-capnp", "capnp", "Cap'n Proto", PEER),
    Program("pagewire-peer-thrift", "thrift", "Thrift", PEER),
    Program("pagewire-peer-zeromq", "zeromq", "ZeroMQ", PEER),
)
OURS_PROGRAM = PROGRAMS[0]


@dataclass(frozen=True)
class Contestant:
    program: Program
    form: str
    variant: str = ""  # what sets it apart from the plain form: "lanes", "piecewise", "tcmalloc", "copy/map"
    flags: tuple = ()
    transport: str = "tcp"  # what carries the bytes; one for processes on one host may come beside it

    @property
    def id(self):
        plain = f"{self.program.family}/{self.form}"
        return f"{plain}+{self.variant}" if self.variant else plain

    @property
    def label(self):
        """For people: "gRPC callback, tcmalloc"."""
        return f"{self.program.title} {self.form}" + (f", {self.variant}" if self.variant else "")

    @property
    def role(self):
        return self.program.role

    @property
    def family(self):
        return self.program.family


@dataclass
class Field:
    """The programs that are there, with their forms; and why the others are not."""

    folder: pathlib.Path
    forms: dict  # Program to its forms, in its own order
    missing: dict  # Program to the reason


def _ask_forms(path):
    done = subprocess.run([path, "--list"], capture_output=True, text=True, timeout=60)
    forms = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    if done.returncode != 0 or not forms:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
        raise ValueError(f"--list ended with {done.returncode} and said: {said}")
    return forms


def discover(folder, why_missing=None, programs=PROGRAMS):
    """Asks each program in `folder` for its forms. why_missing: program name to a reason that its build has given."""
    field = Field(pathlib.Path(folder), {}, {})
    for program in programs:
        path = field.folder / program.name
        reason = (why_missing or {}).get(program.name)
        if reason is None and not path.exists():
            reason = f"there is no {path}"
        if reason is None:
            try:
                field.forms[program] = _ask_forms(path)
                continue
            except (OSError, ValueError, subprocess.TimeoutExpired) as error:
                reason = f"it does not run: {error}"
        field.missing[program] = reason
    return field

