"""Effects with their intervals, and claims that fail when the data don't support them.

A claim says *greater*, *less* or *equivalent*. "Greater" and "less" are against 0, "equivalent" is
within the margin of its metric, the same in the whole book (:data:`MARGINS`). Any other number
has to stand in the sentence. So nothing is left to choose after the result is known.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats


class ClaimError(AssertionError):
    """The data don't support a claim."""


@dataclass(frozen=True)
class Effect:
    """A mean over runs and its 95 % interval.

    Attributes
    ----------
    mean, low, high : float
        Mean and ends of the interval, in the unit of the values.
    n : int
        Number of runs.
    """

    mean: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.mean:+.4f} [{self.low:+.4f}, {self.high:+.4f}], n = {self.n}"


# What matters, by metric: accuracy as a share of 1, cross-entropy in nats. Squared errors are
# compared as logarithms of ratios, since a mean of their differences hangs on a few large ones.
MARGINS = {"accuracy": 0.01, "cross-entropy": 0.02, "squared error": float(np.log(1.05))}
# Effects that are logarithms of ratios, shown as factors.
RATIOS = ("squared error", "factor")
ALTERNATIVES = ("greater", "less", "equivalent")
# What a claim rests on that new seeds can't change. Such claims are counted apart.
SCOPES = {
    "fixed draw": "holds on one fixed draw",
    "recorded": "holds in a recorded run",
    "machine": "holds on this machine",
}
STAND_IN = "not tested (stand-in data)"
WORDS = {"half": 0.5, "third": 1 / 3, "quarter": 0.25, "fifth": 0.2, "twice": 2, "double": 2}
WORDS |= {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "ten": 10}


@dataclass(frozen=True)
class Claim:
    """A sentence, the effect that it rests on, and what came of it.

    Attributes
    ----------
    text : str
        The sentence.
    effect : Effect
        What was measured.
    alternative : {"greater", "less", "equivalent"}
        What the whole interval has to satisfy.
    metric : str
        What the effect is about; its unit.
    than, margin : float
        What it is compared with, and how far "equivalent" reaches.
    verdict : str
        "holds", "contradicted", "not tested (stand-in data)", or that it holds on one fixed draw,
        in a recorded run or on this machine.
    """

    text: str
    effect: Effect
    alternative: str
    metric: str
    than: float
    margin: float
    verdict: str

    @property
    def bound(self) -> str:
        """What was claimed, e.g. "> 0" or "within ± 1 points"."""
        than = _rounded(self._scaled(self.than))
        if self.alternative != "equivalent":
            sign = ">" if self.alternative == "greater" else "<"
            return f"{sign} {than}{self._unit if self.than else ''}"
        if self.metric in RATIOS:
            return f"within a factor of {_rounded(self._scaled(self.margin))}"
        around = f"{than} " if self.than else ""
        return f"within {around}± {_rounded(self._scaled(self.margin))}{self._unit}"

    @property
    def shown(self) -> str:
        """The effect with its interval, in the unit of its metric."""
        e = self.effect
        mean, low, high = (self._scaled(value) for value in (e.mean, e.low, e.high))
        half = (high - low) / 2
        # As many digits as the half-width of the interval tells.
        most = 4 if self.metric in RATIOS else 9
        digits = int(np.clip(-np.floor(np.log10(half)), 0, most)) if 0 < half < np.inf else None
        difference = not self.than or self.metric in ("accuracy", "cross-entropy")
        sign = "×" if self.metric in RATIOS else "+" if e.mean > 0 and difference else ""
        ends = f" [{_rounded(low, digits)}, {_rounded(high, digits)}]"
        spread = ends if half else f", the same in all {e.n} runs"
        return f"{sign}{_rounded(mean, digits)}{self._unit}{spread}"

    @property
    def _unit(self) -> str:
        units = {"accuracy": "points", "cross-entropy": "nats", "share": "%"}
        return "" if self.metric in RATIOS else f" {units.get(self.metric, self.metric)}"

    def _scaled(self, value: float) -> float:
        """The value in its unit."""
        if self.metric in RATIOS:
            return float(np.exp(value))
        return 100 * value if self.metric in ("accuracy", "share") else value


def _rounded(value: float, digits: int | None = None) -> str:
    """The value with that many digits after the point, by default with four that matter."""
    if digits is None:
        return f"{value:.4g}"
    return f"{round(value, digits) + 0.0:.{digits}f}"  # no minus sign before 0


_claims: dict[str, Claim] = {}
_margins: dict[str, float] = dict(MARGINS)


def mean_interval(values: Iterable[float]) -> Effect:
    """Mean over runs with the 95 % interval of Student's t.

    Parameters
    ----------
    values : iterable of float, shape (n,)
        One value a run, n >= 2.

    Returns
    -------
    Effect
        Mean and interval.

    Raises
    ------
    ValueError
        When there are fewer than two values, or one isn't finite.
    """
    values = np.array(list(values), float)
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(
            f"mean_interval: give one value a run, at least two runs; the shape is {values.shape}"
        )
    if not np.isfinite(values).all():
        raise ValueError("mean_interval: a value is NaN or infinite; look at that run first")
    n, mean = len(values), values.mean()
    half = stats.t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n)
    return Effect(float(mean), float(mean - half), float(mean + half), n)


def share_interval(happened: Iterable[bool]) -> Effect:
    """Share of runs in which something happened, with Wilson's interval, which stays in [0, 1].

    Parameters
    ----------
    happened : iterable of bool, shape (n,)
        One value a run.

    Returns
    -------
    Effect
        Share and 95 % interval.

    Raises
    ------
    ValueError
        When there is no run, or a value is neither true nor false.
    """
    values = np.array(list(happened), float)
    if values.ndim != 1 or not len(values) or not np.isin(values, (0, 1)).all():
        raise ValueError("share_interval: give one true or false a run, and at least one run")
    hits, n = int(values.sum()), len(values)
    low, high = stats.binomtest(hits, n).proportion_ci(0.95, method="wilson")
    return Effect(hits / n, float(low), float(high), n)


def paired_difference(treatment: Iterable[float], control: Iterable[float]) -> Effect:
    """Mean of ``treatment - control`` over pairs: runs of one seed and one split.

    Parameters
    ----------
    treatment, control : pandas.Series or sequence of float, shape (n,)
        One value a run. Two Series are paired by their index, sequences (or a Series and a
        sequence) by position.

    Returns
    -------
    Effect
        Mean difference and 95 % interval.

    Raises
    ------
    ValueError
        When the runs can't be paired one to one.
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
    first, second = np.asarray(treatment, float), np.asarray(control, float)
    if first.shape != second.shape:
        raise ValueError(
            f"paired_difference: the arms have the shapes {first.shape} and {second.shape}; "
            "give one value a run for each"
        )
    return mean_interval(first - second)


def declare_margin(metric: str, margin: float, because: str) -> None:
    """Say before the first experiment that another difference matters here, and why.

    Parameters
    ----------
    metric : str
        Name of the metric, as in :func:`claim`.
    margin : float
        Largest difference that doesn't matter; for a metric that is compared as a ratio, its
        natural logarithm.
    because : str
        The reason, which is printed.

    Raises
    ------
    RuntimeError
        When a claim was made already.
    ValueError
        When the margin isn't positive, or there is no reason.
    """
    if _claims:
        raise RuntimeError("declare_margin: margins are declared before the first claim")
    if not 0 < margin < np.inf or not because:
        raise ValueError("declare_margin: give a positive margin and a reason")
    _margins[metric] = float(margin)
    made = Claim("", Effect(0, 0, 0, 0), "equivalent", metric, 0.0, float(margin), "")
    print(f"Margin for {metric}: {made.bound.removeprefix('within ')}, because {because}")


def claim(
    text: str,
    effect: Effect,
    alternative: str,
    metric: str,
    *,
    than: float = 0.0,
    margin: float | None = None,
    scope: str | None = None,
    data: Any = None,
) -> Claim:
    """State a sentence, and stop when the data don't support it.

    The *whole* interval has to lie on the claimed side. "Equivalent" is therefore a test of
    equivalence (two one-sided tests, Schuirmann 1987), not a failure to find a difference.

    Parameters
    ----------
    text : str
        The sentence. The same text again replaces the earlier claim.
    effect : Effect
        What was measured. For "squared error" and "factor" it is of natural logarithms of ratios.
    alternative : {"greater", "less", "equivalent"}
        The interval lies above ``than``, below it, or nowhere further from it than the margin.
    metric : str
        "accuracy" (a difference, shown in points), "cross-entropy" or "squared error", which have a
        margin; "share" (shown in %); "factor"; or any other unit, e.g. "epochs".
    than : float
        What the effect is compared with: a factor for "squared error" and "factor". A number other
        than "no difference" has to stand in the sentence.
    margin : float, optional
        Another margin than that of the metric, a factor where ``than`` is one. It has to stand in
        the sentence.
    scope : {"fixed draw", "recorded", "machine"}, optional
        What the claim rests on, where that isn't repeated with new seeds.
    data : Dataset or sequence of Dataset, optional
        What the claim is about. On stand-in data it is not tested.

    Returns
    -------
    Claim
        The claim and its verdict, which is also printed.

    Raises
    ------
    ClaimError
        When the interval isn't where the claim says.
    ValueError
        When an argument isn't one of those there are, there is no margin, or a number doesn't stand
        in the sentence.
    """
    for name, value, known in (
        ("alternative", alternative, ALTERNATIVES), ("scope", scope, (None, *SCOPES))
    ):  # fmt: skip
        if value not in known:
            raise ValueError(f"claim: {name} must be one of {known}, not {value!r}")
    for name, value in (("than", than), ("margin", margin)):
        if value is None or (value == 0 and name == "than"):
            continue
        if (name == "margin" or metric in RATIOS) and value <= 0:
            raise ValueError(f"claim: {name} must be positive, not {value}")
        if not _stands_in(text, value):
            raise ValueError(
                f"claim: {name} = {value:g} doesn't stand in the sentence {text!r}; "
                "say the number, or claim against 0 or the margin of the metric"
            )
    if margin is None and alternative == "equivalent" and metric not in _margins:
        raise ValueError(
            f"claim: there is no margin for {metric!r}; declare one (declare_margin), or give one "
            "and say it in the sentence"
        )
    if metric in RATIOS:
        than = np.log(than) if than else 0.0
        margin = None if margin is None else abs(np.log(margin))
    margin = _margins.get(metric, 0.0) if margin is None else margin
    low, high = effect.low - than, effect.high - than
    holds, turned = {
        "greater": (low > 0, high < 0),
        "less": (high < 0, low > 0),
        "equivalent": (-margin <= low and high <= margin, low > margin or high < -margin),
    }[alternative]
    datasets = [] if data is None else data if isinstance(data, (list, tuple)) else [data]
    if not all(dataset.is_real for dataset in datasets):
        verdict, mark = STAND_IN, "–"
    else:
        verdict, mark = (SCOPES.get(scope, "holds"), "✓") if holds else ("contradicted", "✗")
    made = Claim(text, effect, alternative, metric, float(than), float(margin), verdict)
    _claims[text] = made
    aside = "" if verdict in ("holds", "contradicted") else f" ({verdict})"
    line = f"{mark} {text}: {made.shown}{aside}"
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(line.encode(encoding, "replace").decode(encoding))
    if journal := os.environ.get("BOOK_CLAIMS"):  # tools.replicate: write down and go on
        entry = {"text": text, "verdict": verdict, "turned": bool(turned), "scope": scope,
                 "shown": made.shown, "bound": made.bound}  # fmt: skip
        with open(journal, "a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")
    elif verdict == "contradicted":
        raise ClaimError(
            f"{text!r}: claimed {made.bound}, but the 95 % interval over {effect.n} runs says "
            f"{made.shown}. Change the sentence, or repeat more often."
        )
    return made


def _stands_in(text: str, value: float) -> bool:
    """Whether the sentence says the number: as it is, in percent or points, or as a word."""
    said = [float(n.replace(",", "")) for n in re.findall(r"\d[\d,]*(?:\.\d+)?(?:e-?\d+)?", text)]
    said += [number for word, number in WORDS.items() if re.search(rf"(?i)\b{word}\b", text)]
    wanted = (abs(value), 100 * abs(value), 100 * abs(value - 1))
    return any(np.isclose(s, w) for s in said for w in wanted)


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
            "effect": made.shown,
            "runs": made.effect.n,
            "claimed": made.bound,
            "verdict": made.verdict,
        }
        for made in _claims.values()
    ]
    return ClaimsTable(pd.DataFrame(rows))


def clear_claims() -> None:
    """Forget all claims and declared margins."""
    _claims.clear()
    _margins.clear()
    _margins.update(MARGINS)
