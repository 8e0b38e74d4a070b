"""Recorded runs: results of comparisons that take longer than a page may.

Each is a JSON file in this folder, written by one resumable command (``make mnist-full``) that runs
the chapter's own cells at full size. A page that shows one says that it is recorded.
"""

from __future__ import annotations

import json
from importlib import resources

from utils.comparing import Comparison, comparison


def load_recorded(name: str) -> Comparison:
    """Read a recorded run that comes with this package.

    Parameters
    ----------
    name : str
        Its name, e.g. ``"mnist_full"``.

    Returns
    -------
    Comparison
        As :func:`~utils.comparing.compare` returns it. ``runs`` has three more columns, which say
        how a run came about: ``date``, ``machine`` and ``versions``.

    Raises
    ------
    FileNotFoundError
        When there is no such run; the message lists those there are.
    """
    folder = resources.files(__name__)
    file = folder / f"{name}.json"
    if not file.is_file():
        known = sorted(f.name.removesuffix(".json") for f in folder.iterdir() if ".json" in f.name)
        raise FileNotFoundError(
            f"load_recorded: no recorded run {name!r}; there are: {', '.join(known) or '-'}"
        )
    return comparison(json.loads(file.read_text(encoding="utf-8"))["runs"])
