"""Order of the tests, a miniature of MNIST, and a summary that says what ran on which data."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tools import notebooks

SMALL = {
    "x_train": np.random.default_rng(0).integers(0, 256, (50, 28, 28), "uint8"),
    "y_train": np.random.default_rng(1).integers(0, 10, 50, "uint8"),
    "x_test": np.random.default_rng(2).integers(0, 256, (20, 28, 28), "uint8"),
    "y_test": np.random.default_rng(3).integers(0, 10, 20, "uint8"),
}


def digests(arrays: dict[str, np.ndarray]) -> dict[str, str]:
    """SHA-256 of the bytes of each array, as `utils.data.SHA256` has them."""
    return {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in arrays.items()}


def offline(*args: object, **options: object) -> None:
    """What `keras.utils.get_file` does without a network."""
    raise OSError("no network")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A miniature in MNIST's place, BOOK_DATA with it, an empty cache, and no network."""
    import utils.data as data

    monkeypatch.setitem(data.SHA256, "mnist", digests(SMALL))
    monkeypatch.setitem(data.ROWS, "mnist", {"train": ((50,), 50), "test": ((20,), 20)})
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("BOOK_DATA", str(tmp_path))
    monkeypatch.setattr("keras.utils.get_file", offline)
    data._stand_in.cache_clear()
    np.savez_compressed(tmp_path / "mnist.npz", **SMALL)
    yield tmp_path / "mnist.npz"
    data._stand_in.cache_clear()


def leftovers(small: Path) -> list[str]:
    """Names in the cache of the fixture `small`."""
    cache = small.parent / "keras" / "datasets"
    return [p.name for p in cache.iterdir()] if cache.exists() else []


def is_notebook(nodeid: str) -> bool:
    """Whether a test is the run of a notebook (collected by nbmake)."""
    return nodeid.partition("::")[0].endswith(".ipynb")


# Tests that share what takes long to make: the printed book, the parsed pages, a solved assignment.
# The class is one test, but among the longest.
GROUPS = re.compile(
    r"tests/test_(pdf|site)\.py::"
    r"|tests/test_assignments\.py::test_(?:right|wrong|trivial)_answers_\w+\[([a-z0-9_]+)"
    r"|tests/test_grading\.py::test_(class)_is_graded"
)


def group(nodeid: str) -> str | None:
    """The group that a test belongs to, which runs on one worker."""
    found = GROUPS.match(nodeid)
    return found[found.lastindex] if found else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """With ``--dist loadscope`` keep groups together, and deal out all other tests one by one.

    ``--dist loadgroup`` would do it, too, but with pytest 9.2 it sees no groups (xdist #1386).
    """
    if config.getvalue("dist") != "loadscope":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group(nodeid) or nodeid

    # Else it would begin with the groups that have the most tests, not with what takes longest.
    config.option.loadscopereorder = False
    return Groups(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes long first, so that no worker is left with it at the end.

    That is notebooks, from the longest on, each followed by a group of tests. They go together:
    notebooks use all cores, and groups wait for a browser or a sandbox.
    """

    def seconds(item: pytest.Item) -> float:
        return notebooks.read(item.path).metadata.get("book", {}).get("seconds", 0)

    chapters = sorted((i for i in items if is_notebook(i.nodeid)), key=seconds, reverse=True)
    # Without this, a full run in which nbmake leaves the notebooks out would pass.
    if config.option.nbmake and not chapters:
        raise pytest.UsageError("--nbmake was asked for, but no notebook was collected")
    groups = list(dict.fromkeys(name for i in items if (name := group(i.nodeid))))

    def turn(item: pytest.Item) -> float:
        if is_notebook(item.nodeid):
            return chapters.index(item)
        name = group(item.nodeid)
        return groups.index(name) + 0.5 if name else float("inf")

    items.sort(key=turn)


def used_data() -> list[str]:
    """What the loaders of the notebooks' real data sets say, one line a data set."""
    from utils import data

    code = "".join(
        cell.source
        for path in notebooks.book_notebooks()
        for cell in notebooks.code_cells(notebooks.read(path))
    )
    lines = []
    for name, title in [("mnist", "MNIST"), ("cifar10", "CIFAR-10")]:
        if f"load_{name}(" in code:
            is_real = getattr(data, f"load_{name}")().is_real
            lines.append(
                f"{title}: {'real' if is_real else 'stand-in, claims about it not tested'}"
            )
    return lines


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what ran. Only the full run (`make test`) executes notebooks and asks for the data."""
    passed = [report.nodeid for report in terminalreporter.stats.get("passed", [])]
    ran = [nodeid for nodeid in passed if is_notebook(nodeid)]
    if not ran:
        return
    failed = terminalreporter.stats.get("failed", []) + terminalreporter.stats.get("error", [])
    skipped = terminalreporter.stats.get("skipped", [])
    terminalreporter.section("the book")
    names = ", ".join(sorted(Path(nodeid.split("::")[0]).stem for nodeid in ran))
    terminalreporter.line(f"notebooks that ran: {len(ran)} ({names})")
    terminalreporter.line(f"other tests that passed: {len(passed) - len(ran)}")
    terminalreporter.line(f"failed: {len(failed)}, skipped: {len(skipped)}")
    for line in used_data():
        terminalreporter.line(f"data: {line}")
