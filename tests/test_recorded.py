"""Recorded runs belong to the page that shows them, and can be resumed."""

import functools
import json
import sys

import keras
import numpy as np
import pytest

from tools import record
from utils import data, training
from utils.recorded import load_recorded


@functools.cache
def page(name: str) -> dict:
    """What the recorded cells of the run's chapter define."""
    names: dict = {}
    exec(record.recorded_cells(record.RUNS[name].notebook, name), names)
    return names


@pytest.mark.parametrize("name", record.RUNS)
def test_the_recorded_file_belongs_to_the_chapters_cells(name):
    recording = record.RUNS[name]
    results, about = load_recorded(name)
    assert about["code"] == record.code_digest(recording.notebook, name), (
        f"the recorded cells of {recording.notebook.name} changed: run {about['command']}"
    )
    assert about["data"]["is_real"]
    assert about["settings"] == recording.settings
    assert about.get("precision", "float32") == recording.precision
    assert recording.seeds >= 2
    arms = page(name)[recording.arms]
    runs = list(zip(results["arm"], results["seed"], strict=True))
    assert sorted(runs) == sorted((arm, seed) for arm in arms for seed in range(recording.seeds))


def test_unknown_name_lists_the_known():
    known = "cifar10_full, mnist_full, mnist_literature"
    with pytest.raises(FileNotFoundError, match=rf"'nope'; there are: {known}$"):
        load_recorded("nope")


NETWORKS = [
    ("mnist_full", "network", [(30, 20)]),
    ("mnist_literature", "paper_network", []),
    ("cifar10_full", "network", []),
]


@pytest.mark.parametrize(("name", "network", "sizes"), NETWORKS)
def test_all_arms_of_a_seed_start_with_the_same_weights(name, network, sizes):
    start = {}
    for arm, options in page(name)[record.RUNS[name].arms].items():
        keras.utils.set_random_seed(3)
        model = page(name)[network](*sizes, **options.get("model", {}))
        layers = [layer for layer in model.layers if hasattr(layer, "kernel")]
        start[arm] = [weights for layer in layers for weights in layer.get_weights()]
    assert start["none"]
    for weights in start.values():
        for ours, plain in zip(weights, start["none"], strict=True):
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
    name, cells, train = request.param, record.recorded_cells, training.train

    def counted(*arguments, **options):
        if run.trained == run.killed_after:
            raise KeyboardInterrupt
        run.trained += 1
        return train(*arguments, **options)

    def run(killed_after=None):
        run.trained, run.killed_after = 0, killed_after
        record.main()

    run.file = tmp_path / f"{name}.json"
    sizes = [f"--{setting.replace('_', '-')}={value}" for setting, value in SIZES.items()]
    monkeypatch.setattr(sys, "argv", ["record", name, f"--folder={tmp_path}", *sizes])
    for kind in ("mnist", "cifar10"):
        monkeypatch.setattr(data, f"load_{kind}", functools.partial(small_data, kind))
    monkeypatch.setattr(training, "train", counted)
    # The last two arms: they augment, stop early, and have a schedule.
    arms = record.RUNS[name].arms
    two = f"\n\n{arms} = {{name: {arms}[name] for name in list({arms})[-2:]}}"
    monkeypatch.setattr(record, "recorded_cells", lambda *which: cells(*which) + two)
    return run


def test_a_killed_command_goes_on_where_it_was(command):
    with pytest.raises(KeyboardInterrupt):
        command(killed_after=1)
    part = json.loads(command.file.read_text())
    assert len(part["results"]) == 1

    command()
    assert command.trained == 1
    whole = json.loads(command.file.read_text())
    assert whole["results"][:1] == part["results"]
    assert len({result["arm"] for result in whole["results"]}) == 2
    assert {"seed", "epochs", "train", "validation", "test"} <= set(whole["results"][1])
    assert whole["about"]["settings"] == SIZES

    before = command.file.read_bytes()
    command()
    assert command.trained == 0
    assert command.file.read_bytes() == before


def test_a_stand_in_is_not_recorded(command, monkeypatch):
    for kind in ("mnist", "cifar10"):
        stand_in = functools.partial(small_data, kind, is_real=False)
        monkeypatch.setattr(data, f"load_{kind}", stand_in)
    with pytest.raises(SystemExit, match="stand-in"):
        command()
    assert not command.file.exists()


ABOUT = {
    "command": "c",
    "data": {"x_train": ["a"]},
    "code": "x",
    "versions": {"keras": "3.15.1"},
    "settings": {"epochs": 3, "seeds": 1},
    "precision": "float32",
    "seconds": 2.0,
}
RESULTS = [{"arm": "none", "seed": 0}]


@pytest.fixture
def kept(tmp_path):
    """The file of an interrupted run."""
    file = tmp_path / "run.json"
    record.save({"about": ABOUT, "results": RESULTS}, file)
    return file


def test_an_interrupted_run_goes_on(kept):
    assert record.previous_results(kept.with_name("other.json"), ABOUT) == ([], ABOUT)
    assert record.previous_results(kept, ABOUT) == (RESULTS, ABOUT)
    assert [f.name for f in kept.parent.iterdir()] == ["run.json"]


@pytest.mark.parametrize(
    "change",
    [
        {"data": {"x_train": ["a", "b"]}, "settings": {"epochs": 3, "seeds": 2}},
        {"data": {"x_train": []}, "settings": {"epochs": 3, "seeds": 0}},
        {"data": {"x_train": ["a"], "x_test": "of 10,000 images"}},
        {"versions": {"keras": "3.15.9"}},
    ],
    ids=str,
)
def test_more_or_fewer_seeds_and_what_isnt_measured_dont_matter(kept, change):
    assert record.previous_results(kept, {**ABOUT, **change}) == (RESULTS, ABOUT)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"code": "y"}, "code was x, now it is y"),
        ({"versions": {"keras": "4.0.1"}}, "keras was 3.15, now it is 4.0"),
        ({"precision": "mixed_bfloat16"}, "precision was float32, now it is mixed_bfloat16"),
        ({"settings": {"epochs": 4, "seeds": 1}}, "epochs was 3, now it is 4"),
        ({"data": {"x_train": ["b"]}}, "the images of seed 0 are others"),
    ],
    ids=str,
)
def test_results_of_another_run_are_left_alone_and_the_difference_is_named(kept, change, named):
    before = kept.read_bytes()
    with pytest.raises(SystemExit, match=f"another run: {named}. It is left as it is"):
        record.previous_results(kept, {**ABOUT, **change})
    assert kept.read_bytes() == before
    assert [f.name for f in kept.parent.iterdir()] == ["run.json"]


def test_results_are_kept_with_the_digits_that_they_have():
    found = {"arm": "none", "norms": [[float(np.float32(0.1))], [1 / 3]], "seed": 12345678}
    kept = {key: record.rounded(value) for key, value in found.items()}
    assert kept == {"arm": "none", "norms": [[0.1], [0.333333]], "seed": 12345678}


def test_a_notebook_without_recorded_cells_is_an_error():
    with pytest.raises(ValueError, match=r"overfitting\.ipynb has no cell tagged 'mnist_full'"):
        record.recorded_cells(record.ROOT / "book" / "overfitting.ipynb", "mnist_full")


def test_digest_tells_arrays_apart():
    x = np.arange(6, dtype="float32")
    others = [x.reshape(2, 3), x.astype("float64"), x + 1]
    assert len({record.digest(a) for a in [x, *others]}) == 4
    assert record.digest(x.reshape(2, 3).T) == record.digest(x.reshape(2, 3).T.copy())
