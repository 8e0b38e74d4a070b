"""Recorded runs: results of experiments that take longer than a page may.

Each is a JSON file in this folder, written by one resumable command (``make mnist-full``) that runs
the chapter's own cells at full size. A page that shows one says that it is recorded.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any, NamedTuple

import pandas as pd


class Recorded(NamedTuple):
    """A recorded run.

    Attributes
    ----------
    results : pandas.DataFrame
        One row a trained model: its arm, seed and measurements.
    about : dict
        ``command``, ``date``, ``seconds``, ``versions``, ``machine``, ``data`` (digests of the
        arrays) and ``code`` (digest of the cells that were run).
    """

    results: pd.DataFrame
    about: dict[str, Any]


def load_recorded(name: str) -> Recorded:
    """Read a recorded run that comes with this package.

    Parameters
    ----------
    name : str
        Its name, e.g. ``"mnist_full"``.

    Returns
    -------
    Recorded
        Results and how they came about.

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
    content = json.loads(file.read_text(encoding="utf-8"))
    return Recorded(pd.DataFrame(content["results"]), content["about"])
