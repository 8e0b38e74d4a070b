"""Recorded runs belong to the page that shows them, and can be resumed."""

import functools
import json
import sys

import keras
import numpy as np
import pytest

from tools import record
from utils import comparing, data
from utils.recorded import load_recorded


@functools.cache
def page(name: str) -> dict:
    """What the recorded cells of the run's chapter define."""
    return record.load_page(name, record.RUNS[name])


@pytest.mark.parametrize("name", record.RUNS)
def test_the_recorded_file_belongs_to_the_chapters_cells(name):
    recording = record.RUNS[name]
    about = json.loads((record.FOLDER / f"{name}.json").read_text(encoding="utf-8"))["about"]
    assert about["code"] == record.code_digest(recording.notebook, name), (
        f"the recorded cells of {recording.notebook.name} changed: run {about['command']}"
    )
    kept = ("command", "n_train", "n_validation", "epochs", "batch_size")
    assert {key: about[key] for key in kept} == {key: getattr(recording, key) for key in kept}
    assert about["offset"] == 0

    runs = load_recorded(name).runs
    pairs = list(zip(runs["arm"], runs["seed"], strict=True))
    arms = page(name)[recording.arms]
    assert recording.seeds >= 2
    assert sorted(pairs) == sorted((arm, seed) for arm in arms for seed in range(recording.seeds))


def test_unknown_name_lists_the_known():
    known = "cifar10, mnist_full, mnist_literature"
    with pytest.raises(FileNotFoundError, match=rf"'nope'; there are: {known}$"):
        load_recorded("nope")


@pytest.mark.parametrize("name", record.RUNS)
def test_all_arms_of_a_seed_start_with_the_same_weights(name):
    start = {}
    for arm, options in page(name)[record.RUNS[name].arms].items():
        if arm != "linear":
            keras.utils.set_random_seed(3)
            model = options.build()
            layers = [layer for layer in model.layers if hasattr(layer, "kernel")]
            start[arm] = [weights for layer in layers for weights in layer.get_weights()]
    first, *others = start.values()
    for weights in others:
        for ours, plain in zip(weights, first, strict=True):
            np.testing.assert_array_equal(ours, plain)


# The command, with few images, two arms and one epoch

SIZES = {"n_train": 64, "n_validation": 32, "epochs": 1, "seeds": 1}


def small_data(name, n_train, n_validation, seed, is_real=True):
    """A data set of random images in the shape of the real ones."""
    rng = np.random.default_rng(seed)
    splits = []
    for n in (n_train, n_validation, 32):
        splits += [rng.random((n, *data.SHAPES[name]), "float32"), rng.integers(0, 10, n)]
    return data.Dataset(name, is_real, *splits)


@pytest.fixture(params=record.RUNS)
def command(request, tmp_path, monkeypatch):
    """Runs a recording's command at a tiny size; has its file and the number of models trained."""
    name, cells, train = request.param, record.recorded_cells, comparing.Trainer.run

    def counted(*arguments, **options):
        if run.trained == run.killed_after:
            raise KeyboardInterrupt
        run.trained += 1
        return train(*arguments, **options)

    def run(*options, killed_after=None):
        run.trained, run.killed_after = 0, killed_after
        sizes = [f"--{size.replace('_', '-')}={value}" for size, value in SIZES.items()]
        monkeypatch.setattr(sys, "argv", ["record", name, f"--folder={tmp_path}", *sizes, *options])
        record.main()

    run.file = tmp_path / f"{name}.json"
    for key in data.SHAPES:
        monkeypatch.setattr(data, f"load_{key}", functools.partial(small_data, key))
    monkeypatch.setattr(comparing.Trainer, "run", counted)
    arms = record.RUNS[name].arms
    two = f"{arms} = {{name: {arms}[name] for name in list({arms})[-2:]}}"
    monkeypatch.setattr(record, "recorded_cells", lambda *which: [*cells(*which), two])
    return run


def test_a_killed_command_goes_on_where_it_was_and_takes_more_seeds(command):
    with pytest.raises(KeyboardInterrupt):
        command(killed_after=1)
    part = json.loads(command.file.read_text())
    assert len(part["runs"]) == 1

    command()
    assert command.trained == 1
    whole = json.loads(command.file.read_text())
    assert whole["runs"][:1] == part["runs"]
    assert len({run["arm"] for run in whole["runs"]}) == 2
    assert {"date", "machine", "versions", "scores", "curves"} <= set(whole["runs"][1])
    assert {key: whole["about"][key] for key in ("n_train", "epochs")} == {
        "n_train": 64,
        "epochs": 1,
    }

    command("--seeds=2")
    assert command.trained == 2

    before = command.file.read_bytes()
    command()
    assert command.trained == 0
    assert command.file.read_bytes() == before


def test_results_of_another_run_are_left_alone_and_the_difference_is_named(command):
    command()
    before = command.file.read_bytes()
    with pytest.raises(SystemExit, match="was made with n_train = 64, now it is 65"):
        command("--n-train=65")
    assert command.file.read_bytes() == before


def test_a_stand_in_is_not_recorded(command, monkeypatch):
    for key in data.SHAPES:
        stand_in = functools.partial(small_data, key, is_real=False)
        monkeypatch.setattr(data, f"load_{key}", stand_in)
    with pytest.raises(SystemExit, match="stand-in"):
        command()
    assert not command.file.exists()


def test_the_digest_is_of_what_the_recorded_cells_say(monkeypatch):
    def digest(*sources):
        monkeypatch.setattr(record, "recorded_cells", lambda *which: list(sources))
        return record.code_digest(None, "run")

    assert digest("x = 1", "y = 2") == digest("x  =  1  # one", "y = (2)")
    assert len({digest("x = 1"), digest("x = 2"), digest("x = 1", "x = 2")}) == 3


def test_a_notebook_without_recorded_cells_is_an_error():
    with pytest.raises(ValueError, match=r"overfitting\.ipynb has no cell tagged 'mnist_full'"):
        record.recorded_cells(record.notebooks.ROOT / "book" / "overfitting.ipynb", "mnist_full")
