"""The one place that repetition comes from.

Runs are labelled 0 … n − 1 wherever the book repeats something: a training, a draw of the data, a
split. ``BOOK_SEEDS`` (default 0) is added where such a label becomes random numbers: in the loaders
of ``utils.data``, in ``Stack``, in ``train`` and ``compare``, and in :func:`generator`. So another
offset repeats everything with numbers that nobody has seen, and every table keeps its labels.
"""

from __future__ import annotations

import os

import numpy as np


def _offset() -> int:
    text = os.environ.get("BOOK_SEEDS", "0")
    if not (text.isascii() and text.isdigit() and int(text) < 2**31):
        raise ValueError(f"BOOK_SEEDS must be a whole number from 0 to 2147483647, not {text!r}")
    return int(text)


OFFSET = _offset()


class fixed(int):
    """A seed that ``BOOK_SEEDS`` doesn't shift, for a draw that was published as it is."""


def shifted(seed: int) -> int:
    """The seed that is drawn with: ``seed + BOOK_SEEDS``, or ``seed`` where it is :class:`fixed`.

    Parameters
    ----------
    seed : int
        Label of a run, of a draw or of a split.

    Returns
    -------
    int
        Seed of a random generator.
    """
    return int(seed) if isinstance(seed, fixed) else seed + OFFSET


def generator(*key: int) -> np.random.Generator:
    """NumPy's generator for random choices of one's own: ``generator(seed, fold)``.

    Parameters
    ----------
    *key : int
        What the numbers are for. The first is shifted as in :func:`shifted`.

    Returns
    -------
    numpy.random.Generator
        The same key gives the same numbers.
    """
    return np.random.default_rng([shifted(key[0]), *key[1:]])
