"""Intervals are Student's, pairs are pairs, and a claim fails when the data don't support it."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from utils.evidence import (
    ClaimError,
    Effect,
    claim,
    claims_table,
    clear_claims,
    mean_interval,
    paired_difference,
    share_interval,
)


@pytest.fixture(autouse=True)
def no_claims():
    clear_claims()
    yield
    clear_claims()


REAL, STAND_IN = SimpleNamespace(is_real=True), SimpleNamespace(is_real=False)
EFFECT = Effect(0.03, 0.01, 0.05, 10)


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_interval_is_scipys(confidence):
    values = np.random.default_rng(0).normal(3, 2, 12)
    got = mean_interval(values, confidence)
    low, high = stats.t.interval(confidence, 11, values.mean(), stats.sem(values))
    assert (got.mean, got.low, got.high) == pytest.approx((values.mean(), low, high))
    assert (got.n, got.confidence) == (12, confidence)


def test_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    effects = [mean_interval(rng.normal(1, 1, 5)) for _ in range(2000)]
    assert np.mean([e.low <= 1 <= e.high for e in effects]) == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0], "at least two runs"),
        ([], "at least two runs"),
        ([[1.0, 2.0], [3.0, 4.0]], "one value a run"),
        ([1.0, np.nan], "NaN or infinite; look at that run first$"),
        ([1.0, np.inf], "NaN or infinite"),
        ([1e200, -1e200], "too large or too close .* squared; give them in another unit$"),
        ([0.0, 1e-170], "too large or too close"),
    ],
)
def test_bad_values_are_named(values, message):
    with pytest.raises(ValueError, match=f"^mean_interval: .*{message}"):
        mean_interval(values)


@pytest.mark.parametrize("confidence", [0, 1, 95])
@pytest.mark.parametrize("interval", [mean_interval, share_interval])
def test_bad_confidence_is_named(interval, confidence):
    with pytest.raises(ValueError, match=f"^{interval.__name__}: .* between 0 and 1, not"):
        interval([0, 1], confidence)


def test_what_is_not_a_number_is_named():
    for interval in (mean_interval, share_interval):
        with pytest.raises(TypeError, match=f"^{interval.__name__}: give one number a run"):
            interval(["a", "b"])
    with pytest.raises(TypeError, match=r"^paired_difference: give one number a run"):
        paired_difference([1, 2], ["a", "b"])


def test_share_interval_is_wilsons():
    got = share_interval([True] * 97 + [False] * 3)
    z, p, n = stats.norm.ppf(0.975), 0.97, 100
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert (got.mean, got.low, got.high) == pytest.approx((p, middle - half, middle + half))
    assert (got.n, got.confidence) == (100, 0.95)


def test_every_interval_has_the_confidence_asked_for():
    values = np.array([1.0, 2.0, 4.0, 3.0])
    wanted = mean_interval(values, 0.8)
    assert wanted.confidence == 0.8
    assert paired_difference(values + 1, np.ones(4), 0.8) == wanted
    share = share_interval([True, False, True], 0.8)
    low, high = stats.binomtest(2, 3).proportion_ci(0.8, method="wilson")
    assert (share.low, share.high, share.confidence) == (low, high, 0.8)


@pytest.mark.parametrize("hits", [0, 5])
def test_a_share_stays_a_share(hits):
    got = share_interval(np.arange(5) < hits)
    assert 0 <= got.low <= got.mean <= got.high <= 1
    assert got.high - got.low > 0.3


@pytest.mark.parametrize("values", [[], [0.5], [[True]], [True, np.nan]])
def test_bad_shares_are_named(values):
    with pytest.raises(ValueError, match=r"^share_interval: give one true or false a run, and at"):
        share_interval(values)


def test_pairing_removes_what_the_arms_share():
    shared = np.random.default_rng(0).normal(0, 100, 20)
    gain = paired_difference(shared + 1 + 0.01 * np.arange(20), shared)
    assert gain.mean == pytest.approx(1.095)
    assert gain.high - gain.low < 0.1


def test_series_are_paired_by_their_index():
    first = pd.Series([1.0, 2.0, 4.0], index=[7, 8, 9])
    second = pd.Series([3.0, 1.0, 1.0], index=[9, 8, 7])
    # The mean doesn't depend on who is paired with whom; the interval does.
    wanted = mean_interval([0.0, 1.0, 1.0])
    assert paired_difference(first, second) == wanted
    assert paired_difference(first, [1.0, 1.0, 3.0]) == wanted, "a sequence goes by position"
    assert paired_difference([1.0, 2.0, 4.0], second[::-1]) == wanted


def test_unpairable_runs_are_named():
    first = pd.Series([1.0, 2.0], index=[0, 1])
    with pytest.raises(ValueError, match=r"only one of the arms has the runs \[1, 2\]"):
        paired_difference(first, pd.Series([1.0, 2.0], index=[0, 2]))
    twice = pd.Series([1.0, 2.0], index=[1, 1])
    with pytest.raises(ValueError, match=r"^paired_difference: control has \[1\] more than once"):
        paired_difference(first, twice)
    with pytest.raises(ValueError, match=r"^paired_difference: treatment has \[1\] more than once"):
        paired_difference(twice, first)
    with pytest.raises(
        ValueError, match=r"shapes \(2,\) and \(3,\); give one value a run for each$"
    ):
        paired_difference([1, 2], [1, 2, 3])
    many = pd.Series(range(14), index=[*range(7)] * 2)
    with pytest.raises(ValueError, match=r"\[0, 1, 2, 3, 4\] more than once"):
        paired_difference(many, first)
    with pytest.raises(ValueError, match=r"runs \[0, 1, 2, 3, 4\]$"):
        paired_difference(pd.Series(range(9)), pd.Series([1, 2], index=[20, 21]))


@pytest.mark.parametrize(
    ("bound", "holds"),
    [
        ({"at_least": 0.01}, True),
        ({"at_least": 0.02}, False),  # the mean is above, the interval isn't
        ({"at_most": 0.05}, True),
        ({"at_most": 0.04}, False),
        ({"within": 0.05}, True),
        ({"within": 0.04}, False),
    ],
)
def test_the_whole_interval_has_to_satisfy_the_bound(bound, holds, capsys):
    if holds:
        assert claim("it does", EFFECT, **bound).verdict == "holds"
    else:
        with pytest.raises(ClaimError, match="Change the sentence, not the bound"):
            claim("it does", EFFECT, **bound)
    assert claims_table().frame["verdict"].tolist() == ["holds" if holds else "contradicted"]
    printed = capsys.readouterr().out
    mark, verdict = ("✓", "holds") if holds else ("✗", "contradicted")
    measured = "it does: +0.0300 [+0.0100, +0.0500], n = 10"
    ((name, value),) = bound.items()
    sign = {"at_least": "≥", "at_most": "≤", "within": "within ±"}[name]
    assert printed == f"{mark} {measured}; claimed {sign} {value:g}: {verdict}\n"


def test_a_contradiction_says_what_was_found():
    found = mean_interval([1.0, 2.0, 3.0], 0.9)
    message = (
        "'x': claimed ≥ 1, but the 90% interval is [+0.3141, +3.6859] over 3 runs. "
        "Change the sentence, not the bound."
    )
    with pytest.raises(ClaimError) as caught:
        claim("x", found, at_least=1)
    assert str(caught.value) == message


def test_equal_values_are_no_error():
    assert mean_interval([2.0, 2.0, 2.0]) == Effect(2.0, 2.0, 2.0, 3)


def test_no_difference_is_not_shown_by_too_few_runs():
    wide = mean_interval([-1.0, 1.0])
    with pytest.raises(ClaimError):
        claim("no effect", wide, within=0.1)
    negative = Effect(-0.2, -0.3, 0.0, 5)
    with pytest.raises(ClaimError):
        claim("no effect", negative, within=0.1)


@pytest.mark.parametrize("bound", [{"at_least": 0.0}, {"at_least": 1.0}])
@pytest.mark.parametrize("data", [STAND_IN, [REAL, STAND_IN]])
def test_claims_on_stand_ins_neither_pass_nor_fail(bound, data, capsys):
    assert claim("about images", EFFECT, data=data, **bound).verdict.startswith("not tested")
    assert capsys.readouterr().out.startswith("– about images: ")


def test_an_interval_that_ends_at_the_bound_is_within_it():
    assert claim("no effect", Effect(0.0, -0.1, 0.1, 5), within=0.1).verdict == "holds"


def test_claims_on_real_data_are_tested():
    assert claim("about images", EFFECT, at_least=0, data=REAL).verdict == "holds"
    with pytest.raises(ClaimError):
        claim("about images", EFFECT, at_least=1, data=[REAL, REAL])


def test_running_a_cell_again_replaces_its_claim():
    claim("first", EFFECT, at_least=0)
    claim("second", EFFECT, at_least=0)
    claim("first", EFFECT, at_most=1)
    frame = claims_table().frame
    assert frame["claim"].tolist() == ["first", "second"]
    assert frame["claimed"].tolist() == ["≤ 1", "≥ 0"]


def test_table_is_readable_everywhere():
    claim("a < b & c", EFFECT, at_least=0)
    claim("with another confidence", mean_interval([1.0, 2.0, 3.0], 0.9), at_most=5)
    page = claims_table()._repr_html_()
    assert "a &lt; b &amp; c" in page
    assert "<th></th>" not in page
    assert 'class="dataframe claims"' in page and 'border="1"' not in page
    assert '<tr style="text-align: left;">' in page
    first, second = claims_table().frame.to_dict("records")
    assert first == {
        "claim": "a < b & c",
        "effect": "+0.0300",
        "95 % interval": "+0.0100 to +0.0500",
        "n": 10,
        "claimed": "≥ 0",
        "verdict": "holds",
    }
    assert second["95 % interval"] == "+0.3141 to +3.6859 (90%)"
    assert repr(claims_table()).splitlines()[1].split()[:5] == ["a", "<", "b", "&", "c"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "^claim: give exactly one of at_least, at_most and within$"),
        ({"at_least": 0, "at_most": 1}, "exactly one"),
        ({"within": 0}, "must be positive"),
    ],
)
def test_bad_bounds_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        claim("x", EFFECT, **options)


def test_a_bare_number_is_not_an_effect():
    with pytest.raises(TypeError, match="mean_interval or paired_difference"):
        claim("x", 0.3, at_least=0)


def test_empty_table_is_an_error():
    with pytest.raises(ValueError, match=r"^claims_table: no claim was made yet; run the cells"):
        claims_table()
