"""Numbers that Markdown pages name as ``{{ claims }}``: counted, not typed in."""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

ROW = re.compile(r"(?m)^\| \[.+?\]\(\w+\.ipynb\) \|.*\| (\d+) \| (\d+) \|$")


def substitutions(status: str) -> dict[str, str]:
    """Number of chapters, and of their claims that hold, from the text of the status page."""
    rows = ROW.findall(status)
    return {"chapters": str(len(rows)), "claims": str(sum(int(holds) for holds, _ in rows))}


def _add(app: Sphinx, config: Config) -> None:
    status = Path(app.srcdir, "book", "status.md").read_text(encoding="utf-8")
    config.myst_substitutions = {**config.myst_substitutions, **substitutions(status)}


def setup(app: Sphinx) -> None:
    """Count before the pages are read."""
    app.connect("config-inited", _add)
