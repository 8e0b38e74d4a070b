"""The line under a chapter's title: how long it takes, and where to run it."""

from __future__ import annotations

import re
from html import escape

from docutils import nodes
from sphinx.application import Sphinx

TAKES = re.compile(r"^Takes about (.+?) to read and (.+?) to run\.$")


def _add(app, doctree):
    if not app.env.doc2path(app.env.docname).endswith(".ipynb"):
        return
    title = doctree.next_node(nodes.title)
    takes = next((m for p in doctree.findall(nodes.paragraph) for m in _lines(p) if m), None)
    if title is None or takes is None:
        return
    repository = app.config.html_theme_options["repository_url"].removeprefix("https://github.com/")
    branch = app.config.html_theme_options["repository_branch"]
    path = f"{app.env.docname}.ipynb"
    colab = f"https://colab.research.google.com/github/{repository}/blob/{branch}/{path}"
    name = path.rsplit("/", 1)[-1]
    title.parent.insert(
        title.parent.index(title) + 1,
        nodes.raw(
            "",
            '<div class="chapter-bar">'
            f"<span>{escape(takes[1])} to read</span><span>{escape(takes[2])} to run</span>"
            f'<a class="chapter-button" href="{escape(colab)}">Open in Colab</a>'
            f'<a class="chapter-button" href="../_sources/{escape(path)}"'
            f' download="{escape(name)}">Download notebook</a></div>',
            format="html",
        ),
    )


def _lines(paragraph):
    return (TAKES.match(line.strip()) for line in paragraph.astext().splitlines())


def setup(app: Sphinx) -> None:
    """Add the line when a chapter has been read."""
    app.connect("doctree-read", _add)
