"""One harness for every arm: same start, same batches, honest records."""

import io
import re
import time

import keras
import numpy as np
import pytest
import tensorflow as tf
from tqdm import tqdm

import utils.training
from utils.data import Dataset
from utils.training import evaluate, train


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(90, 5)).astype("float32")
    y = (x[:, 0] > 0).astype("int64") + (x[:, 1] > 0)
    return Dataset("toy", True, x[:50], y[:50], x[50:70], y[50:70], x[70:], y[70:])


def build(l2=0.0, rate=0.0):
    return keras.Sequential(
        [
            keras.Input((5,)),
            keras.layers.Dense(16, "relu", kernel_regularizer=keras.regularizers.L2(l2)),
            keras.layers.Dropout(rate),
            keras.layers.Dense(3),
        ]
    )


def test_it_equals_a_plain_fit_on_the_same_batches(data, monkeypatch):
    monkeypatch.setattr(tf.data, "AUTOTUNE", 1)  # so that batches are seen in order
    seen = []

    def remember(x, seed):
        tf.py_function(lambda batch: seen.append(batch.numpy()), [x], [])
        return x

    model = train(build, data, epochs=3, batch_size=16, seed=7, augment=remember).model
    keras.utils.set_random_seed(7)
    plain = build()
    plain.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    for x in seen[:12]:
        rows = [int(np.flatnonzero((data.x_train == row).all(axis=1))[0]) for row in x]
        plain.train_on_batch(data.x_train[rows], data.y_train[rows])
    for got, wanted in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-5)


def test_batches_are_passes_and_the_same_for_every_arm(data, monkeypatch):
    monkeypatch.setattr(tf.data, "AUTOTUNE", 1)  # so that batches are seen in order
    orders, seeds = [], []
    for rate in (0.0, 0.5):
        seen = []

        def remember(x, seed, seen=seen):
            tf.py_function(
                lambda *batch: seen.append([part.numpy() for part in batch]), [x, seed], []
            )
            return x

        def arm(rate=rate):
            if rate:  # an arm that draws numbers for itself, too
                tf.random.uniform(())
            return build(rate=rate)

        train(arm, data, epochs=2, batch_size=50, augment=remember)
        orders.append([x[:, 0] for x, _ in seen[:2]])
        seeds.append([seed for _, seed in seen[:2]])
    np.testing.assert_array_equal(orders[0], orders[1])
    np.testing.assert_array_equal(seeds[0], seeds[1])
    assert sorted(orders[0][0]) == sorted(data.x_train[:, 0])
    assert list(orders[0][0]) != list(orders[0][1])


def test_same_seed_same_weights_other_seed_others(data):
    first, again, other = (train(build, data, epochs=2, seed=s).model for s in (1, 1, 2))
    for a, b in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.allclose(first.get_weights()[0], other.get_weights()[0])


def test_history_tells_data_loss_from_penalty(data):
    start = time.perf_counter()
    model, history, seconds = train(lambda: build(l2=0.1), data, epochs=4, batch_size=16)
    assert 0 < seconds < time.perf_counter() - start
    value = history.set_index(["split", "metric", "epoch"])["value"]
    assert set(history["epoch"]) == {1, 2, 3, 4}
    penalty = 0.1 * np.square(model.get_weights()[0]).sum()
    gap = value["validation", "loss", 4] - value["validation", "data_loss", 4]
    assert gap == pytest.approx(penalty, rel=1e-4)
    now = evaluate(model, data.x_validation, data.y_validation)
    for metric in ("loss", "data_loss", "accuracy"):
        assert value["validation", metric, 4] == pytest.approx(now[metric], rel=1e-4)


def test_early_stopping_counts_real_epochs_and_restores(data):
    class Script(keras.callbacks.Callback):
        """Gives the monitored loss a known course."""

        losses = (5.0, 3.0, 4.0, 4.0, 4.0, 1.0)

        def on_epoch_end(self, epoch, logs=None):
            logs["script"] = self.losses[epoch]
            if epoch == 1:
                self.best = self.model.get_weights()

    script = Script()
    stop = keras.callbacks.EarlyStopping(
        "script", mode="min", patience=2, restore_best_weights=True
    )
    model, history, _ = train(build, data, epochs=6, batch_size=8, callbacks=[script, stop])
    assert history["epoch"].max() == 4
    for got, wanted in zip(model.get_weights(), script.best, strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_augmentation_gets_a_new_seed_each_batch(data):
    seen = []

    def remember(x, seed):
        tf.py_function(lambda s: seen.append(tuple(s.numpy())), [seed], [])
        return x

    train(build, data, epochs=2, batch_size=10, augment=remember)
    assert len(set(seen)) == len(seen) >= 10


def test_augmentation_repeats(data):
    def noise(x, seed):
        return x + tf.random.stateless_normal(tf.shape(x), seed)

    def weights(**options):
        return train(build, data, epochs=2, batch_size=10, **options).model.get_weights()

    first = weights(augment=noise)
    for got, wanted in zip(weights(augment=noise), first, strict=True):
        np.testing.assert_array_equal(got, wanted)
    assert any((a != b).any() for a, b in zip(weights(), first, strict=True))
    assert any((a != b).any() for a, b in zip(weights(augment=noise, seed=1), first, strict=True))


def test_training_and_evaluation_print_nothing(data, capsys):
    evaluate(train(build, data, epochs=1, batch_size=1).model, data.x_test, data.y_test)
    assert capsys.readouterr().out == ""


def test_a_long_training_shows_how_far_it_is_and_clears_the_line(data, monkeypatch):
    shown = io.StringIO()

    def at_once(**options):
        assert options["delay"] >= 1  # seconds, so that a short training shows nothing
        return tqdm(**{**options, "delay": 0}, file=shown, mininterval=0, ncols=80)

    monkeypatch.setattr(utils.training, "tqdm", at_once)
    train(build, data, epochs=3)
    assert re.search(r"2/3 .*\d(epoch/s|s/epoch)\]", shown.getvalue())
    assert not shown.getvalue().split("\r")[-1].strip()


@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
@pytest.mark.parametrize("loss", ["binary_crossentropy", "mse"])
def test_other_losses(data, loss, shape):
    def one_output():
        return keras.Sequential([keras.Input((5,)), keras.layers.Dense(1)])

    y = (data.x_train[:, 0] > 0).astype("float32")
    binary = Dataset("toy", True, data.x_train, y.reshape(shape),
                     *[np.empty((0, 1), "float32")] * 4)  # fmt: skip
    model, history, _ = train(one_output, binary, epochs=30, batch_size=10, loss=loss)
    assert set(history["split"]) == {"train"}
    found = evaluate(model, binary.x_train, binary.y_train)
    out = model.predict(binary.x_train, verbose=0)[:, 0]
    wanted = (out - y) ** 2 if loss == "mse" else np.logaddexp(0, out) - y * out
    assert found["data_loss"] == pytest.approx(wanted.mean(), rel=1e-5)
    assert found["loss"] == pytest.approx(found["data_loss"], rel=1e-5)  # no penalty
    # Each row counts the same, in a smaller last batch, too.
    rows = np.r_[[0] * 1024, 1:5]
    more = evaluate(model, binary.x_train[rows], binary.y_train[rows])
    assert more["data_loss"] == pytest.approx(wanted[rows].mean(), rel=1e-5)
    if loss == "binary_crossentropy":
        assert found["accuracy"] == pytest.approx(((out > 0) == y).mean())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1, not 0"),
        ({"batch_size": 0}, "batch_size must be at least 1, not 0"),
        (
            {"loss": "hinge"},
            "'hinge' is unknown; choose sparse_categorical_crossentropy, "
            "binary_crossentropy or mse$",
        ),
        (
            {"optimizer": "adam"},
            "^train: give a callable that makes the optimizer, e.g. keras.optimizers.Adam$",
        ),
    ],
)
def test_bad_settings_are_named(data, change, message):
    with pytest.raises(ValueError, match=message):
        train(build, data, **{"epochs": 1, **change})


@pytest.mark.parametrize(("rows", "targets"), [(0, 0), (20, 4)])
def test_an_evaluation_needs_a_target_a_row(data, rows, targets):
    message = f"^evaluate: give one target a row, .* not {rows} rows and {targets} targets$"
    with pytest.raises(ValueError, match=message):
        evaluate(build(), data.x_test[:rows], data.y_test[:targets])
