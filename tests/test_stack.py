"""The stack is exact: every run follows the path that it would follow alone."""

from functools import partial

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from keras.optimizers import SGD, Adadelta, Adafactor, Adagrad, Adam, RMSprop
from keras.optimizers.schedules import CosineDecay

from utils.stack import Stack, _BatchOrder, grid

STEPS = 25


@pytest.fixture(scope="module")
def moons():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(24, 3)).astype("float32")
    return x, (x[:, 0] * x[:, 1] > 0).astype(int)


def alone(run, weights, x, y, batches, optimizer, loss):
    """The same run as a plain Keras model, trained batch by batch."""
    model = keras.Sequential([keras.Input((x.shape[-1],))])
    for layer, (kernel, _) in enumerate(weights):
        model.add(
            keras.layers.Dense(
                kernel.shape[1],
                activation="relu" if layer < len(weights) - 1 else None,
                kernel_regularizer=keras.regularizers.L1L2(run["l1"], run["l2"]),
            )
        )
        model.layers[-1].set_weights([kernel, bias_of(weights[layer])])
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model.compile(optimizer, loss)
    for rows in batches:
        model.train_on_batch(x[rows], y[rows])
    return [layer.get_weights() for layer in model.layers]


def bias_of(weights):
    return weights[1].reshape(-1)


def slices(stack, run):
    pairs = zip(stack.kernels, stack.biases, strict=True)
    return [(k.numpy()[run].copy(), b.numpy()[run].copy()) for k, b in pairs]


CASES = {
    "plain": {},
    "l1": {"l1": 1e-2},
    "l2": {"l2": 3e-2},
    "both": {"l1": 1e-2, "l2": 3e-2},
    "decay": {"weight_decay": 0.3},
    "few rows": {"n_train": 7},
    "few rows and l2": {"n_train": 10, "l2": 1e-2},
}


@pytest.mark.parametrize("batch_size", [None, 8])
@pytest.mark.parametrize(
    ("task", "outputs", "loss"),
    [
        ("binary", 1, keras.losses.BinaryCrossentropy(from_logits=True)),
        ("multiclass", 3, keras.losses.SparseCategoricalCrossentropy(from_logits=True)),
        ("regression", 2, keras.losses.MeanSquaredError()),
    ],
)
def test_every_run_equals_a_separate_keras_model(moons, task, outputs, loss, batch_size):
    x, y = moons
    if task == "multiclass":
        y = y + (x[:, 2] > 0.5)
    if task == "regression":
        y = np.stack([x[:, 0] ** 2, x[:, 1]], axis=1)
    runs = pd.DataFrame([{"seed": i % 3, **case} for i, case in enumerate(CASES.values())])
    runs = runs.fillna({"l1": 0, "l2": 0, "weight_decay": 0})
    stack = Stack(runs, inputs=3, units=(8, 5), outputs=outputs, task=task)
    before = [slices(stack, run) for run in range(len(runs))]
    n_train = runs["n_train"].fillna(24).astype(int).to_numpy()
    sizes = np.minimum(batch_size or 24, n_train)
    per_epoch = int(np.ceil(24 / (batch_size or 24)))
    order = _BatchOrder(runs["seed"], n_train, sizes).take(STEPS * per_epoch, 24)

    stack.fit(x, y, epochs=STEPS, batch_size=batch_size, record_every=STEPS)

    for run, settings in runs.iterrows():
        if batch_size is None:
            batches = [np.arange(n_train[run])] * STEPS
        else:
            batches = [step[run, : sizes[run]] for step in order]
        optimizer = keras.optimizers.AdamW(1e-3, weight_decay=settings["weight_decay"])
        target = y if y.ndim == 2 else y[:, None] if task == "binary" else y
        expected = alone(settings, before[run], x, target, batches, optimizer, loss)
        for got, wanted in zip(slices(stack, run), expected, strict=True):
            np.testing.assert_allclose(got[0], wanted[0], atol=2e-5, err_msg=list(CASES)[run])
            np.testing.assert_allclose(bias_of(got), wanted[1], atol=2e-5)


@pytest.mark.parametrize(
    ("optimizer", "decay"),
    [
        (partial(SGD, 0.1, momentum=0.9, nesterov=True), 0.0),
        (partial(Adam, 1e-2), 0.3),
        (partial(Adagrad, 0.1), 0.0),
        (partial(RMSprop, 1e-2, centered=True, momentum=0.5), 0.0),
        (partial(Adadelta, 1.0), 0.0),
    ],
    ids=lambda value: value.func.__name__ if isinstance(value, partial) else None,
)
def test_own_learning_rates_equal_separate_keras_models(moons, optimizer, decay):
    x, y = moons
    runs = pd.DataFrame({"learning_rate": [3e-3, np.nan, 0.05], "weight_decay": decay})
    stack = Stack(runs, inputs=3, units=(8,), optimizer=optimizer())
    settings = optimizer().get_config()
    before = [slices(stack, run) for run in range(len(runs))]
    stack.fit(x, y, epochs=STEPS)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    for run, rate in enumerate(runs["learning_rate"]):
        own = settings if np.isnan(rate) else {**settings, "learning_rate": rate}
        single = optimizer.func.from_config(own)
        if decay:
            single = keras.optimizers.AdamW(own["learning_rate"], weight_decay=decay)
        batches = [np.arange(len(x))] * STEPS
        plain = {"l1": 0, "l2": 0}
        expected = alone(plain, before[run], x, y[:, None], batches, single, loss)
        for got, wanted in zip(slices(stack, run), expected, strict=True):
            np.testing.assert_allclose(got[0], wanted[0], atol=2e-5)
            np.testing.assert_allclose(bias_of(got), wanted[1], atol=2e-5)


@pytest.mark.parametrize("normalization", ["batch", "layer"])
def test_normalized_runs_equal_separate_keras_models(moons, normalization):
    x, y = moons
    runs = pd.DataFrame({"seed": [0, 1], "n_train": [10, 24]})
    sizes = {"inputs": 3, "units": (8, 5), "normalization": normalization}
    stack = Stack(runs, **sizes)
    alone = [stack.model(run) for run in range(2)]
    order = _BatchOrder(runs["seed"], [10, 24], [8, 8]).take(STEPS * 3, 8)
    stack.fit(x, y, epochs=STEPS, batch_size=8, record_every=10)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    for run, model in enumerate(alone):
        model.compile("adam", loss)
        for step in order:
            model.train_on_batch(x[step[run]], y[step[run], None])
        for got, wanted in zip(stack.model(run).get_weights(), model.get_weights(), strict=True):
            np.testing.assert_allclose(got, wanted, atol=5e-5)
        expected = keras.ops.sigmoid(model(x))[:, 0]
        np.testing.assert_allclose(stack.predict(x)[run], expected, atol=1e-4)


def test_padding_does_not_enter_the_batch_statistics(moons):
    x, y = moons
    runs = pd.DataFrame({"seed": 0, "n_train": [5, 24]})
    alone, together = (
        Stack(frame, inputs=3, units=(8,), normalization="batch") for frame in (runs[:1], runs)
    )
    alone.fit(x, y, epochs=3)
    together.fit(x, y, epochs=3)
    for a, b in zip(alone.moments[0], together.moments[0], strict=True):
        np.testing.assert_allclose(a.numpy()[0], b.numpy()[0], atol=1e-6)


@pytest.mark.parametrize("own", [False, True])
def test_soft_labels_equal_a_separate_keras_model(moons, own):
    x, _ = moons
    y = np.random.default_rng(0).dirichlet([1, 1, 1], size=(2, 24) if own else 24)
    stack = Stack(grid(seed=[0, 1]), inputs=3, units=(8,), outputs=3, task="multiclass")
    before = slices(stack, 1)
    classes = y.argmax(axis=-1)
    history = stack.fit(x, y, epochs=STEPS, evaluate_on={"hard": (x, classes)})
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    batches, target = [np.arange(24)] * STEPS, y[1] if own else y
    plain = {"l1": 0, "l2": 0}
    expected = alone(plain, before, x, target, batches, keras.optimizers.Adam(), loss)
    for got, wanted in zip(slices(stack, 1), expected, strict=True):
        np.testing.assert_allclose(got[0], wanted[0], atol=2e-5)
    right = history[history["metric"] == "accuracy"].set_index(["split", "run", "epoch"])["value"]
    np.testing.assert_allclose(right["train"], right["hard"])
    one_hot = np.eye(3)[classes]
    np.testing.assert_allclose(
        stack.evaluate(x, one_hot)["loss"], stack.evaluate(x, classes)["loss"], rtol=1e-6
    )


@pytest.mark.parametrize("optimizer", [partial(SGD, 0.1, momentum=0.9), partial(RMSprop, 1e-2)])
def test_a_run_alone_equals_the_run_in_a_stack(moons, optimizer):
    x, y = moons
    runs = grid(l2=[0, 1e-2], dropout=[0.0, 0.4], n_train=[9, 24], seed=[3, 4])
    together = Stack(runs, inputs=3, units=(8, 6), optimizer=optimizer())
    together.fit(x, y, epochs=20, batch_size=12, record_every=7)
    for run in (0, 7, 13):
        single = Stack(runs.iloc[[run]], inputs=3, units=(8, 6), optimizer=optimizer())
        if runs["n_train"][run] == 24:  # an epoch is a pass over the largest training set
            single.fit(x, y, epochs=20, batch_size=12, record_every=20)
        else:
            single.fit(x, y, epochs=40, batch_size=9, record_every=40)
        for (k, b), (k1, b1) in zip(slices(together, run), slices(single, 0), strict=True):
            np.testing.assert_allclose(k, k1, atol=1e-5)
            np.testing.assert_allclose(b, b1, atol=1e-5)


def compiled_masks(stack):
    """The masks as training draws them: outside of a compiled function the numbers are others."""
    return tf.function(stack._masks, jit_compile=True)


def test_dropout_masks_follow_the_seed_alone():
    stack = Stack(
        pd.DataFrame({"seed": [1, 1, 2], "dropout": [0.3, 0.6, 0.3]}), inputs=2, units=(400, 300)
    )
    draw = compiled_masks(stack)
    first, second = (mask.numpy() for mask in draw(50, tf.constant(7)))
    for mask in (first, second):
        assert np.mean(mask[0] > 0) == pytest.approx(0.7, abs=0.02)
        np.testing.assert_allclose(np.unique(mask[0]), [0, 1 / 0.7], rtol=1e-6)
        # Same seed: what the higher rate keeps, the lower keeps, too.
        assert not np.any((mask[1] > 0) & (mask[0] == 0))
        # Other seed: independent, so both keep a unit with probability 0.7².
        assert np.mean((mask[0] > 0) & (mask[2] > 0)) == pytest.approx(0.49, abs=0.02)
    assert not np.array_equal(first[0], draw(50, tf.constant(8))[0].numpy()[0])
    np.testing.assert_array_equal(first[:, :20], draw(20, tf.constant(7))[0].numpy())


def test_each_step_and_layer_has_masks_of_its_own():
    stack = Stack(grid(seed=[0], dropout=[0.5]), inputs=2, units=(30, 30))
    draw = compiled_masks(stack)
    masks = {mask.numpy().tobytes() for step in range(6) for mask in draw(4, tf.constant(step))}
    assert len(masks) == 12


def test_dropout_multiplies_hidden_units_by_each_steps_mask(moons):
    x, y = moons
    runs = grid(seed=[3], dropout=[0.0, 0.5])
    stack = Stack(runs, inputs=3, units=(6, 5), optimizer=SGD(0.1))
    draw = compiled_masks(stack)
    kernels, biases = (
        [tf.Variable(w) for w in part] for part in zip(*slices(stack, 1), strict=True)
    )
    for start in (0, 6):  # a second training goes on, with new masks and new batches
        for step, rows in enumerate(_BatchOrder([3], [24], [8], start).take(6, 8)[:, 0], start):
            masks = [mask[1] for mask in draw(8, tf.constant(step))]
            with tf.GradientTape() as tape:
                h = x[rows]
                for kernel, bias, mask in zip(kernels, biases, [*masks, None], strict=True):
                    z = h @ kernel + bias
                    h = z if mask is None else tf.nn.relu(z) * mask
                labels = tf.constant(y[rows, None], "float32")
                loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, z))
            for w, slope in zip(
                kernels + biases, tape.gradient(loss, kernels + biases), strict=True
            ):
                w.assign_sub(0.1 * slope)
        stack.fit(x, y, epochs=2, batch_size=8)
    for (k, b), kernel, bias in zip(slices(stack, 1), kernels, biases, strict=True):
        np.testing.assert_allclose(k, kernel, atol=1e-5)
        np.testing.assert_allclose(b, bias, atol=1e-5)


def test_dropout_is_off_in_evaluation_and_prediction(moons):
    x, y = moons
    stack = Stack(grid(dropout=[0.0, 0.9], seed=[0]), inputs=3, units=(16,))
    both = stack.predict(x)
    np.testing.assert_allclose(both[0], both[1], atol=1e-6)
    np.testing.assert_allclose(*stack.evaluate(x, y)["loss"], atol=1e-6)


def test_history_is_tidy_and_its_loss_is_without_penalty(moons):
    x, y = moons
    stack = Stack(grid(l2=[0.0, 0.5], seed=[0, 1]), inputs=3, units=(8,))
    history = stack.fit(x, y, epochs=10, record_every=4, evaluate_on={"test": (x[:5], y[:5])})
    assert list(history) == ["run", *stack.runs, "epoch", "split", "metric", "value"]
    assert sorted(history["epoch"].unique()) == [4, 8, 10]
    assert len(history) == 4 * 3 * 2 * 2
    assert not history.duplicated(["run", "epoch", "split", "metric"]).any()
    last = history[(history["epoch"] == 10) & (history["run"] == 3)]
    value = last.set_index(["split", "metric"])["value"]
    model = stack.model(3)
    model.compile(loss=keras.losses.BinaryCrossentropy(from_logits=True))
    for split, (x_split, y_split) in {"train": (x, y), "test": (x[:5], y[:5])}.items():
        plain = model.evaluate(x_split, y_split[:, None], verbose=0)
        assert value[split, "loss"] == pytest.approx(plain, rel=1e-4)
        right = (stack.predict(x_split)[3] > 0.5) == y_split
        assert value[split, "accuracy"] == pytest.approx(right.mean())


def test_accuracy_is_the_share_of_the_largest_probabilities_that_are_right(moons):
    x, _ = moons
    y = np.arange(24) % 3
    stack = Stack(grid(seed=[0, 1]), inputs=3, units=(8,), outputs=3, task="multiclass")
    wanted = (stack.predict(x).argmax(axis=-1) == y).mean(axis=1)
    for targets in (y, 0.1 + 0.7 * np.eye(3)[y]):  # soft labels count by their largest one
        for given in (targets, np.stack([targets, targets])):
            np.testing.assert_allclose(stack.evaluate(x, given)["accuracy"], wanted, atol=1e-6)


def test_training_metrics_cover_a_runs_own_rows_only(moons):
    x, y = moons
    stack = Stack(pd.DataFrame({"n_train": [6]}), inputs=3, units=(8,))
    history = stack.fit(x, y, epochs=5, record_every=5)
    by_hand = stack.evaluate(x[:6], y[:6])["loss"][0]
    assert history.query("metric == 'loss'")["value"].iloc[0] == pytest.approx(by_hand, rel=1e-5)


def test_own_data_for_each_run(moons):
    x, y = moons
    runs = grid(seed=[0, 0])
    stack = Stack(runs, inputs=3, units=(8,))
    stack.fit(np.stack([x, x[::-1] + 1]), np.stack([y, y[::-1]]), epochs=10, batch_size=6)
    single = Stack(runs.iloc[[1]], inputs=3, units=(8,))
    single.fit(x[::-1] + 1, y[::-1], epochs=10, batch_size=6)
    np.testing.assert_allclose(slices(stack, 1)[0][0], slices(single, 0)[0][0], atol=1e-6)
    assert not np.allclose(slices(stack, 0)[0][0], slices(stack, 1)[0][0])


@pytest.mark.parametrize("rows", [24, 25, 200])
def test_own_data_and_shared_data_can_be_mixed(moons, rows):
    x, y = moons
    other = np.random.default_rng(1).normal(size=(rows, 3)), np.arange(rows) % 2
    stack = Stack(grid(seed=[0, 1, 2]), inputs=3, units=(8,))
    own = np.stack([x] * 3), np.stack([y] * 3)
    history = stack.fit(*own, epochs=4, record_every=2, evaluate_on={"shared": other, "own": own})
    history = history.set_index(["split", "metric", "epoch", "run"])["value"].sort_index()
    np.testing.assert_allclose(history["own"], history["train"], rtol=1e-5)
    np.testing.assert_allclose(history["shared", "loss", 4], stack.evaluate(*other)["loss"])
    for _ in range(2):
        np.testing.assert_allclose(stack.predict(own[0]), stack.predict(x), rtol=1e-5)


def test_penalized_layers_and_biases(moons):
    x, y = moons
    heavy = {"l2": [50.0], "seed": [0]}
    hidden = Stack(pd.DataFrame(heavy), inputs=3, units=(8,), penalized_layers=[0])
    hidden.fit(x, y, epochs=2000, record_every=2000)
    assert np.abs(hidden.kernels[0].numpy()).max() < 1e-2
    assert np.abs(hidden.kernels[1].numpy()).max() > 0.1
    with_bias = Stack(pd.DataFrame(heavy), inputs=3, units=(8,), penalize_bias=True)
    with_bias.fit(x, np.ones(24), epochs=2000, record_every=2000)
    without = Stack(pd.DataFrame(heavy), inputs=3, units=(8,))
    without.fit(x, np.ones(24), epochs=2000, record_every=2000)
    assert np.abs(with_bias.biases[1].numpy()).max() < 0.05
    assert np.abs(without.biases[1].numpy()).max() > 1


def test_training_goes_on_with_changed_coefficients(moons):
    x, y = moons
    stack = Stack(grid(seed=range(3)), inputs=3, units=(8,))
    stack.fit(x, y, epochs=200)
    before = stack.weight_norm()
    stack.set(l2=1.0)
    stack.fit(x, y, epochs=500)
    assert (stack.weight_norm() < 0.5 * before).all()
    assert (stack.runs["l2"] == 1.0).all()


def test_the_norm_of_the_weights_is_each_runs_own():
    stack = Stack(grid(seed=range(3)), inputs=3, units=(8,))
    for run, norm in enumerate(stack.weight_norm()):
        kernels = [kernel.numpy()[run].ravel() for kernel in stack.kernels]
        assert norm == pytest.approx(np.linalg.norm(np.concatenate(kernels)), rel=1e-6)


def test_chunks_change_nothing(moons, monkeypatch):
    x, y = moons
    stack = Stack(grid(seed=range(2)), inputs=3, units=(8,))
    whole = stack.predict(x), stack.evaluate(x, y)["loss"]
    monkeypatch.setattr("utils.stack.CHUNK", 2 * 8 * 7)
    np.testing.assert_allclose(stack.predict(x), whole[0], atol=1e-6)
    np.testing.assert_allclose(stack.evaluate(x, y)["loss"], whole[1], atol=1e-6)


def test_batches_are_shuffled_passes():
    order = _BatchOrder([5, 5], [10, 4], [3, 3]).take(40, 3)
    for run, rows in ((0, 10), (1, 4)):
        stream = order[:, run].ravel()
        for start in range(0, len(stream) - rows, rows):
            assert sorted(stream[start : start + rows]) == list(range(rows))
        assert list(stream[:rows]) != list(stream[rows : 2 * rows])
    parts = _BatchOrder([5], [10], [3])
    np.testing.assert_array_equal(
        np.concatenate([parts.take(7, 3), parts.take(33, 3)])[:, 0], order[:, 0]
    )
    for other in (_BatchOrder([6], [10], [3]), _BatchOrder([5], [10], [3], start=40)):
        assert (other.take(40, 3)[:, 0] != order[:, 0]).any()


def test_settings_that_are_left_out_have_their_defaults():
    run = Stack(grid(arm=["plain"]), inputs=3, units=(4,)).runs.loc[0]
    zero = ["seed", "l1", "l2", "weight_decay", "dropout"]
    assert (run[zero] == 0).all()
    assert run[["n_train", "learning_rate"]].isna().all()
    assert set(run.index) == {*zero, "n_train", "learning_rate", "arm"}


def test_grid_is_the_product():
    frame = grid(l2=[0, 1], seed=range(3))
    assert frame.to_numpy().tolist() == [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]
    with pytest.raises(ValueError, match="'l2' must be a list of values"):
        grid(l2=[], seed=[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {
                "runs": pd.DataFrame({"learning_rate": [0.1]}),
                "optimizer": lambda: SGD(CosineDecay(0.1, 9)),
            },
            "a schedule or learning_rate",
        ),
        ({"optimizer": Adafactor}, "Adafactor is not known"),
        ({"optimizer": partial(Adam, clipnorm=1.0)}, "clipping by norm"),
        ({"optimizer": partial(Adam, global_clipnorm=1.0)}, "clipping by norm"),
        ({"optimizer": partial(Adam, weight_decay=0.1)}, "as a column of runs"),
    ],
)
def test_bad_settings_are_named(change, message):
    if "optimizer" in change:
        change = {**change, "optimizer": change["optimizer"]()}
    with pytest.raises(ValueError, match=f"^Stack.*{message}"):
        Stack(**{"runs": grid(seed=[0]), "inputs": 2, **change})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.zeros((4, 5))}, "must have the shape"),
        ({"x": np.zeros((3, 4, 2))}, "must have the shape"),
        ({"x": np.zeros((0, 2)), "y": []}, "no rows"),
        ({"x": np.full((4, 2), np.nan)}, "NaN"),
        ({"y": [0, 1]}, "one entry a row"),
        ({"y": [0, 1, 2, 0]}, "labels of train must be integers in 0 … 1"),
        ({"y": [0, 1, 0.5, 0]}, "must be integers"),
        ({"y": [0, 1, np.inf, 0]}, "must be integers"),
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"record_every": 0}, "record_every must be at least 1"),
        ({"evaluate_on": {"test": (np.zeros((4, 1)), [0, 0, 0, 0])}}, "x of test"),
    ],
)
def test_bad_data_are_named(change, message):
    stack = Stack(grid(seed=[0, 1]), inputs=2, units=(3,))
    good = {"x": np.zeros((4, 2)), "y": [0, 1, 0, 1], "epochs": 1}
    with pytest.raises(ValueError, match=f"^Stack.*{message}"):
        stack.fit(**{**good, **change})


def test_bad_soft_labels_are_named():
    stack = Stack(grid(seed=[0]), inputs=2, outputs=2, task="multiclass")
    for row in ([0.7, 0.7], [-0.5, 1.5]):
        with pytest.raises(ValueError, match="soft labels of train must be"):
            stack.fit(np.zeros((4, 2)), [row] * 4, epochs=1)


def test_too_large_n_train_is_named():
    stack = Stack(pd.DataFrame({"n_train": [9]}), inputs=2, units=(3,))
    with pytest.raises(ValueError, match="n_train asks for 9 rows, x has 4"):
        stack.fit(np.zeros((4, 2)), [0, 1, 0, 1], epochs=1)


def test_unknown_coefficient_is_named():
    with pytest.raises(ValueError, match=r"unknown \['l3'\]"):
        Stack(grid(seed=[0]), inputs=2).set(l3=1.0)


@pytest.fixture(scope="module")
def held_out():
    """Noisy labels and other rows: validation loss turns, at an epoch of each run's own."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(40, 3)).astype("float32")
    y = (x[:, 0] + rng.normal(size=40) > 0).astype(int)
    return (x[:24], y[:24]), (x[24:], y[24:])


@pytest.mark.parametrize("normalization", [None, "batch"])
def test_best_is_what_keras_early_stopping_restores(held_out, normalization):
    (x, y), validation = held_out
    epochs = 40
    runs = grid(l2=[0, 3e-2], seed=[0, 1])
    options = {"inputs": 3, "units": (16,), "normalization": normalization}
    start = Stack(runs, optimizer=Adam(0.02), **options)
    stack = Stack(runs, optimizer=Adam(0.02), **options)
    history = stack.fit(x, y, epochs=epochs, validation=validation, record_every=7)
    assert set(history["split"]) == {"train", "validation"}
    assert ((stack.best_epoch > 1) & (stack.best_epoch < epochs)).sum() >= 2
    for run, settings in runs.iterrows():
        model = start.model(run)
        for layer in model.layers:
            if hasattr(layer, "kernel"):
                layer.kernel.regularizer = keras.regularizers.L2(settings["l2"])
        data_loss = keras.metrics.BinaryCrossentropy(from_logits=True, name="data_loss")
        model.compile(
            Adam(0.02), keras.losses.BinaryCrossentropy(from_logits=True), metrics=[data_loss]
        )
        stop = keras.callbacks.EarlyStopping(
            "val_data_loss", mode="min", patience=epochs, restore_best_weights=True
        )
        data = validation[0], validation[1][:, None]
        model.fit(x, y[:, None], batch_size=24, epochs=epochs, validation_data=data,
                  callbacks=[stop], verbose=0)  # fmt: skip
        assert stack.best_epoch[run] == stop.best_epoch + 1
        got, last = (stack.model(run, at).get_weights() for at in ("best", "last"))
        for ours, theirs in zip(got, model.get_weights(), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-4)
        assert any(np.abs(a - b).max() > 1e-2 for a, b in zip(got, last, strict=True))
        logits = model.predict(validation[0], verbose=0)[:, 0]
        np.testing.assert_allclose(
            stack.predict(validation[0], at="best")[run], 1 / (1 + np.exp(-logits)), atol=1e-4
        )
    losses = history[(history["split"] == "validation") & (history["metric"] == "loss")]
    at_best = stack.evaluate(*validation, at="best")["loss"]
    assert (at_best <= losses.groupby("run")["value"].min() + 1e-6).all()


def test_best_of_a_run_that_diverges_is_its_best_finite_epoch(held_out):
    (x, y), validation = held_out
    runs = pd.DataFrame({"learning_rate": [0.1, 1e30, np.nan], "seed": [0, 0, 1]})
    stack = Stack(runs, inputs=3, units=(8,), optimizer=SGD(0.1))
    stack.fit(x, y, epochs=10, validation=validation)
    last, best = (stack.evaluate(*validation, at=at)["loss"] for at in ("last", "best"))
    assert np.isnan(last[1]) and not np.isnan(last[[0, 2]]).any()
    assert np.isfinite(best[[0, 2]]).all() and stack.best_epoch[1] == 1  # Keras keeps NaN, too


def test_each_fit_begins_without_a_best_epoch(held_out):
    (x, y), validation = held_out
    stack = Stack(grid(seed=[0]), inputs=3, units=(16,), optimizer=Adam(0.1))
    with pytest.raises(ValueError, match="needs a fit with validation"):
        stack.evaluate(x, y, at="best")
    stack.fit(x, y, epochs=30, validation=validation)
    first = stack.evaluate(*validation, at="best")["loss"][0]
    stack.fit(x, y, epochs=3, validation=validation)
    second = stack.evaluate(*validation, at="best")["loss"][0]
    assert second > first and stack.best_epoch[0] <= 3
    stack.fit(x, y, epochs=1)
    with pytest.raises(ValueError, match="needs a fit with validation"):
        stack.predict(x, at="best")
    with pytest.raises(ValueError, match='at must be "best" or "last"'):
        stack.predict(x, at="first")
    with pytest.raises(ValueError, match="another split"):
        stack.fit(x, y, epochs=1, validation=validation, evaluate_on={"validation": validation})


def test_validation_in_pieces_keeps_the_same_epoch(held_out, monkeypatch):
    (x, y), validation = held_out
    found = []
    for chunk in (2**24, 50):
        monkeypatch.setattr("utils.stack.CHUNK", chunk)
        stack = Stack(grid(seed=[0, 1]), inputs=3, units=(16,), optimizer=Adam(0.1))
        stack.fit(x, y, epochs=20, validation=validation)
        found.append((stack.best_epoch.tolist(), stack.predict(x, at="best")))
    assert found[0][0] == found[1][0]
    np.testing.assert_allclose(found[0][1], found[1][1], atol=1e-5)
