"""Rules about what documents claim. A rule yields (path, line or None, what to do)."""

import re

# Documents with tables whose last column, "test", names the test that shows each row; and the suite of names that have
# none of their own.
TABLES = {"docs/semantics.md": "StreamTest", "docs/security.md": None}

_CELL = re.compile(r"(?<!\\)\|")
_GTEST = re.compile(r"^\s*(?:TYPED_)?TEST(?:_[FP])?\(\s*(\w+)\s*,\s*(\w+)\s*\)", re.MULTILINE)
_CTEST = re.compile(r"^\s*pagewire_(?:command_test|fuzz)\(\s*(\w+)", re.MULTILINE)
_NAME = re.compile(r"(\w+\.)?(\w+|\*)")

# In a table that also says what is not defended: nothing to name.
NOT_DEFENDED = "not defended"


def _tests(tree):
    """Suites with their tests, and the names of tests that are commands."""
    suites = {}
    for path in tree.under("tests", ".cc"):
        for suite, test in _GTEST.findall(tree.text(path)):
            suites.setdefault(suite, set()).add(test)
    commands = {name for path in tree.under("tests", "CMakeLists.txt") for name in _CTEST.findall(tree.text(path))}
    return suites, commands


def _rows(tree, path):
    """Number and last cell of each row below a header whose last column is "test"."""
    wanted = False
    for number, line in enumerate(tree.lines(path), 1):
        cells = [cell.strip() for cell in _CELL.split(line.strip())[1:-1]]
        if not cells:
            wanted = False
        elif cells[-1] == "test":
            wanted = True
        elif wanted and set(cells[-1]) - set("-:"):
            yield number, cells[-1]
        elif wanted and not cells[-1]:
            yield number, ""


def _known(name, default_suite, suites, commands):
    if name in commands:
        return True
    found = _NAME.fullmatch(name)
    if not found:
        return False
    suite = found[1][:-1] if found[1] else default_suite
    return suite in suites and (found[2] == "*" or found[2] in suites[suite])


def named_tests(tree):
    suites, commands = _tests(tree)
    for path, default_suite in TABLES.items():
        if path not in tree.paths:
            continue
        for number, cell in _rows(tree, path):
            if not cell:
                yield path, number, f'names no test: write one, or say "{NOT_DEFENDED}"'
            for name in filter(None, (part.strip(" `") for part in cell.split(","))):
                if name != NOT_DEFENDED and not _known(name, default_suite, suites, commands):
                    yield path, number, f"names the test {name}, which there is not"


RULES = (named_tests,)
