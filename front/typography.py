"""Puts the no-break spaces of French typography into ../templates (run again after writing a page).

« text » and « : » take U+00A0, « ; ! ? » take U+202F. Template comments are left alone.
    python3 typography.py          changes the files
    python3 typography.py --check  only says whether something would change
"""
import pathlib
import re
import sys

COMMENT = re.compile(r"(\{#.*?#\}|<!--.*?-->)", re.S)
RULES = [
    (re.compile(r"(?<=\w|»|\)|’|%)[ \u00a0](?=[;!?](?:[\s<\"”)]|$))"), "\u202f"),
    (re.compile(r"(?<=\}\})[ \u00a0](?=[;!?](?:[\s<\"”)]|$))"), "\u202f"),
    (re.compile(r"(?<=\w|»|\)|%)[ \u00a0](?=:(?:[\s<\"]|$))"), "\u00a0"),
    (re.compile(r"(?<=\}\})[ \u00a0](?=:(?:[\s<\"]|$))"), "\u00a0"),
    (re.compile(r"« "), "«\u00a0"),
    (re.compile(r" »"), "\u00a0»"),
    (re.compile(r"(?<=\d) (?=%(?!\})|€|Mo\b|minutes\b|caractères\b)"), "\u00a0"),
    (re.compile(r"(?<=\}\}) (?=%(?!\})|€|Mo\b|min\b|minutes\b)"), "\u00a0"),
    (re.compile(r"\bn° (?=\d)"), "n°\u00a0"),
]


def set_page(text):
    parts = COMMENT.split(text)
    for index in range(0, len(parts), 2):
        for rule, space in RULES:
            parts[index] = rule.sub(space, parts[index])
    return "".join(parts)


def main():
    changed = []
    root = pathlib.Path(__file__).resolve().parent.parent / "templates"
    for path in [*sorted(root.rglob("*.html"))]:
        before = path.read_text()
        after = set_page(before)
        if after != before:
            changed.append(path)
            if "--check" not in sys.argv:
                path.write_text(after)
    print(*changed, sep="\n")
    sys.exit(bool(changed) and "--check" in sys.argv)


main()
