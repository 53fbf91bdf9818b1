"""Runs cells in rounds: every cell once in each round, every contestant once in a cell, who comes first changing."""

import launch
import machine
import syscalls


def order(contestants, number):
    """A B C, then B C A, then C A B: who comes first, and right after whom, is nobody's fate for all rounds."""
    shift = number % len(contestants)
    return [*contestants[shift:], *contestants[:shift]]


class Recorder:
    """The cells' records as they grow, in the shape of the output."""

    def __init__(self, cells):
        self.cells = cells
        self.records = {cell.id: self._empty(cell) for cell in cells}
        self.contestants = {one.id: self._describe(one) for cell in cells for one in cell.contestants}

    @staticmethod
    def _describe(one):
        return {"id": one.id, "label": one.label, "program": one.program.name, "family": one.family, "form": one.form,
                "variant": one.variant, "role": one.role, "transport": one.transport, "flags": list(one.flags)}

    @staticmethod
    def _empty(cell):
        return {"id": cell.id, "title": cell.title, "workload": cell.workload, "payload_bytes": cell.payload_bytes,
                "message_bytes": cell.message_bytes, "inflight": cell.inflight, "touch": int(cell.touch),
                "pin_cpu": cell.pin_cpu, "seconds": cell.seconds, "figure": cell.figure, "rounds": [],
                "contestants": {one.id: {"runs": []} for one in cell.contestants}}

    def drop(self, cell, contestant, why):
        """A contestant without this work is not part of the cell, and that is said."""
        record = self.records[cell.id]
        del record["contestants"][contestant.id]
        record.setdefault("not_offered", {})[contestant.id] = why

    def part_of(self, cell):
        return [one for one in cell.contestants if one.id in self.records[cell.id]["contestants"]]

    def output(self):
        """Records of what has at least one run, and the contestants that they name."""
        kept = [record for record in self.records.values() if record["rounds"]]
        named = {name for record in kept for name in record["contestants"]}
        return kept, {name: self.contestants[name] for name in sorted(named)}


def _run_cell(folder, cell, number, recorder, say):
    record = recorder.records[cell.id]
    contestants = recorder.part_of(cell)
    if not contestants:
        return
    record["rounds"].append({"round": number, "probe_ms": machine.probe(), "load": machine.load()})
    for place, one in enumerate(order(contestants, number)):
        entry = {"round": number, "place": place}
        try:
            entry.update(launch.run(folder, cell, one))
        except launch.NotOffered as error:
            recorder.drop(cell, one, str(error))
            continue
        except launch.Failed as error:
            entry["error"] = str(error)
            say(f"  {cell.id}: {one.id} {error}")
        record["contestants"][one.id]["runs"].append(entry)


def run(folder, cells, rounds, say, recorder=None):
    """All rounds of all cells. Rounds are outermost, so that a slow minute of the machine hits one round of several
    cells and not all rounds of one. What was measured stays in the recorder when this is interrupted."""
    recorder = recorder or Recorder(cells)
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        for cell in cells:
            if cell.rounds == 0 or number < cell.rounds:
                _run_cell(folder, cell, number, recorder, say)
    tool = syscalls.tool()
    if tool is None:
        say("system calls are not counted: neither perf nor strace works here")
        return recorder
    say(f"system calls, by {tool}")
    for cell in (cell for cell in cells if cell.count_syscalls):
        for one in recorder.part_of(cell):
            recorder.records[cell.id]["contestants"][one.id]["syscalls"] = syscalls.count(folder, cell, one, tool)
    return recorder
