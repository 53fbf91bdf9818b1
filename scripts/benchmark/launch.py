"""One run of one program: its result, or why there is none, and what else went on meanwhile."""

import json
import math
import os
import resource
import signal
import subprocess
import threading

import machine

_ASKED = ("program", "workload", "form", "payload_bytes", "message_bytes", "inflight", "touch")  # the cell says it

NOT_OFFERED = 2  # a program's exit status for a workload that it does not have
_MARGIN_SECONDS = 60  # for starting, warming up and the last of the calls, which may be of 256 MiB under strace


class Failed(Exception):
    """A run without a result; the text says why."""


class NotOffered(Exception):
    """The program has no such workload."""


def parse(output):
    """The result: the last line of `output` that is a JSON object."""
    for line in reversed(output.splitlines()):
        if line.startswith("{"):
            try:
                return json.loads(line)
            except ValueError as error:
                raise Failed(f"printed what is no JSON ({error}): {line[:200]}") from error
    raise Failed("printed no result")


def complete(result):
    """Adds figures that follow from others."""
    for unit in ("mb", "call"):
        sides = [result.get(f"{side}_cpu_us_per_{unit}") for side in ("client", "server")]
        if None not in sides:
            result.setdefault(f"total_cpu_us_per_{unit}", sum(sides))
    if result.get("alone_p99_us"):
        result["beside_over_alone_p99"] = result.get("beside_p99_us", math.nan) / result["alone_p99_us"]
    return result


def check(result, figure, cell):
    """Refuses a result that is not what was asked for."""
    for key, asked in (("workload", cell.workload), ("payload_bytes", cell.payload_bytes), ("inflight", cell.inflight),
                       ("touch", int(cell.touch))):
        if asked and result.get(key, asked) != asked:
            raise Failed(f"was asked for {key}={asked} and measured {key}={result[key]}")
    value = result.get(figure)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        raise Failed(f"its result has no {figure}, which is {value!r}")


class _SocketWatch:
    """Samples the kernel's memory for sockets until it is left."""

    def __enter__(self):
        self._before = self.peak = machine.socket_bytes()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        self.peak -= self._before

    def _run(self):
        while not self._stop.wait(0.1):  # ten samples a second cost nothing that could be seen
            self.peak = max(self.peak, machine.socket_bytes())


def _end_group(process):
    """Ends and reaps what the program has left behind in its session."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    while True:
        try:
            os.waitpid(-process.pid, 0)
        except ChildProcessError:
            return


def execute(command, timeout):
    """Runs `command`; (stdout, stderr, exit status). Raises Failed when it does not end."""
    process = subprocess.Popen(command, start_new_session=True, text=True, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        output, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise Failed(f"did not end within {timeout:.0f} s") from None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        _end_group(process)
    return output, errors, process.returncode


def _own_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(folder, cell, contestant, prefix=()):
    """{"result", "others", "steal", "disturbed", "socket_bytes"}; raises NotOffered or Failed."""
    command = [*prefix, str(folder / contestant.program.name), *cell.arguments(contestant)]
    before, cpu = machine.Sample(), _own_cpu()
    with _SocketWatch() as sockets:
        output, errors, status = execute(command, cell.seconds * 4 + _MARGIN_SECONDS)
    after = machine.Sample()
    if status == NOT_OFFERED:
        raise NotOffered((errors.strip().splitlines() or ["no such workload"])[-1])
    if status != 0:
        raise Failed(f"ended with {status}: {(errors.strip() or output.strip() or 'said nothing')[-500:]}")
    result = complete(parse(output))
    check(result, cell.figure, cell)
    result = {key: value for key, value in result.items() if key not in _ASKED}
    return {"result": result, "socket_bytes": sockets.peak,
            **machine.disturbance(before, after, _own_cpu() - cpu)}
