"""Style as an executable test: tidy.py ROOT prints what to change, and fails if there is anything."""

import sys

import rules_docs
import rules_layers
import rules_text
from tree import Tree

RULES = rules_text.RULES + rules_layers.RULES + rules_docs.RULES


def check(tree):
    """All findings, as the lines a user reads."""
    for rule in RULES:
        for path, line, what in rule(tree):
            yield f"{path}:{line}: {what}" if line else f"{path}: {what}"


def main(root):
    findings = list(check(Tree(root)))
    for finding in findings:
        print(finding)
    if findings:
        print(f"{len(findings)} findings; the rules are in tests/tidy/rules_*.py")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
