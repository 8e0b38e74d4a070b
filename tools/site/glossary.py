"""Links from the first use of a term on a page to the glossary, and entries for the index."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

PAGE = "book/glossary"
# What stays as it is, besides the quiz, where a link within an option would be in the way.
LEFT_ALONE = (
    nodes.title,
    nodes.reference,
    nodes.literal,
    nodes.literal_block,
    nodes.math,
    nodes.math_block,
    nodes.raw,
    nodes.caption,
    nodes.table,
    addnodes.pending_xref,
)


@cache
def terms(file: Path) -> dict[str, re.Pattern[str]]:
    """The glossary's terms, each with a pattern that finds it in a text, longest first.

    A term is a line of the ``glossary`` directive that isn't indented. What stands in brackets
    distinguishes it ("bias (of an estimator)") and isn't looked for; a plural is found as well.
    """
    text = file.read_text(encoding="utf-8")
    block = re.search(r"(?ms)^```\{glossary\}\n(.*?)^```", text).group(1)
    names = [line.strip() for line in block.splitlines() if line and not line.startswith(" ")]
    found = {}
    for name in sorted(names, key=len, reverse=True):
        # A line of the text may end within a term.
        words = r"\s+".join(map(re.escape, re.sub(r" \(.*\)$", "", name).split()))
        # An abbreviation or a name keeps its capitals, a word may begin a sentence.
        flags = re.NOFLAG if re.search(r"[A-Z]", name) else re.IGNORECASE
        found[name] = re.compile(rf"(?<![\w-]){words}s?(?![\w-])", flags)
    return found


class FirstUses(SphinxTransform):
    """Links the first use of each term in a notebook."""

    default_priority = 840  # Before Sphinx collects the entries of the index.

    def apply(self) -> None:
        """Run on one page."""
        if not self.env.doc2path(self.env.docname).endswith(".ipynb"):
            return
        file = Path(self.env.doc2path(PAGE))
        self.env.note_dependency(str(file))
        left = dict(terms(file))
        title = self.document.next_node(nodes.title).astext()
        for text in list(self.document.findall(nodes.Text)):
            if left and _is_prose(text):
                _link_in(text, left, self.env.docname, title)


def _is_prose(text):
    parent = text.parent
    while parent is not None:
        if isinstance(parent, LEFT_ALONE) or "check-yourself" in parent.get("ids", []):
            return False
        parent = parent.parent
    return True


def _link_in(text, left, docname, title):
    """Replace the first use of each term that is left by a link; take it from ``left``."""
    rest, parts = str(text), []
    while True:
        hits = [
            (m.start(), -len(name), name, m) for name, p in left.items() if (m := p.search(rest))
        ]
        if not hits:
            break
        _, _, name, match = min(hits)
        del left[name]
        target = f"term-use-{nodes.make_id(name)}"
        link = addnodes.pending_xref(
            "",
            nodes.inline("", match.group(), classes=["xref", "std", "std-term"]),
            refdomain="std",
            reftype="term",
            reftarget=name,
            refdoc=docname,
            refexplicit=True,
            refwarn=True,
        )
        index = addnodes.index(entries=[("single", f"{name}; {title}", target, "", None)])
        parts += [nodes.Text(rest[: match.start()]), index]
        parts += [nodes.inline("", "", link, ids=[target])]
        rest = rest[match.end() :]
    if parts:
        text.parent.replace(text, [*parts, nodes.Text(rest)])


def setup(app: Sphinx) -> None:
    """Link when a chapter has been read."""
    app.add_transform(FirstUses)
