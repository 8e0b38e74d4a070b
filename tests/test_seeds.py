"""Every source of repetition moves with BOOK_SEEDS, published fixed draws don't, labels stay."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys

import pytest

from tools import notebooks, record

# One number from each source of randomness that the chapters repeat over.
SOURCES = """
import json, keras, numpy as np
from utils.comparing import compare
from utils.data import load_moons, load_mnist, load_cifar10, load_sequences
from utils.seeds import fixed, generator, shifted
from utils.stack import Stack, grid
from utils.training import train

found, small = {}, {"n_train": 30, "n_validation": 10, "n_test": 10}
for load in (load_moons, load_sequences, load_mnist, load_cifar10):
    options = {**small, "seed": 3}
    found[load.__name__] = float(load(**options).x_train.sum(dtype="float64"))
found["published moons"] = float(load_moons().x_train.sum(dtype="float64"))
found["a fixed draw"] = float(load_moons(seed=fixed(3)).x_train.sum(dtype="float64"))
found["generator"] = generator(2, 5).random()
found["shifted"] = shifted(4)
found["shifted, fixed"] = shifted(fixed(4))

rows = np.random.default_rng(0)
x, y = rows.normal(size=(30, 2)).astype("float32"), rows.integers(0, 2, 30)
stack = Stack(grid(seed=[0], dropout=[0.0, 0.5]), inputs=2, units=(4,))
found["initial weights"] = float(stack.kernels[0].numpy().sum())
stack.fit(x, y, epochs=2, batch_size=8)
found["stack, batches"], found["stack, masks"] = stack.evaluate(x, y)["loss"].tolist()
found["labels"] = stack.runs["seed"].tolist()


def network():
    layers = keras.layers
    zeros = layers.Dense(2, kernel_initializer="zeros")  # its first step depends on the batches
    return keras.Sequential([keras.Input((2,)), layers.Dropout(0.5), zeros])


def data(seed):
    return load_moons(**small, seed=fixed(seed))


model, _, _ = train(network, data(0), epochs=1, batch_size=8)
found["train"] = float(np.abs(model.get_weights()[0]).sum())
both = compare({"a": network, "b": network}, data, seeds=2, epochs=1, batch_size=8)
found["compare"] = both.values("a", "cross-entropy")[0]
found["compare's labels"] = both.runs["seed"].tolist()
print("FOUND" + json.dumps(found))
"""
STAY = {"published moons", "a fixed draw", "shifted, fixed", "labels", "compare's labels"}


def found(offset: str) -> dict:
    """What the sources give with an offset, in a process of their own."""
    done = subprocess.run(
        [sys.executable, "-c", SOURCES],
        env={**os.environ, "BOOK_SEEDS": offset},
        cwd=notebooks.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.partition("FOUND")[2])


def test_what_is_repeated_moves_and_what_is_fixed_stays():
    here, again, there = (found(offset) for offset in ("0", "0", "12345"))
    assert here == again
    assert {name for name in here if here[name] == there[name]} == STAY


@pytest.mark.parametrize("offset", ["-1", "1.5", "", "many", "²", str(2**31)])
def test_an_offset_that_is_none_is_named(offset):
    done = subprocess.run(
        [sys.executable, "-c", "import utils.seeds"],
        env={**os.environ, "BOOK_SEEDS": offset},
        cwd=notebooks.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"BOOK_SEEDS must be a whole number from 0 to 2147483647, not {offset!r}" in done.stderr


# Calls that take a seed, and what makes their seed one that moves or one that is marked as fixed.
DRAWS = re.compile(r"\b(default_rng|set_random_seed|RandomState|random_state)\b")
MARKED = re.compile(r"shifted|# fixed")


def unmarked(source: str) -> list[str]:
    """Lines that draw random numbers of their own and don't say what BOOK_SEEDS does to them."""
    return [line for line in source.splitlines() if DRAWS.search(line) and not MARKED.search(line)]


@pytest.mark.parametrize("path", notebooks.book_notebooks(), ids=lambda path: path.stem)
def test_a_chapter_draws_with_the_offset_or_says_that_it_is_fixed(path):
    code = "\n".join(cell.source for cell in notebooks.code_cells(notebooks.read(path)))
    recorded = "\n".join(
        cell.source
        for cell in notebooks.code_cells(notebooks.read(path))
        if record.RUNS.keys() & set(cell.metadata.get("tags", []))
    )
    lines = [line for line in unmarked(code) if line not in recorded]
    assert not lines, f"use utils.seeds.generator, or mark with `# fixed: why`: {lines}"


def test_the_test_of_chapters_sees_what_it_should():
    assert unmarked("rng = np.random.default_rng(3)") == ["rng = np.random.default_rng(3)"]
    assert not unmarked("rng = np.random.default_rng(3)  # fixed: a check")
    assert not unmarked("keras.utils.set_random_seed(shifted(0))")


def bounds(source: str) -> list[ast.keyword]:
    """Numbers that the claims of a cell are compared with."""
    source = re.sub(r"(?m)^\s*%.*$", "", source)
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    claims = [call for call in calls if getattr(call.func, "id", "") == "claim"]
    return [k for call in claims for k in call.keywords if k.arg not in ("data", "scope")]


@pytest.mark.parametrize("path", notebooks.book_notebooks(), ids=lambda path: path.stem)
def test_no_claim_has_a_bound_that_its_sentence_doesnt_say(path):
    """``claim`` itself refuses those; here that no chapter has found another way."""
    for cell in notebooks.code_cells(notebooks.read(path)):
        assert {keyword.arg for keyword in bounds(cell.source)} <= {"than", "margin"}
        assert "_margins" not in cell.source and "MARGINS" not in cell.source
