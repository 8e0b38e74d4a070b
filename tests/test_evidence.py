"""Intervals are Student's, pairs are pairs, and a claim fails when the data don't support it."""

import io
import json
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
    declare_margin,
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
    ],
)
def test_bad_values_are_named(values, message):
    with pytest.raises(ValueError, match=f"^mean_interval: .*{message}"):
        mean_interval(values)


def test_share_interval_is_wilsons():
    got = share_interval([True] * 97 + [False] * 3)
    z, p, n = stats.norm.ppf(0.975), 0.97, 100
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert (got.mean, got.low, got.high) == pytest.approx((p, middle - half, middle + half))
    assert got.n == 100


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
    ("low", "high", "alternative", "holds"),
    [
        (0.001, 0.05, "greater", True),
        (-0.001, 0.05, "greater", False),  # the mean is above, the interval isn't
        (0.0, 0.05, "greater", False),
        (-0.05, -0.001, "less", True),
        (-0.05, 0.001, "less", False),
        (-0.01, 0.01, "equivalent", True),  # the margin itself is within it
        (-0.011, 0.0, "equivalent", False),
        (0.0, 0.011, "equivalent", False),
    ],
)
def test_the_whole_interval_has_to_lie_where_the_claim_says(low, high, alternative, holds):
    effect = Effect((low + high) / 2, low, high, 10)
    if holds:
        assert claim("it does", effect, alternative, "accuracy").verdict == "holds"
    else:
        with pytest.raises(ClaimError, match="Change the sentence, or repeat more often"):
            claim("it does", effect, alternative, "accuracy")
    assert claims_table().frame["verdict"].tolist() == ["holds" if holds else "contradicted"]


def test_margins_are_those_of_the_metric():
    just = {"accuracy": 0.01, "cross-entropy": 0.02, "squared error": np.log(1.05)}
    for metric, margin in just.items():
        claim("alike", Effect(0, -margin, margin, 5), "equivalent", metric)
        with pytest.raises(ClaimError):
            claim("alike", Effect(0, -margin, 1.01 * margin, 5), "equivalent", metric)
    with pytest.raises(ValueError, match="no margin for 'epochs'; declare one"):
        claim("alike", Effect(0, -1, 1, 5), "equivalent", "epochs")


def test_a_chapter_may_declare_a_margin_before_its_first_claim(capsys):
    declare_margin("accuracy", 0.03, "the test set has 70 rows")
    assert capsys.readouterr().out == (
        "Margin for accuracy: ± 3 points, because the test set has 70 rows\n"
    )
    made = claim("alike", Effect(0, -0.02, 0.03, 5), "equivalent", "accuracy")
    assert made.bound == "within ± 3 points"
    with pytest.raises(RuntimeError, match="before the first claim"):
        declare_margin("accuracy", 0.1, "it would hold then")
    clear_claims()
    with pytest.raises(ClaimError):
        claim("alike", Effect(0, -0.02, 0.03, 5), "equivalent", "accuracy")
    for margin, because in ((0, "a reason"), (-1, "a reason"), (np.inf, "a reason"), (0.1, "")):
        clear_claims()
        with pytest.raises(ValueError, match="give a positive margin and a reason"):
            declare_margin("accuracy", margin, because)


@pytest.mark.parametrize(
    ("text", "metric", "options"),
    [
        ("by over 2 points", "accuracy", {"than": 0.02}),
        ("by over two points", "accuracy", {"than": 0.02}),
        ("over 0.02", "accuracy", {"than": 0.02}),
        ("less than 0.85 % test error", "accuracy", {"than": 0.0085}),
        ("to less than half", "factor", {"than": 0.5}),
        ("over twice as many", "factor", {"than": 2}),
        ("750 images are worth it (factor 1.5)", "factor", {"than": 1.5}),
        ("to 1 %", "factor", {"margin": 1.01}),
        ("L2 = 1e-3 is within 1,500 epochs", "epochs", {"margin": 1500}),
    ],
)
def test_a_number_stands_in_the_sentence(text, metric, options):
    alternative = "equivalent" if "margin" in options else "greater"
    effect = Effect(5, 5, 5, 3) if alternative == "greater" else Effect(0, 0, 0, 3)
    assert claim(text, effect, alternative, metric, **options).verdict == "holds"
    for other in ("it helps", "by over 7 points", "by over 20,2 points"):
        with pytest.raises(ValueError, match="doesn't stand in the sentence"):
            claim(other, effect, alternative, metric, **options)


def test_numbers_that_are_compared_with_move_the_verdict():
    effect = Effect(np.log(1.8), np.log(1.6), np.log(2.0), 5)
    claim("by half as much again: over 1.5 times", effect, "greater", "factor", than=1.5)
    with pytest.raises(
        ClaimError, match=r"claimed > 1\.7, .* over 5 runs says ×1\.8 \[1\.6, 2\.0\]"
    ):
        claim("over 1.7 times", effect, "greater", "factor", than=1.7)
    near = Effect(0.52, 0.48, 0.56, 5)
    claim("within 10 points of 50 %", near, "equivalent", "accuracy", than=0.5, margin=0.1)
    with pytest.raises(ClaimError):
        claim("within 5 points of 50 %", near, "equivalent", "accuracy", than=0.5, margin=0.05)


@pytest.mark.parametrize(
    ("effect", "metric", "options", "shown"),
    [
        (Effect(0.0312, 0.0221, 0.0403, 20), "accuracy", {}, "+3.1 points [2.2, 4.0]"),
        (Effect(0.03, 0.03, 0.03, 9), "accuracy", {}, "+3 points, the same in all 9 runs"),
        (Effect(0.999, 0.998, 1.0, 9), "share", {"than": 0.99}, "99.9 % [99.8, 100.0]"),
        (Effect(-0.0001, -0.002, 0.0018, 9), "accuracy", {"than": -0.99}, "0.0 points [-0.2, 0.2]"),
        (Effect(0.0957, 0.07, 0.12, 9), "cross-entropy", {}, "+0.10 nats [0.07, 0.12]"),
        (Effect(0.6, 0.5, 0.7, 9), "squared error", {}, "×1.8 [1.6, 2.0]"),
        (Effect(3e-8, 1e-8, 5e-8, 9), "factor", {}, "×1.0000 [1.0000, 1.0000]"),
        (Effect(21.82, 17.7, 25.9, 9), "epochs", {}, "+22 epochs [18, 26]"),
        (Effect(0.37, 0.35, 0.41, 9), "share", {}, "+37 % [35, 41]"),
    ],
)
def test_effects_are_shown_in_natural_units(effect, metric, options, shown, capsys):
    claim("over 99 %", effect, "greater", metric, **options)
    assert capsys.readouterr().out == f"✓ over 99 %: {shown}\n"


@pytest.mark.parametrize(
    ("scope", "verdict"),
    [
        ("fixed draw", "holds on one fixed draw"),
        ("recorded", "holds in a recorded run"),
        ("machine", "holds on this machine"),
    ],
)
def test_what_new_seeds_cant_change_is_called_so(scope, verdict, capsys):
    assert claim("it does", EFFECT, "greater", "accuracy", scope=scope).verdict == verdict
    assert capsys.readouterr().out.endswith(f"({verdict})\n")
    with pytest.raises(ClaimError):
        claim("it doesn't", EFFECT, "less", "accuracy", scope=scope)


def test_a_terminal_without_the_mark_gets_another(monkeypatch):
    plain = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr("sys.stdout", plain)
    claim("δ is −1", Effect(-1, -2, -0.5, 3), "less", "points")
    plain.flush()
    printed = plain.buffer.getvalue().decode("cp1252")
    assert printed.strip() == "? ? is ?1: -1.0 points [-2.0, -0.5]"


def test_a_journal_takes_the_place_of_stopping(monkeypatch, tmp_path):
    journal = tmp_path / "claims.jsonl"
    monkeypatch.setenv("BOOK_CLAIMS", str(journal))
    claim("it does", EFFECT, "greater", "accuracy")
    claim("it doesn't", EFFECT, "less", "accuracy")
    claim("alike", EFFECT, "equivalent", "accuracy", scope="recorded")
    lines = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    assert [line["verdict"] for line in lines] == ["holds", "contradicted", "contradicted"]
    assert [line["turned"] for line in lines] == [False, True, False]
    assert [line["scope"] for line in lines] == [None, None, "recorded"]
    assert lines[0]["shown"] == "+3 points [1, 5]" and lines[0]["bound"] == "> 0"


def test_equal_values_are_no_error():
    assert mean_interval([2.0, 2.0, 2.0]) == Effect(2.0, 2.0, 2.0, 3)


def test_no_difference_is_not_shown_by_too_few_runs():
    with pytest.raises(ClaimError):
        claim("no effect", mean_interval([-1.0, 1.0]), "equivalent", "accuracy")


@pytest.mark.parametrize("alternative", ["greater", "less"])
@pytest.mark.parametrize("data", [STAND_IN, [REAL, STAND_IN]])
def test_claims_on_stand_ins_neither_pass_nor_fail(alternative, data, capsys):
    made = claim("about images", EFFECT, alternative, "accuracy", data=data)
    assert made.verdict == "not tested (stand-in data)"
    assert capsys.readouterr().out.startswith("– about images: ")


def test_claims_on_real_data_are_tested():
    assert claim("about images", EFFECT, "greater", "accuracy", data=REAL).verdict == "holds"
    with pytest.raises(ClaimError):
        claim("about images", EFFECT, "less", "accuracy", data=[REAL, REAL])


def test_running_a_cell_again_replaces_its_claim():
    claim("first", EFFECT, "greater", "accuracy")
    claim("second", EFFECT, "greater", "accuracy")
    claim("first, over 2 %", EFFECT, "greater", "points")
    claim("first", EFFECT, "greater", "accuracy", scope="machine")
    frame = claims_table().frame
    assert frame["claim"].tolist() == ["first", "second", "first, over 2 %"]
    assert frame["verdict"].tolist() == ["holds on this machine", "holds", "holds"]


def test_table_is_readable_everywhere():
    claim("a < b & c", EFFECT, "greater", "accuracy")
    page = claims_table()._repr_html_()
    assert "a &lt; b &amp; c" in page
    assert "<th></th>" not in page
    assert 'class="dataframe claims"' in page and 'border="1"' not in page
    assert '<tr style="text-align: left;">' in page
    (first,) = claims_table().frame.to_dict("records")
    assert first == {
        "claim": "a < b & c",
        "effect": "+3 points [1, 5]",
        "runs": 10,
        "claimed": "> 0",
        "verdict": "holds",
    }
    assert repr(claims_table()).splitlines()[1].split()[:5] == ["a", "<", "b", "&", "c"]


@pytest.mark.parametrize(
    ("alternative", "options", "message"),
    [
        ("more", {}, "alternative must be one of .*'equivalent'.*, not 'more'"),
        ("greater", {"scope": "once"}, "scope must be one of .*'recorded'.*, not 'once'"),
        ("greater", {"than": np.nan}, "than = nan doesn't stand in the sentence"),
        ("equivalent", {"margin": 0}, "margin"),
        ("equivalent", {"margin": -1}, "margin must be positive"),
    ],
)
def test_bad_arguments_are_named_and_leave_no_claim(alternative, options, message):
    with pytest.raises(ValueError, match=message):
        claim("1 or 0", EFFECT, alternative, "accuracy", **options)
    with pytest.raises(ValueError, match="no claim was made yet"):
        claims_table()


def test_a_factor_is_compared_with_a_factor():
    with pytest.raises(ValueError, match="than must be positive, not -2"):
        claim("over 2", EFFECT, "greater", "factor", than=-2)


def test_empty_table_is_an_error():
    with pytest.raises(ValueError, match=r"^claims_table: no claim was made yet; run the cells"):
        claims_table()
