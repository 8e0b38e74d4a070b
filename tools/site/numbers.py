"""Numbers that Markdown pages name, as ``{{ claims }}``: counted, not typed in."""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

from tools import notebooks, status


def substitutions(root: Path) -> dict[str, str]:
    """Number of chapters, of their claims that hold, and of outcomes on fresh seeds."""
    paths = notebooks.book_notebooks(root)
    verdicts = [v for path in paths for v in status.verdicts(notebooks.read(path))]
    held, outcomes = status.replicated(root)
    share = f"{100 * held / outcomes:.1f}" if outcomes else "–"  # 434 of 435 aren't 100 %
    return {
        "chapters": str(len(paths)),
        "claims": str(sum(verdict.startswith("holds") for verdict in verdicts)),
        "replicated": str(held),
        "outcomes": str(outcomes),
        "replicated_share": share,
    }


def _add(app: Sphinx, config: Config) -> None:
    config.myst_substitutions = {**config.myst_substitutions, **substitutions(Path(app.srcdir))}


def setup(app: Sphinx) -> None:
    """Count before the pages are read."""
    app.connect("config-inited", _add)
