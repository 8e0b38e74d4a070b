"""Effects with their intervals, and claims that fail when the data don't support them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats


class ClaimError(AssertionError):
    """The data don't support a claim."""


@dataclass(frozen=True)
class Effect:
    """A mean over runs and its confidence interval.

    Attributes
    ----------
    mean, low, high : float
        Mean and ends of the interval, in the unit of the values.
    n : int
        Number of runs.
    confidence : float
        Confidence of the interval.
    """

    mean: float
    low: float
    high: float
    n: int
    confidence: float = 0.95

    def __str__(self) -> str:
        return f"{self.mean:+.4f} [{self.low:+.4f}, {self.high:+.4f}], n = {self.n}"


@dataclass(frozen=True)
class Claim:
    """A sentence, the effect that it rests on, and what came of it.

    Attributes
    ----------
    text : str
        The sentence.
    effect : Effect
        What was measured.
    bound : str
        What the whole interval has to satisfy.
    verdict : {"holds", "contradicted", "not tested (stand-in data)"}
        Outcome.
    """

    text: str
    effect: Effect
    bound: str
    verdict: str


_claims: dict[str, Claim] = {}


def mean_interval(values: Iterable[float], confidence: float = 0.95) -> Effect:
    """Mean over runs with the interval of Student's t.

    Parameters
    ----------
    values : iterable of float, shape (n,)
        One value a run, n >= 2.
    confidence : float
        Confidence of the interval, between 0 and 1.

    Returns
    -------
    Effect
        Mean and interval.

    Raises
    ------
    ValueError
        When there are fewer than two values, one isn't finite, they are too large or too close
        together to be squared, or ``confidence`` is out of range.
    TypeError
        When the values aren't numbers.
    """
    values = _numbers(values, "mean_interval")
    _check_confidence(confidence, "mean_interval")
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(
            f"mean_interval: give one value a run, at least two runs; the shape is {values.shape}"
        )
    if not np.isfinite(values).all():
        raise ValueError("mean_interval: a value is NaN or infinite; look at that run first")
    n = len(values)
    half = stats.t.ppf((1 + confidence) / 2, n - 1) * values.std(ddof=1) / np.sqrt(n)
    mean = values.mean()
    if not np.isfinite(half) or 0 < np.ptp(values) < 1e-150:
        raise ValueError(
            "mean_interval: the values are too large or too close together to be squared; "
            "give them in another unit"
        )
    return Effect(float(mean), float(mean - half), float(mean + half), n, confidence)


def share_interval(happened: Iterable[bool], confidence: float = 0.95) -> Effect:
    """Share of runs in which something happened, with Wilson's interval, which stays in [0, 1].

    Parameters
    ----------
    happened : iterable of bool, shape (n,)
        One value a run.
    confidence : float
        Confidence of the interval, between 0 and 1.

    Returns
    -------
    Effect
        Share and interval.

    Raises
    ------
    ValueError
        When there is no run, a value is neither true nor false, or ``confidence`` is out of range.
    TypeError
        When the values are neither bools nor numbers.
    """
    values = _numbers(happened, "share_interval")
    _check_confidence(confidence, "share_interval")
    if values.ndim != 1 or not len(values) or not np.isin(values, (0, 1)).all():
        raise ValueError("share_interval: give one true or false a run, and at least one run")
    hits, n = int(values.sum()), len(values)
    low, high = stats.binomtest(hits, n).proportion_ci(confidence, method="wilson")
    return Effect(hits / n, float(low), float(high), n, confidence)


def paired_difference(
    treatment: Iterable[float], control: Iterable[float], confidence: float = 0.95
) -> Effect:
    """Mean of ``treatment - control`` over pairs: runs of one seed and one split.

    Parameters
    ----------
    treatment, control : pandas.Series or sequence of float, shape (n,)
        One value a run. Two Series are paired by their index, sequences (or a Series and a
        sequence) by position.
    confidence : float
        Confidence of the interval.

    Returns
    -------
    Effect
        Mean difference and interval.

    Raises
    ------
    ValueError
        When the runs can't be paired one to one.
    TypeError
        When the values aren't numbers.
    """
    if isinstance(treatment, pd.Series) and isinstance(control, pd.Series):
        for name, series in (("treatment", treatment), ("control", control)):
            if not series.index.is_unique:
                twice = series.index[series.index.duplicated()].unique().tolist()[:5]
                raise ValueError(f"paired_difference: {name} has {twice} more than once")
        alone = treatment.index.symmetric_difference(control.index).tolist()
        if alone:
            raise ValueError(f"paired_difference: only one of the arms has the runs {alone[:5]}")
        control = control.reindex(treatment.index)  # loc takes an index of bools for a mask
    first, second = (_numbers(arm, "paired_difference") for arm in (treatment, control))
    if first.shape != second.shape:
        raise ValueError(
            f"paired_difference: the arms have the shapes {first.shape} and {second.shape}; "
            "give one value a run for each"
        )
    return mean_interval(first - second, confidence)


def _numbers(values: Iterable[float], caller: str) -> np.ndarray:
    """The values as floats; NumPy would make numbers of dates and of texts, too."""
    try:
        values = values if hasattr(values, "__len__") else list(values)
        dtype = np.asarray(values).dtype
        if dtype.kind not in "biufO":
            raise TypeError(f"these are {dtype}")
        return np.asarray(values, float)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{caller}: give one number a run ({error})") from error


def _check_confidence(confidence: float, caller: str) -> None:
    """The quantile is taken at (1 + confidence) / 2, which rounds to 1 a little below 1."""
    if not (isinstance(confidence, Real) and confidence > 0 and (1 + confidence) / 2 < 1):
        raise ValueError(f"{caller}: confidence must lie between 0 and 1, not {confidence}")


def claim(
    text: str,
    effect: Effect,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    within: float | None = None,
    data: Any = None,
) -> Claim:
    """State a sentence, and stop when the data don't support it.

    The *whole* interval has to lie on the claimed side. ``within`` is therefore an equivalence test
    (two one-sided tests, Schuirmann 1987), not a failure to find a difference.

    Parameters
    ----------
    text : str
        The sentence. The same text again replaces the earlier claim.
    effect : Effect
        What was measured.
    at_least, at_most, within : float
        Exactly one of them: the interval lies above, below, or between ``-within`` and ``within``.
    data : Dataset or sequence of Dataset, optional
        What the claim is about. On stand-in data it is recorded as not tested.

    Returns
    -------
    Claim
        The claim and its verdict, which is also printed.

    Raises
    ------
    ClaimError
        When the interval isn't where the claim says.
    ValueError
        When not exactly one bound is given, it isn't finite, or ``within`` isn't positive.
    TypeError
        When ``text`` isn't a string, ``effect`` isn't an :class:`Effect`, or ``data`` isn't a
        Dataset or a list of them.
    """
    if not isinstance(text, str):
        raise TypeError(f"claim: text must be a sentence, not {text!r}")
    if not isinstance(effect, Effect):
        raise TypeError(
            f"claim: effect must come from mean_interval or paired_difference, not {effect!r}"
        )
    bounds = {"at_least": at_least, "at_most": at_most, "within": within}
    given = {name: value for name, value in bounds.items() if value is not None}
    if len(given) != 1:
        raise ValueError("claim: give exactly one of at_least, at_most and within")
    ((name, value),) = given.items()
    if not (isinstance(value, Real) and np.isfinite(value)):
        raise ValueError(f"claim: {name} must be a finite number, not {value!r}")
    if name == "within" and value <= 0:
        raise ValueError(f"claim: within must be positive, not {value}")
    holds, bound = {
        "at_least": (effect.low >= value, f"≥ {value:g}"),
        "at_most": (effect.high <= value, f"≤ {value:g}"),
        "within": (-value <= effect.low and effect.high <= value, f"within ± {value:g}"),
    }[name]
    datasets = [] if data is None else data if isinstance(data, (list, tuple)) else [data]
    if not all(hasattr(dataset, "is_real") for dataset in datasets):
        raise TypeError(f"claim: data must be a Dataset or a list of them, not {data!r}")
    if not all(dataset.is_real for dataset in datasets):
        verdict, mark = "not tested (stand-in data)", "–"
    else:
        verdict, mark = ("holds", "✓") if holds else ("contradicted", "✗")
    made = _claims[text] = Claim(text, effect, bound, verdict)
    print(f"{mark} {text}: {effect}; claimed {bound}: {verdict}")
    if verdict == "contradicted":
        raise ClaimError(
            f"{text!r}: claimed {bound}, but the {_percent(effect.confidence)} interval is "
            f"[{effect.low:+.4f}, {effect.high:+.4f}] over {effect.n} runs. "
            "Change the sentence, not the bound."
        )
    return made


def _percent(confidence: float) -> str:
    return f"{100 * confidence:.10g}%"


class ClaimsTable:
    """All claims of a notebook, as a table for screens and for terminals.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a claim.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame

    def __repr__(self) -> str:
        return self.frame.to_string(index=False)

    def _repr_html_(self) -> str:
        # Without the index: its empty heading would say nothing to a screen reader.
        return self.frame.to_html(index=False, border=0, classes="claims", justify="left")


def claims_table() -> ClaimsTable:
    """The claims made so far.

    Returns
    -------
    ClaimsTable
        Displays itself in a notebook; ``.frame`` is the DataFrame.

    Raises
    ------
    ValueError
        When there are none.
    """
    if not _claims:
        raise ValueError("claims_table: no claim was made yet; run the cells above first")
    rows = [
        {
            "claim": made.text,
            "effect": f"{made.effect.mean:+.4f}",
            "95 % interval": f"{made.effect.low:+.4f} to {made.effect.high:+.4f}"
            + ("" if made.effect.confidence == 0.95 else f" ({_percent(made.effect.confidence)})"),
            "n": made.effect.n,
            "claimed": made.bound,
            "verdict": made.verdict,
        }
        for made in _claims.values()
    ]
    return ClaimsTable(pd.DataFrame(rows))


def clear_claims() -> None:
    """Forget all claims."""
    _claims.clear()
