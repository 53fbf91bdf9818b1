"""Rules about single files as text. A rule yields (path, line or None, what to do)."""

import re

CODE = (".h", ".cc", ".proto", ".cmake", "CMakeLists.txt", ".py")
_GOLDEN = "tests/golden/"  # what protoc-gen-pagewire wrote: its emitters answer for the look of it

MOST_LINES = 600
MOST_COLUMNS = 120

# Spelled in halves, so that this file keeps its own rule.
_UNFINISHED = re.compile(r"\b(" + "|".join(("TO" "DO", "FIX" "ME", "XX" "X", "HA" "CK")) + r")\b")


def _is_code(path):
    return path.endswith(CODE) and not path.startswith(_GOLDEN)


def _is_text(path):
    return _is_code(path) or path.startswith(("scripts/", ".ci/")) or path.endswith((".md", ".in", ".json"))


def file_length(tree):
    for path in filter(_is_code, tree.paths):
        count = len(tree.lines(path)) - 1
        if count > MOST_LINES:
            yield path, None, f"has {count} lines, the limit is {MOST_LINES}: give its second concept a file of its own"


def columns(tree):
    for path in filter(_is_code, tree.paths):
        for number, line in enumerate(tree.lines(path), 1):
            if len(line) > MOST_COLUMNS:
                yield path, number, f"is {len(line)} columns wide, the limit is {MOST_COLUMNS}: break it"


def whitespace(tree):
    for path in filter(_is_text, tree.paths):
        text = tree.text(path)
        for number, line in enumerate(tree.lines(path), 1):
            if "\t" in line:
                yield path, number, "has a tab: indent with spaces"
            if line != line.rstrip() and not path.endswith(".md"):
                yield path, number, "ends in blanks: remove them"
        if text and not text.endswith("\n"):
            yield path, None, "does not end with a newline: add one"


def unfinished(tree):
    for path in filter(_is_text, tree.paths):
        for number, line in enumerate(tree.lines(path), 1):
            found = _UNFINISHED.search(line)
            if found:
                yield path, number, f"says {found[0]}: finish it, or write an issue and say here how it is today"


def header_guard(tree):
    for path in tree.under("", ".h"):
        if path.startswith(_GOLDEN):
            continue
        code = [line for line in tree.lines(path) if line.strip() and not line.startswith("//")]
        if not code or code[0] != "#pragma once":
            yield path, None, "does not begin with #pragma once: put it right after the opening comment"


def opening_comment(tree):
    for path in tree.under("rpc", ".h") + tree.under("codegen", ".h"):
        if not tree.text(path).startswith("//"):
            yield path, 1, "does not begin with a comment: say in a sentence what this header is for"


def scripts(tree):
    for path in tree.paths:
        if not path.startswith(("scripts/", ".ci/")) or not tree.text(path).startswith("#!"):
            continue
        if not (tree.root / path).stat().st_mode & 0o100:
            yield path, None, "is a script and not executable: chmod +x it"
        if "bash" in tree.lines(path)[0] and "\nset -euo pipefail\n" not in tree.text(path):
            yield path, None, "does not stop at errors: add `set -euo pipefail`"


RULES = (file_length, columns, whitespace, unfinished, header_guard, opening_comment, scripts)
