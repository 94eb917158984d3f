"""Puts the no-break spaces and apostrophes of French typography into what users read: templates, mails,
procedures and the sentences of the program (run again after writing some).

« text » and « : » take U+00A0, « ; ! ? » take U+202F; l'un becomes l’un. Comments are left alone, and
spaces of anything but pages.
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

# No English word ends so: Rust, YAML and JSON can be read line by line.
APOSTROPHE = re.compile(
    r"(?<![\w'’])([cdjlmnstCDJLMNST]|[Qq]u|[Jj]usqu|[Ll]orsqu|[Pp]uisqu|[Qq]uelqu|[Aa]ujourd|[Pp]resqu)''?(?=[^\W\d_]|«)"
)
# Names that somebody typed are left as they are.
SAID = ["templates/**/*.html", "templates/mails/*.txt", "procedures/**/*.yaml", "demo/*.json", "src/**/*.rs", "crates/letters/src/**/*.rs", "crates/forms/src/kinds/**/*.rs"]
LEFT = {"src/platform/french.rs", "src/platform/upload.rs"}


def set_words(text):
    lines = text.split("\n")
    for index, line in enumerate(lines):
        if not line.lstrip().startswith(("//", "#")):
            lines[index] = APOSTROPHE.sub("\\1’", line)
    return "\n".join(lines)


def set_page(text):
    parts = COMMENT.split(text)
    for index in range(0, len(parts), 2):
        for rule, space in RULES:
            parts[index] = rule.sub(space, parts[index])
    return "".join(parts)


def main():
    changed = []
    root = pathlib.Path(__file__).resolve().parent.parent
    for path in sorted(path for said in SAID for path in root.glob(said)):
        if str(path.relative_to(root)) in LEFT:
            continue
        before = path.read_text()
        after = set_words(set_page(before) if path.suffix == ".html" else before)
        if after != before:
            changed.append(path)
            if "--check" not in sys.argv:
                path.write_text(after)
    print(*changed, sep="\n")
    sys.exit(bool(changed) and "--check" in sys.argv)


main()
