"""Pairs are pairs, every run is what train makes alone, and nothing that is done is lost."""

import json
import os
from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers

from utils.comparing import Arm, compare
from utils.data import Dataset
from utils.evidence import paired_difference
from utils.training import evaluate, train


def draw(seed, n_validation=30):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(90 + n_validation, 3)).astype("float32")
    y = (x[:, 0] + rng.normal(size=len(x)) > 0).astype("int64")
    parts = [slice(0, 40), slice(40, 40 + n_validation), slice(40 + n_validation, None)]
    return Dataset("noise", True, *(array[part] for part in parts for array in (x, y)))


def network(rate=0.0):
    dense = [layers.Dense(16, "relu"), layers.Dense(2)]
    drop = [layers.Dropout(rate)] if rate else []
    return keras.Sequential([keras.Input((3,)), dense[0], *drop, dense[1]])


def adam():
    return keras.optimizers.Adam(0.03)


# A worker process needn't find this module: functions of __main__ travel by value.
for function in (draw, network, adam):
    function.__module__ = "__main__"

ARMS = {"none": Arm(network, adam), "dropout": Arm(lambda: network(0.5), adam)}
OPTIONS = {"epochs": 12, "batch_size": 16}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    file = tmp_path_factory.mktemp("compare") / "runs.json"
    return file, compare(ARMS, draw, seeds=3, file=file, **OPTIONS)


def test_every_run_is_what_train_makes_alone(done):
    _, got = done
    for name, arm in ARMS.items():
        for seed in range(3):
            stop = keras.callbacks.EarlyStopping(
                "val_data_loss", mode="min", patience=12, restore_best_weights=True
            )
            model, history, _ = train(
                arm.build, draw(seed), seed=seed, optimizer=adam, callbacks=[stop], **OPTIONS
            )
            run = got.runs[(got.runs["arm"] == name) & (got.runs["seed"] == seed)].iloc[0]
            assert run["best_epoch"] == stop.best_epoch + 1 and run["epochs"] == 12
            scores = evaluate(model, draw(seed).x_test, draw(seed).y_test)
            for metric, column in (("accuracy", "accuracy"), ("cross-entropy", "data_loss")):
                assert got.values(name, metric)[seed] == pytest.approx(scores[column], abs=1e-5)
            ours = got.history[(got.history["arm"] == name) & (got.history["seed"] == seed)]
            np.testing.assert_allclose(ours["value"], history["value"], atol=1e-4)


def test_best_and_last_are_read_apart(done):
    _, got = done
    best, last = (got.values("none", "cross-entropy", "validation", at) for at in ("best", "last"))
    assert (best <= last + 1e-6).all() and (best < last - 1e-3).any()


def test_an_arm_can_ask_for_xla():
    arms = {"as it is": Arm(network, adam), "xla": Arm(network, adam, jit_compile=True)}
    compiled = lambda model, data: {"compiled": model.jit_compile}  # noqa: E731
    found = compare(arms, draw, seeds=2, measure=compiled, **OPTIONS)
    assert found.runs.groupby("arm")["compiled"].all().to_dict() == {"as it is": False, "xla": True}
    plain, fast = (found.values(arm, "cross-entropy") for arm in arms)
    np.testing.assert_allclose(plain, fast, rtol=1e-3)


def test_effects_are_paired_differences_at_the_best_epoch(done):
    _, got = done
    effects = got.effects("none", "cross-entropy")
    pair = (got.values(arm, "cross-entropy") for arm in ("dropout", "none"))
    assert effects == {"dropout": paired_difference(*pair)}
    ratio = got.effects("none", "squared error")["dropout"]
    pair = (np.log(got.values(arm, "squared error")) for arm in ("dropout", "none"))
    assert ratio.mean == pytest.approx(paired_difference(*pair).mean)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("augment",), "no arm 'augment'; there are none, dropout"),
        (("none", "loss"), "metric must be one of accuracy, cross-entropy, squared error"),
        (("none", "accuracy", "tests"), "no split 'tests'"),
        (("none", "accuracy", "test", "first"), "no at 'first'; there are last, best"),
    ],
)
def test_what_isnt_there_is_named(done, arguments, message):
    with pytest.raises(ValueError, match=message):
        done[1].effects(*arguments)


def test_one_seed_has_no_effect():
    got = compare(ARMS, draw, seeds=[4], **OPTIONS)
    with pytest.raises(ValueError, match="at least two seeds"):
        got.effects("none")


def test_a_file_goes_on_where_it_was_and_isnt_written_again(done, monkeypatch):
    file, first = done
    before = file.read_bytes()
    called = []

    def counting(seed):
        called.append(seed)
        return draw(seed)

    again = compare(ARMS, counting, seeds=2, file=file, **OPTIONS)
    assert called == [] and file.read_bytes() == before
    assert set(again.runs["seed"]) == {0, 1} and again.effects("none") != first.effects("none")
    more = {**ARMS, "wide": lambda: keras.Sequential([keras.Input((3,)), layers.Dense(2)])}
    compare(more, counting, seeds=[1, 7], file=file, **OPTIONS)
    assert sorted(called) == [1, 7, 7, 7]
    kept = json.loads(file.read_text())["runs"]
    assert [run for run in kept if run["seed"] < 3 and run["arm"] != "wide"] == json.loads(before)[
        "runs"
    ]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"epochs": 13}, "epochs"),
        ({"batch_size": 8}, "batch_size"),
        ({"about": {"code": 2}}, "code"),
    ],
)
def test_a_file_of_another_run_is_named_and_left_alone(done, change, key):
    file, _ = done
    before = file.read_bytes()
    with pytest.raises(ValueError, match=f"{key} = .*; it isn't|{key} = "):
        compare(ARMS, draw, seeds=3, file=file, **{**OPTIONS, **change})
    assert file.read_bytes() == before


def test_a_failing_arm_is_named_and_what_is_done_is_kept(tmp_path):
    file = tmp_path / "runs.json"
    arms = {**ARMS, "broken": Arm(lambda: None, adam)}
    with pytest.raises(
        RuntimeError, match=r"arm 'broken' with seed 0 failed: .*must return a keras"
    ):
        compare(arms, draw, seeds=2, file=file, **OPTIONS)
    assert [run["arm"] for run in json.loads(file.read_text())["runs"]] == ["none", "dropout"]


def with_nan(seed):
    data = draw(seed)
    return replace(data, x_train=np.where(data.x_train > 2, np.nan, data.x_train))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (lambda seed: draw(seed, 0), "arm 'none' with seed 0 .* no validation rows"),
        (with_nan, "arm 'none' with seed 0 .* x_train holds NaN"),
    ],
)
def test_data_that_cant_be_compared_on_are_named(data, message):
    with pytest.raises(RuntimeError, match=message):
        compare(ARMS, data, seeds=2, **OPTIONS)


def test_arms_that_get_other_data_are_no_pair():
    calls = iter(range(100))
    with pytest.raises(ValueError, match="seed 0 the arms 'none' and 'dropout' got different data"):
        compare(ARMS, lambda seed: draw(next(calls)), seeds=1, **OPTIONS)


def test_diverged_runs_are_counted_and_have_no_silent_mean():
    fast = Arm(network, lambda: keras.optimizers.SGD(1e30))
    got = compare({"none": ARMS["none"], "fast": fast}, draw, seeds=2, **OPTIONS)
    assert got.runs.set_index(["arm", "seed"])["diverged"].unstack().sum(axis=1).to_dict() == {
        "none": 0,
        "fast": 2,
    }
    with pytest.raises(ValueError, match=r"arm 'fast' diverged with the seeds \[0, 1\] of 2"):
        got.effects("none", "cross-entropy", at="last")


def test_prepare_and_measure_and_epochs_of_ones_own():
    def flipped(data):
        return replace(data, y_test=1 - data.y_test)

    arms = {"none": Arm(network, adam), "flipped": Arm(network, adam, prepare=flipped)}
    arms["short"] = Arm(network, adam, epochs=2)
    got = compare(
        arms, draw, seeds=2, measure=lambda model, data: {"rows": len(data.x_test)}, **OPTIONS
    )
    both = [got.values(arm) for arm in ("none", "flipped")]
    np.testing.assert_allclose(both[0], 1 - both[1], atol=1e-6)
    assert set(got.runs["rows"]) == {50}
    assert got.runs.set_index("arm").loc["short", "epochs"].tolist() == [2, 2]


def dies_once(flag):
    """A draw that kills its worker process the first time that seed 1 comes up."""

    def drawn(seed):
        if seed == 1 and not os.path.exists(flag):
            open(flag, "w").close()
            os.kill(os.getpid(), 9)
        return draw(seed)

    return drawn


def test_a_killed_worker_loses_nothing_that_was_done(tmp_path):
    file, flag = tmp_path / "runs.json", str(tmp_path / "flag")
    with pytest.raises(Exception, match=r"(?i)worker|terminated"):
        compare(ARMS, dies_once(flag), seeds=3, file=file, workers=2, **OPTIONS)
    kept = json.loads(file.read_text())["runs"] if file.exists() else []
    got = compare(ARMS, dies_once(flag), seeds=3, file=file, workers=2, **OPTIONS)
    assert all(run in json.loads(file.read_text())["runs"] for run in kept)
    alone = compare(ARMS, draw, seeds=3, **OPTIONS)
    for arm in ARMS:
        np.testing.assert_allclose(
            got.values(arm, "cross-entropy"), alone.values(arm, "cross-entropy"), rtol=1e-4
        )
