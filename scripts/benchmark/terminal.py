"""What a run prints: what is lost first, then every target, then every cell."""

import tables
import verdicts


def _print_table(table):
    columns, rows = table
    widths = [max(len(str(row[i])) for row in (columns, *rows)) for i in range(len(columns))]
    for row in (columns, *rows):
        print("  ".join(str(text).ljust(width) for text, width in zip(row, widths)).rstrip())


def print_missing(missing):
    for name, reason in missing.items():
        print(f"MISSING: {name} {reason}")


def _section(title, table):
    if table[1]:
        print(f"\n== {title}")
        _print_table(table)


def print_result(result):
    print_missing(result["missing"])
    not_met = tables.target_rows(result, (verdicts.NOT_MET,))
    if not_met[1]:
        _section("targets that are not met", not_met)
    else:
        print("\n== no target is missed in what was measured")
    _section("targets that this run cannot decide", tables.target_rows(result, (verdicts.INCONCLUSIVE,)))
    _section("others who are ahead of us", tables.lost(result))
    _section("targets", tables.targets(result))
    _section("targets, row by row", tables.target_rows(result, (verdicts.MET,)))
    for record in result["cells"]:
        _section(f"{record['id']}: {record['title']}", tables.cell(record, result["contestants"]))
    _section(f"disturbed: {tables.count_disturbed(result)}, the worst", tables.disturbed(result, 10))
    _section("runs that failed", tables.failed(result))
    _section("the machine's speed", tables.slow_rounds(result))
    machine = result["machine"]
    print(f"\n{machine['processors']} × {machine['processor']}, Linux {machine['kernel']}, "
          f"{machine['congestion_control']}; commit {result['commit']}; {result['took']} s: {result['command']}")
