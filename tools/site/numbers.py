"""Numbers that Markdown pages name, as ``{{ claims }}``: counted, not typed in."""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

from tools import notebooks, outcomes, status


def substitutions(root: Path) -> dict[str, str]:
    """Chapters, hours to read them, claims that hold, and outcomes on fresh seeds, counted."""
    paths = notebooks.book_notebooks(root)
    verdicts = [v for path in paths for v in status.verdicts(notebooks.read(path))]
    held, tested = outcomes.replicated(root)
    share = f"{100 * held / tested:.1f}" if tested else "–"  # 434 of 435 aren't 100 %
    pages = "".join(cell.source for path in paths for cell in notebooks.read(path).cells)
    minutes = sum(map(int, re.findall(r"\*Takes\* about (\d+) minutes to read", pages)))
    return {
        "chapters": str(len(paths)),
        "claims": str(sum(verdict.startswith("holds") for verdict in verdicts)),
        "replicated": str(held),
        "outcomes": str(tested),
        "replicated_share": share,
        "hours": f"{minutes / 60:.0f}",
    }


def _add(app: Sphinx, config: Config) -> None:
    config.myst_substitutions = {**config.myst_substitutions, **substitutions(Path(app.srcdir))}


def setup(app: Sphinx) -> None:
    """Count before the pages are read."""
    app.connect("config-inited", _add)
