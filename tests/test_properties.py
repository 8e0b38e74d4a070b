"""Whatever comes in: a clear error or the right answer, never a silent wrong one."""

import functools
import html
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from utils.augment import affine_jitter
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
from utils.stack import Stack, _BatchOrder, grid

# The same examples each time, so that a red run can be repeated.
settings.register_profile(
    "book", deadline=None, derandomize=True, database=None, max_examples=50, print_blob=False
)
settings.load_profile("book")


@pytest.fixture(autouse=True, scope="module")
def no_claims_left():
    yield
    clear_claims()


def refused(name, call, *values, **options):
    """The call raises an error that begins with the name and goes on to say something."""
    with pytest.raises((ValueError, TypeError)) as caught:
        call(*values, **options)
    assert type(caught.value) in (ValueError, TypeError)  # rather than one of NumPy's or pandas's
    said = str(caught.value)
    assert said.startswith((f"{name}: ", f"{name}.")), said
    assert len(said) > len(name) + 15, said


# ---------------------------------------------------------------------------------------- evidence

NUMBERS = st.floats(-1e6, 1e6).map(lambda x: round(x, 6))
VALUES = st.lists(NUMBERS, min_size=2, max_size=12)
WRONG_SHAPES = {
    "two axes": np.ones((2, 2)),
    "empty": [],
    "empty, two axes": np.ones((0, 3)),
}


def numbers_of(effect):
    return np.array([effect.mean, effect.low, effect.high])


@given(VALUES)
def test_an_interval_is_scipys_for_any_values(values):
    assume(np.ptp(values) > 0)
    got = mean_interval(values)
    wanted = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
    scale = np.abs([*values, *wanted]).max()
    np.testing.assert_allclose((got.low, got.high), wanted, atol=1e-9 * scale)
    assert got.low <= got.mean <= got.high


@given(VALUES, st.floats(-100, 100), NUMBERS)
def test_an_interval_moves_and_stretches_with_its_values(values, factor, offset):
    assume(factor == 0 or abs(factor) > 1e-3)
    before = mean_interval(values)
    after = mean_interval(np.multiply(values, factor) + offset)
    ends = sorted([before.low * factor + offset, before.high * factor + offset])
    scale = np.abs([*values, before.low, before.high, 1]).max() * max(1, abs(factor)) + abs(offset)
    wanted = [before.mean * factor + offset, *ends]
    np.testing.assert_allclose(numbers_of(after), wanted, atol=1e-9 * scale)


@given(VALUES, st.permutations(range(12)))
def test_the_kind_of_list_and_the_order_of_runs_dont_matter(values, order):
    wanted = numbers_of(mean_interval(values))
    shuffled = [values[i] for i in order if i < len(values)]
    kinds = [
        shuffled,
        tuple(values),
        (v for v in values),
        np.array(values),
        pd.Series(values, index=range(len(values), 0, -1)),
        pd.Series(values, dtype="Float64"),
        pd.Series(values, dtype=object),
    ]
    for kind in kinds:
        np.testing.assert_allclose(numbers_of(mean_interval(kind)), wanted, rtol=1e-9, atol=1e-6)


@given(VALUES, st.integers(0, 11), st.sampled_from([np.nan, np.inf, -np.inf, None]))
def test_a_run_without_a_number_is_an_error(values, place, bad):
    good, values = values, [*values[:place], bad, *values[place:]]
    refused("mean_interval", mean_interval, values)
    index = range(len(values))
    whole = pd.Series([*good, 0.0], index=index)
    for arms in [(pd.Series(values, index=index), whole), (whole, pd.Series(values, index=index))]:
        with pytest.raises((ValueError, TypeError), match=r"^(mean_interval|paired_difference): "):
            paired_difference(*arms)


@pytest.mark.parametrize("values", WRONG_SHAPES.values(), ids=WRONG_SHAPES)
def test_wrong_shapes_are_refused(values):
    refused("mean_interval", mean_interval, values)
    refused("share_interval", share_interval, values)
    refused("mean_interval", paired_difference, values, values)
    if np.shape(values) != (2,):
        refused("paired_difference", paired_difference, [1.0, 2.0], values)


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_a_share_lies_in_its_interval_and_that_in_0_to_1(happened):
    got = share_interval(happened)
    assert 0 <= got.low <= got.mean <= got.high <= 1
    assert got.mean == sum(happened) / len(happened)
    opposite = share_interval([not value for value in happened])
    mirrored = [1 - opposite.mean, 1 - opposite.high, 1 - opposite.low]
    np.testing.assert_allclose(numbers_of(got), mirrored, atol=1e-12)
    for kind in (
        happened[::-1],
        (value for value in happened),
        np.array(happened, float),
        np.array(happened, "uint8"),
        pd.Series(happened, dtype="boolean"),
        pd.Series(happened, dtype=object),
    ):
        assert share_interval(kind) == got


@given(st.lists(st.booleans(), max_size=5), st.floats() | st.sampled_from([2, -1]))
def test_a_share_of_other_things_is_refused(happened, other):
    assume(other not in (0, 1))
    refused("share_interval", share_interval, [*happened, other])


def labels(kind, n):
    """n different labels of an index."""
    return {
        "numbers": list(range(n)),
        "texts": [f"run {i}" for i in range(n)],
        "pairs": [(i % 3, i // 3) for i in range(n)],
        "mixed": [i if i % 2 else str(i) for i in range(n)],
        "with NaN": [np.nan, *map(float, range(1, n))],
        "bools": [True, False],
        "dates": list(pd.date_range("2020", periods=n)),
    }[kind]


KINDS = ["numbers", "texts", "pairs", "mixed", "with NaN", "bools", "dates"]


@pytest.mark.parametrize("kind", KINDS)
@given(values=VALUES, data=st.data())
@settings(max_examples=15)
def test_two_series_are_paired_by_their_index_in_any_order(kind, values, data):
    names = labels(kind, len(values))
    n = len(names)
    first = np.array(values[:n])
    second = np.array(data.draw(st.lists(NUMBERS, min_size=n, max_size=n)))
    one, two = (data.draw(st.permutations(range(n))) for _ in range(2))

    def series(numbers, order):
        chosen = [names[i] for i in order]
        index = pd.MultiIndex.from_tuples(chosen) if kind == "pairs" else pd.Index(chosen)
        return pd.Series(numbers[list(order)], index=index)

    got = numbers_of(paired_difference(series(first, one), series(second, two)))
    scale = 1e-9 * max(np.abs([first, second]).max() * 100, 1)
    np.testing.assert_allclose(got, numbers_of(mean_interval(first - second)), atol=scale)
    back = paired_difference(series(second, two), series(first, one))
    np.testing.assert_allclose([back.mean, back.high, back.low], -got, atol=scale)


@given(VALUES, st.data())
def test_runs_of_one_arm_only_and_runs_that_come_twice_are_named(values, data):
    order = data.draw(st.permutations(range(len(values))))
    whole, shuffled = pd.Series(values), pd.Series(values)[order]
    lost = data.draw(st.sampled_from(order))
    for arms in [(whole, shuffled.drop(lost)), (shuffled.drop(lost), whole)]:
        with pytest.raises(ValueError, match=rf"^paired_difference: only one .* \[{lost}\]"):
            paired_difference(*arms)
    doubled = pd.concat([shuffled, shuffled[[lost]]])
    for arms in [(whole, doubled), (doubled, whole), (doubled, doubled)]:
        with pytest.raises(ValueError, match=rf"^paired_difference: .* has \[{lost}\] more than"):
            paired_difference(*arms)
    refused("paired_difference", paired_difference, values, values[1:])
    refused("paired_difference", paired_difference, np.array(values), np.array(values)[:, None])


REAL, STAND_IN = SimpleNamespace(is_real=True), SimpleNamespace(is_real=False)
EFFECTS = st.lists(st.floats(-10, 10), min_size=3, max_size=3).map(
    lambda ends: Effect(sorted(ends)[1], min(ends), max(ends), 5)
)


@given(EFFECTS, st.sampled_from(["greater", "less", "equivalent"]), st.floats(0.01, 12))
def test_a_verdict_is_where_the_interval_lies(effect, alternative, margin):
    inside = np.linspace(effect.low, effect.high, 5)
    inside[-1] = effect.high
    holds = {
        "greater": (inside > 0).all(),
        "less": (inside < 0).all(),
        "equivalent": (abs(inside) <= margin).all(),
    }[alternative]
    clear_claims()
    declare_margin("points", margin, "it is drawn")
    if holds:
        assert claim("it does", effect, alternative, "points").verdict == "holds"
    else:
        with pytest.raises(ClaimError):
            claim("it does", effect, alternative, "points")
    (verdict,) = claims_table().frame["verdict"]
    assert verdict == ("holds" if holds else "contradicted")


@given(
    EFFECTS,
    st.sampled_from(["greater", "less", "equivalent"]),
    st.lists(st.sampled_from([REAL, STAND_IN]), min_size=1, max_size=4),
    st.sampled_from([list, tuple]),
)
def test_stand_in_data_never_pass_nor_fail(effect, alternative, data, kind):
    assume(STAND_IN in data)
    clear_claims()
    made = claim("about images", effect, alternative, "accuracy", data=kind(data))
    assert made.verdict == "not tested (stand-in data)"
    assert claims_table().frame["verdict"].tolist() == [made.verdict]


TEXTS = st.text("ab <>&\"'²−é", min_size=1, max_size=90).filter(lambda text: text == text.strip())


@given(st.lists(TEXTS, min_size=1, max_size=8), st.data())
def test_the_table_has_each_text_once_with_its_last_effect(texts, data):
    texts = [*texts, data.draw(st.sampled_from(texts))]
    clear_claims()
    for i, text in enumerate(texts):
        claim(text, Effect(i + 2, i + 1, i + 3, 4), "greater", "points")
    table = claims_table()
    assert table.frame["claim"].tolist() == list(dict.fromkeys(texts))
    last = {text: f"+{i + 2} points [{i + 1}, {i + 3}]" for i, text in enumerate(texts)}
    assert dict(zip(table.frame["claim"], table.frame["effect"], strict=True)) == last
    page = html.unescape(table._repr_html_()).replace("\xa0", " ")
    for text in texts:  # in full, however long
        assert f"<td>{text}</td>" in page
        assert text in repr(table)


# ----------------------------------------------------------------------------------------- augment

AMOUNTS = st.fixed_dictionaries(
    {
        "rotation": st.floats(0, 360),
        "shift": st.floats(0, 12),
        "scale": st.floats(0, 0.9),
        "shear": st.floats(0, 2),
    }
)
STILL = {"rotation": 0, "shift": 0, "scale": 0, "shear": 0}
SHAPES = st.tuples(st.integers(1, 4), st.integers(1, 7), st.integers(1, 7))
SHAPES = SHAPES | st.tuples(SHAPES, st.integers(1, 3)).map(lambda both: (*both[0], both[1]))
SEEDS = st.tuples(st.integers(-(2**31), 2**31 - 1), st.integers(0, 2**31 - 1))
few = settings(max_examples=25)


def picture(shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype("float32")


def jitter(images, seed, amounts):
    return affine_jitter(images, seed, **amounts).numpy()


@given(SHAPES, SEEDS)
@few
def test_without_strength_images_of_any_shape_stay_as_they_are(shape, seed):
    images = picture(shape)
    np.testing.assert_allclose(jitter(images, seed, STILL), images, atol=1e-5)


@given(SHAPES, SEEDS, AMOUNTS)
@few
def test_any_dtype_comes_back_as_float32_of_the_same_shape(shape, seed, amounts):
    images = np.round(10 * np.abs(picture(shape)))
    wanted = jitter(images, seed, amounts)
    assert wanted.shape == shape
    for kind in (np.uint8, np.int64, np.float64, np.float16):
        got = jitter(images.astype(kind), seed, amounts)
        assert got.dtype == "float32"
        np.testing.assert_array_equal(got, wanted)
    np.testing.assert_array_equal(jitter(images.tolist(), seed, amounts), wanted)
    on = images > 5
    np.testing.assert_array_equal(
        jitter(on, seed, amounts), jitter(on.astype("float32"), seed, amounts)
    )


@given(SHAPES, SEEDS, AMOUNTS)
@few
def test_an_empty_batch_stays_empty(shape, seed, amounts):
    assert jitter(np.zeros((0, *shape[1:])), seed, amounts).shape == (0, *shape[1:])


@given(st.tuples(st.integers(0, 255), st.integers(0, 255)), AMOUNTS)
@few
def test_the_same_seed_in_any_form_gives_the_same_change(seed, amounts):
    images = picture((2, 5, 6))
    wanted = jitter(images, seed, amounts)
    for form in (
        list(seed),
        np.array(seed),
        np.array(seed, "uint8"),
        np.array(seed, "uint32"),
        tf.constant(seed, tf.int32),
        tf.constant(seed, tf.int64),
        (np.int64(seed[0]), seed[1]),
    ):
        np.testing.assert_array_equal(jitter(images, form, amounts), wanted)


@given(SHAPES, SEEDS, AMOUNTS, st.sampled_from([0.0, 1e30, np.nan, np.inf]))
@few
def test_an_image_changes_in_the_same_way_whatever_the_others_hold(shape, seed, amounts, fill):
    images = picture((3, *shape[1:]))
    others = np.full_like(images, fill)
    others[1] = images[1]
    np.testing.assert_array_equal(
        jitter(others, seed, amounts)[1], jitter(images, seed, amounts)[1]
    )


@given(st.integers(1, 6), st.integers(1, 6), SEEDS, AMOUNTS)
@few
def test_channels_move_together(height, width, seed, amounts):
    images = picture((3, height, width, 2))
    moved = jitter(images, seed, amounts)
    for c in range(2):
        np.testing.assert_allclose(
            moved[..., c], jitter(images[..., c], seed, amounts), rtol=1e-5, atol=1e-6
        )


@given(SHAPES, SEEDS, AMOUNTS, st.floats(-3, 3))
@few
def test_the_change_is_linear_in_the_images(shape, seed, amounts, factor):
    one, two = picture(shape), picture(shape, 1)
    whole = jitter(one + factor * two, seed, amounts)
    parts = jitter(one, seed, amounts) + factor * jitter(two, seed, amounts)
    np.testing.assert_allclose(whole, parts, atol=1e-4)


@given(SHAPES, SEEDS, AMOUNTS)
@settings(max_examples=50)
def test_values_stay_between_the_images_own_and_zero(shape, seed, amounts):
    images = picture(shape)
    moved = jitter(images, seed, amounts)
    assert np.isfinite(moved).all()
    axes = tuple(range(1, len(shape)))
    slack = 1e-5 * np.abs(images).max(axes)
    assert (moved.min(axes) >= np.minimum(images.min(axes), 0) - slack).all()
    assert (moved.max(axes) <= np.maximum(images.max(axes), 0) + slack).all()
    np.testing.assert_array_equal(jitter(np.zeros_like(images), seed, amounts), 0)


@given(SEEDS, st.integers(1, 4), st.integers(9, 14))
@few
def test_whole_pixels_are_shifted_by_hand(seed, pixels, width):
    draw = tf.random.stateless_uniform((5, 1), seed, -1.0, 1.0).numpy()[:, 0]
    assume(abs(draw[3]) > 0.2)
    # All rows are the same, and there are enough that those from outside don't reach the middle.
    line = picture((1, width))[0]
    images = np.tile(line, (1, 61, 1))
    moved = jitter(images, seed, {**STILL, "shift": float(pixels / abs(draw[3]))})[0, 30]
    wanted = np.zeros(width)
    if draw[3] > 0:
        wanted[pixels:] = line[:-pixels]
    else:
        wanted[:-pixels] = line[pixels:]
    np.testing.assert_allclose(moved, wanted, atol=1e-3)


def test_a_pixel_that_is_nan_stays_nan():
    images = picture((2, 5, 5))
    images[0, 2, 3] = np.nan
    moved = jitter(images, (0, 1), STILL)
    assert np.isnan(moved[0, 2, 3])
    np.testing.assert_allclose(moved[1], images[1], atol=1e-5)


@pytest.mark.parametrize("scale", [1, 2.0, -0.1, np.nan])
def test_an_impossible_scale_is_refused(scale):
    refused("affine_jitter", affine_jitter, picture((2, 4, 4)), (0, 1), scale=scale)


@pytest.mark.parametrize("shape", [(3, 3), (1, 1, 1, 1, 1), (2, 0, 5), (2, 5, 0)], ids=str)
def test_impossible_images_are_refused(shape):
    refused("affine_jitter", affine_jitter, np.zeros(shape), (0, 1))


def test_an_unknown_height_is_an_error_where_the_graph_is_made():
    moved = tf.function(lambda images: affine_jitter(images, (0, 1)))
    for shape in ((None, None, 5), (None, 5, None), None):
        with pytest.raises(ValueError, match="affine_jitter: images must have the shape"):
            moved.get_concrete_function(tf.TensorSpec(shape, tf.float32))
    moved.get_concrete_function(tf.TensorSpec((None, 5, 5), tf.float32))


# ------------------------------------------------------------------------------------------- stack

X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
Y = (X[:, 0] * X[:, 1] > 0).astype(int)
# A run with every setting, runs with one, a run with none, and one that diverges.
POOL = pd.DataFrame(
    [
        {"seed": 1},
        {"seed": 1, "l1": 0.02, "learning_rate": 0.02},
        {"seed": 2, "l2": 0.1, "n_train": 7},
        {"seed": 3, "dropout": 0.4},
        {"seed": 3, "weight_decay": 1e15},
        {"seed": 1, "l1": 0.01, "l2": 0.1, "dropout": 0.3, "weight_decay": 0.5, "n_train": 4},
    ]
)
POOL = POOL.fillna({"l1": 0, "l2": 0, "dropout": 0, "weight_decay": 0})
DIVERGES = 4
# A stack takes seconds, so a failing example isn't made smaller.
as_found = settings(max_examples=3, phases=[Phase.explicit, Phase.generate])


def trained(runs, batch_size=None, epochs=12, **options):
    stack = Stack(runs, **{"inputs": 3, "units": (5,), **options})
    rows = runs.get("n_train", pd.Series(12.0, index=runs.index)).fillna(12)
    if batch_size is not None:  # an epoch is a pass over the largest training set
        epochs = epochs * 12 // int(rows.max())
    stack.history = stack.fit(X, Y, epochs=epochs, batch_size=batch_size, record_every=epochs)
    return stack


def result(stack, run):
    """All that training made of a run."""
    weights = [w.numpy()[run].ravel() for w in stack.kernels + stack.biases]
    moments = [m.numpy()[run].ravel() for pair in stack.moments for m in pair]
    history = stack.history[stack.history["run"] == run]["value"]
    return np.concatenate([*weights, *moments, stack.predict(X)[run], history])


@functools.cache
def whole_pool(normalization):
    stack = trained(POOL, normalization=normalization)
    return [result(stack, run) for run in range(len(POOL))]


@pytest.mark.parametrize("normalization", [None, "batch"])
@given(st.lists(st.sampled_from(range(len(POOL))), min_size=1, max_size=5))
@as_found
def test_a_run_doesnt_depend_on_its_company_nor_its_place(normalization, chosen):
    wanted = whole_pool(normalization)
    stack = trained(POOL.iloc[chosen], normalization=normalization)
    for place, run in enumerate(chosen):
        np.testing.assert_allclose(result(stack, place), wanted[run], atol=2e-5, rtol=1e-4)


def test_a_run_that_diverges_says_so_and_spoils_no_other():
    results = whole_pool(None)
    assert np.isnan(results[DIVERGES]).any()
    assert np.isnan(results[DIVERGES][-2])  # its loss in the history
    assert all(np.isfinite(r).all() for run, r in enumerate(results) if run != DIVERGES)


def test_the_order_of_runs_doesnt_matter_in_small_batches():
    order = [2, 3, 0, 1]
    runs = pd.DataFrame({"seed": [1, 2, 1, 3], "l2": [0, 0.1, 0.1, 0], "n_train": [12, 12, 7, 5]})
    wanted, got = (trained(frame, batch_size=4) for frame in (runs, runs.iloc[order]))
    for place, run in enumerate(order):
        np.testing.assert_allclose(result(got, place), result(wanted, run), atol=2e-5)


def test_a_coefficient_of_zero_is_no_coefficient():
    none = result(trained(grid(seed=[5])), 0)
    zeros = {"l1": [0], "l2": [0.0], "dropout": [0], "weight_decay": [False], "seed": [5]}
    np.testing.assert_allclose(result(trained(pd.DataFrame(zeros)), 0), none, atol=1e-6)
    stack = Stack(grid(seed=[5]), inputs=3, units=(5,))
    for value in (0.3, 0):
        stack.set(l1=value, l2=value, dropout=value, weight_decay=value)
    stack.history = stack.fit(X, Y, epochs=12, record_every=12)
    np.testing.assert_allclose(result(stack, 0), none, atol=1e-6)


def test_the_largest_penalties_leave_almost_no_weights_and_no_nan():
    runs = pd.DataFrame({"l2": [1e3, 1e15, 0, 0], "l1": [0, 0, 1e3, 1e15]})
    stack = trained(runs, epochs=1500, optimizer=keras.optimizers.Adam(1e-2))
    for kernel in stack.kernels:
        assert np.abs(kernel.numpy()).max() < 0.03
    assert np.isfinite(stack.history["value"]).all()
    # What is left are the biases: each run predicts the share of the ones.
    np.testing.assert_allclose(stack.predict(X), Y.mean(), atol=0.02)


IMPOSSIBLE = [
    *((name, value) for name in ("l1", "l2", "weight_decay") for value in (-1, np.nan, np.inf)),
    *(("dropout", value) for value in (-0.1, 1, 95, np.nan)),
    *(("n_train", value) for value in (0, -1, 2.5, np.inf)),
    *(("learning_rate", value) for value in (0, -1e-3, np.inf)),
    *(("seed", value) for value in (-1, 0.5, np.nan)),
]


@pytest.mark.parametrize(("name", "value"), IMPOSSIBLE)
def test_an_impossible_setting_is_refused_by_name(name, value):
    fine = 0.5 if name == "dropout" else 1
    with pytest.raises(ValueError, match=f"^Stack: {name} must be .*, not {value}"):
        Stack(pd.DataFrame({name: [fine, value]}), inputs=3, units=())


@pytest.mark.parametrize(
    "options",
    [
        {"runs": pd.DataFrame({"l2": []})},
        {"inputs": 0},
        {"units": (4, -1)},
        {"outputs": 2},
        {"outputs": 1, "task": "multiclass"},
        {"outputs": 0, "task": "regression"},
        {"task": "multi"},
        {"normalization": True},
    ],
    ids=lambda options: next(iter(options)),
)
def test_networks_that_would_be_silently_wrong_are_refused(options):
    refused("Stack", Stack, **{"runs": grid(seed=[0]), "inputs": 3, "units": (4,), **options})


def test_an_optimizer_serves_one_stack():
    optimizer = keras.optimizers.Adam(0.1)
    Stack(grid(seed=[0]), inputs=3, units=(4,), optimizer=optimizer)
    refused("Stack", Stack, grid(seed=[0]), inputs=3, units=(4,), optimizer=optimizer)


def small(task="binary", outputs=1, runs=2):
    return Stack(grid(seed=range(runs)), inputs=3, units=(), outputs=outputs, task=task)


def at(array, place, value):
    changed = np.array(array, np.result_type(array, value))
    changed[place] = value
    return changed


@pytest.mark.parametrize("call", ["fit", "evaluate", "predict"])
@pytest.mark.parametrize(
    "x",
    [
        at(X, (3, 1), np.nan),
        at(X, (3, 1), -np.inf),
        at(X.astype(float), (3, 1), 1e39),  # infinite as float32
        X[:, :2],
        X[0],
        X[None],
        np.stack([X] * 3),
        X[:0],
        X[:, :0],
        np.stack([X, X])[:, :0],
    ],
    ids=lambda x: f"{type(x).__name__}{np.shape(x) if isinstance(x, np.ndarray) else ''}",
)
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_impossible_features_are_refused(call, x):
    stack = small()
    calls = {
        "fit": lambda: stack.fit(x, Y, epochs=1),
        "evaluate": lambda: stack.evaluate(x, Y),
        "predict": lambda: stack.predict(x),
    }
    refused("Stack", calls[call])
    if call == "fit":
        refused("Stack", lambda: stack.fit(X, Y, epochs=1, evaluate_on={"test": (x, Y)}))


@pytest.mark.parametrize(
    ("task", "y"),
    [
        ("binary", Y - 1),
        ("binary", 2 * Y - 1),
        ("binary", Y + 1),
        ("binary", at(Y, 0, 2**40)),
        ("binary", Y + 0.5),
        ("binary", at(Y, 0, np.nan)),
        ("binary", Y[:-1]),
        ("binary", Y[:, None]),
        ("binary", np.stack([Y] * 3)),
        ("binary", []),
        ("binary", 1),
        ("binary", None),
        ("binary", Y.astype(str)),
        ("binary", [None] * 12),
        ("multiclass", Y + 2),
        ("multiclass", -Y),
        ("multiclass", 0.5),
        ("multiclass", np.full((12, 3), np.nan)),
        ("multiclass", np.full((12, 3), 0.5)),
        ("multiclass", np.full((12, 2), 0.5)),
        ("multiclass", np.eye(3, dtype=int)[Y]),
        ("regression", at(X[:, 0], 0, np.inf)),
        ("regression", at(X[:, 0].astype(float), 0, 1e39)),  # infinite as float32
        ("regression", X[:, :1]),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_impossible_targets_are_refused(task, y):
    stack = small(task, outputs=3 if task == "multiclass" else 1)
    refused("Stack", lambda: stack.fit(X, y, epochs=1))
    refused("Stack", lambda: stack.evaluate(X, y))


@pytest.mark.parametrize(
    "options",
    [
        {"epochs": -1},
        {"batch_size": 0},
        {"batch_size": -4},
        {"record_every": 0},
        {"evaluate_on": {"train": (X, Y)}},  # the name of the training split
        {"validation": (X, Y), "evaluate_on": {"validation": (X, Y)}},
    ],
    ids=lambda options: next(iter(options)),
)
def test_impossible_training_is_refused(options):
    refused("Stack", lambda: small().fit(X, Y, **{"epochs": 1, **options}))


@pytest.mark.parametrize(
    "value",
    [[1.0, 2.0, 3.0], -1, pd.Series([0.3, 0.4], index=[5, 6])],
    ids=["too many", "negative", "other rows"],
)
def test_a_refused_change_changes_nothing(value):
    stack = small()
    stack.set(l2=[0.1, 0.2])
    with pytest.raises(ValueError):
        stack.set(l2=value)
    refused("Stack", stack.set, l3=0.1)
    assert stack.runs["l2"].tolist() == [0.1, 0.2]
    np.testing.assert_allclose(stack._coefficients["l2"].numpy(), [0.1, 0.2])


def test_a_changed_series_is_matched_by_its_index():
    stack = small()
    stack.set(l2=pd.Series([0.2, 0.1], index=[1, 0]))
    assert stack.runs["l2"].tolist() == [0.1, 0.2]
    np.testing.assert_allclose(stack._coefficients["l2"].numpy(), [0.1, 0.2])


@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
@pytest.mark.parametrize("rows", [1, 12])
def test_one_row_and_one_class_are_learnt(normalization, rows):
    runs = pd.DataFrame({"n_train": [1, rows]})
    options = {"optimizer": keras.optimizers.Adam(0.05), "normalization": normalization}
    stack = Stack(runs, inputs=3, units=(4,), **options)
    history = stack.fit(X[:rows], np.ones(rows), epochs=150, record_every=150)
    assert np.isfinite(history["value"]).all()
    value = history.pivot(index="run", columns="metric", values="value")
    assert (value["accuracy"] > 0.999).all()
    assert (value["loss"] < 0.1).all()
    assert stack.predict(X[:1]).shape == (2, 1)
    assert (stack.predict(X[:1]) > 0.5).all()


def test_the_form_of_the_data_doesnt_matter():
    stack = small("multiclass", outputs=3)
    x = np.round(10 * X)
    wanted = stack.predict(x), stack.evaluate(x, Y)["loss"]
    for form in (
        x.tolist(),
        x.astype(int),
        x.astype(object),
        pd.DataFrame(x, index=range(12, 0, -1)),
        tf.constant(x),
        np.stack([x, x]),
        np.asfortranarray(x),
    ):
        np.testing.assert_allclose(stack.predict(form), wanted[0], atol=1e-6)
    for form in (
        Y.tolist(),
        Y == 1,
        Y.astype("uint8"),
        Y.astype(float),
        Y.astype(object),
        pd.Series(Y, dtype="Int64"),
        np.eye(3)[Y],
        np.stack([Y, Y]),
    ):
        np.testing.assert_allclose(stack.evaluate(x, form)["loss"], wanted[1], rtol=1e-5)


def test_labels_as_floats_are_labels_with_as_many_rows_as_classes_too():
    stack = small("multiclass", outputs=3)
    wanted = stack.evaluate(X[:3], [0, 2, 1])["loss"]
    for y in ([0.0, 2.0, 1.0], [[0.0, 2.0, 1.0]] * 2, np.eye(3)[[0, 2, 1]]):
        np.testing.assert_allclose(stack.evaluate(X[:3], y)["loss"], wanted, rtol=1e-6)


@functools.cache
def predicted():
    stack = trained(POOL.drop(index=DIVERGES), normalization="batch")
    return stack, stack.predict(X)


@given(st.lists(st.sampled_from(range(12)), min_size=12, max_size=12))
@settings(max_examples=8)
def test_a_prediction_is_a_rows_own(rows):
    stack, wanted = predicted()
    np.testing.assert_allclose(stack.predict(X[rows]), wanted[:, rows], atol=1e-6)


def test_columns_with_the_names_of_the_historys_are_kept_as_labels():
    runs = pd.DataFrame(
        {name: [10, 20] for name in ("run", "epoch", "split", "metric", "value", "other")}
    )
    history = Stack(runs, inputs=3, units=()).fit(X, Y, epochs=2, evaluate_on={"test": (X, Y)})
    assert history.columns.is_unique
    assert set(history["run"]) == {0, 1}
    assert set(history["split"]) == {"train", "test"}
    for name in ("run_label", "epoch_label", "split_label", "metric_label", "value_label", "other"):
        assert (history[name] == 10 * (history["run"] + 1)).all()


KEYS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(1, 9), st.integers(1, 9)).map(
        lambda key: (*key[:2], min(key[1:]))
    ),
    min_size=1,
    max_size=5,
)


@given(KEYS, st.integers(0, 5), st.integers(0, 5), st.integers(0, 9))
def test_a_runs_batches_are_its_own_in_any_company(keys, now, later, start):
    together = _BatchOrder(*zip(*keys, strict=True), start)
    parts = np.concatenate([together.take(now, 9), together.take(later, 9)])
    assert parts.shape == (now + later, len(keys), 9)
    for run, key in enumerate(keys):
        alone = _BatchOrder(*zip(key, strict=True), start).take(now + later, 9)[:, 0]
        np.testing.assert_array_equal(parts[:, run], alone)
        _, n_train, size = key
        assert (alone[:, size:] == 0).all() and (alone < n_train).all()
        counts = np.bincount(alone[:, :size].ravel(), minlength=n_train)
        assert counts.max() - counts.min() <= 1  # whole passes, but for the last


@given(
    st.dictionaries(
        st.sampled_from(["seed", "l2", "arm"]), st.lists(NUMBERS, max_size=3), min_size=1
    )
)
def test_a_grid_has_every_combination_once_or_names_the_empty_column(columns):
    empty = [name for name, values in columns.items() if not values]
    if empty:
        with pytest.raises(ValueError, match=f"^grid: column {empty[0]!r} must be a list"):
            grid(**columns)
        return
    frame = grid(**{name: iter(values) for name, values in columns.items()})
    assert list(frame) == list(columns)
    assert len(frame) == np.prod([len(values) for values in columns.values()])
    for name, values in columns.items():
        counts = frame[name].value_counts()
        for value in values:
            assert counts[value] == values.count(value) * len(frame) / len(values)


def test_a_text_isnt_a_grid_column():
    refused("grid", grid, seed=[0], arm="relu")
