"""What the site has beyond Jupyter Book: MathML formulas, chapter headers, links to the glossary.

The notebooks stay plain Markdown. Whatever a page needs in addition is made here, while Sphinx
builds it.
"""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

from tools.site import address, formulas, glossary, header, moved, numbers, pictures


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the parts with Sphinx."""
    for part in (address, formulas, header, glossary, numbers, pictures, moved):
        part.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
