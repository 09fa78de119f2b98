"""The snippets of a page: files that a reader would write, and commands that a reader would type.

A comment before each says which: `<!-- file: PATH -->`, `<!-- run: FOLDER -->`, `<!-- not run here: REASON -->`.
"""
import re

SNIPPET = re.compile(r"^(?P<comment><!-- .*? -->\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$", re.M | re.S)
COMMENT = re.compile(r"<!-- (file|run|not run here): (.*?) -->")


def snippets(page, all_of_them=True):
    """(kind, path, text) in the order of the page; every snippet says what it is, or else is left out."""
    found = []
    for snippet in SNIPPET.finditer(page):
        comment = COMMENT.match(snippet["comment"] or "")
        if comment is None and not all_of_them:
            continue
        if comment is None:
            raise SystemExit(f"a snippet without a comment that says what it is:\n{snippet['text']}")
        found.append((comment[1], comment[2], snippet["text"]))
    return found
