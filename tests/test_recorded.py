"""Recorded runs belong to the page that shows them, and can be resumed."""

import json

import keras
import numpy as np
import pytest

from tools import record
from utils.recorded import load_recorded


def test_the_recorded_file_belongs_to_the_chapters_cells():
    results, about = load_recorded("mnist_full")
    assert about["code"] == record.code_digest(record.CHAPTER), (
        "the recorded cells of the MNIST chapter changed: run make mnist-full"
    )
    assert about["data"]["is_real"]
    settings = about["settings"]
    assert (settings["n_train"], settings["n_validation"]) == (34_300, 14_700)
    assert not results.duplicated(["arm", "seed"]).any()
    assert len(results) == results["arm"].nunique() * settings["seeds"]
    assert settings["seeds"] >= 3


def test_unknown_name_lists_the_known():
    with pytest.raises(FileNotFoundError, match=r"'nope'; there are: .*mnist_full"):
        load_recorded("nope")


def test_all_arms_of_a_seed_start_with_the_same_weights():
    page = {}
    exec(record.recorded_cells(record.CHAPTER), page)
    start = {}
    for name, arm in page["ARMS"].items():
        keras.utils.set_random_seed(3)
        start[name] = page["network"]((30, 20), **arm.get("model", {})).get_weights()
    for weights in start.values():
        for ours, plain in zip(weights, start["none"], strict=True):
            np.testing.assert_array_equal(ours, plain)


ABOUT = {
    "command": "c",
    "data": {},
    "code": "x",
    "versions": {},
    "settings": {},
    "seconds": 2.0,
}


def test_an_interrupted_run_goes_on(tmp_path):
    file = tmp_path / "run.json"
    assert record.previous_results(file, ABOUT) == ([], 0.0)
    record.save({"about": ABOUT, "results": [{"arm": "none", "seed": 0}]}, file)
    assert record.previous_results(file, ABOUT) == ([{"arm": "none", "seed": 0}], 2.0)
    assert [f.name for f in tmp_path.iterdir()] == ["run.json"]


def test_results_of_other_code_are_set_aside(tmp_path):
    file = tmp_path / "run.json"
    record.save({"about": ABOUT, "results": [{"arm": "none", "seed": 0}]}, file)
    assert record.previous_results(file, {**ABOUT, "code": "y"}) == ([], 0.0)
    assert not file.exists()
    assert json.loads((tmp_path / "run.old").read_text())["results"]


def test_a_notebook_without_recorded_cells_is_an_error():
    with pytest.raises(ValueError, match="no cell tagged 'recorded'"):
        record.recorded_cells(record.ROOT / "book" / "overfitting.ipynb")
