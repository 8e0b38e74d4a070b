"""The chapter's comparison on a Dask cluster: a worker is killed half-way, and no run is lost."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import dask.distributed
import numpy as np
import pytest

from tools import notebooks

CHAPTER = notebooks.read(notebooks.ROOT / "book" / "choosing_hyperparameters.ipynb")


# Around the chapter's data: who works on what, so that the test can strike in the middle.
DIARY = """
def diary(line):
    with open(path, "a") as file:
        file.write(f"{line}\\n")


def watched(seed):
    diary(f"start {os.getpid()} {seed}")
    return chapters_images(seed, n_train=200)


def compare(arms, images, *, seeds, epochs, workers):
    def done(model, data):
        diary(f"end {os.getpid()}")
        return {"process": os.getpid()}

    return chapters_compare(arms, images, seeds=4, epochs=1, workers=workers, measure=done)
"""


@pytest.fixture
def page(tmp_path) -> dict:
    """What the chapter's cells about clusters define, with a comparison of eight short runs."""
    import keras

    from utils.data import load_mnist

    names: dict = {"__name__": "chapter", "keras": keras, "load_mnist": load_mnist}
    for cell in notebooks.code_cells(CHAPTER):
        if "cluster" in cell.metadata.get("tags", []):
            exec(cell.source, names)  # under that name functions travel by value
    names |= {"os": os, "path": str(tmp_path / "diary")}
    names |= {"chapters_images": names["images"], "chapters_compare": names["compare"]}
    exec(DIARY, names)
    names["images"] = names["watched"]
    return names


def cluster_block() -> str:
    """The block of the chapter's text that sends the comparison to a cluster."""
    text = "\n".join(cell.source for cell in CHAPTER.cells if cell.cell_type == "markdown")
    (block,) = [b.partition("\n```")[0] for b in text.split("```python\n") if "Client(" in b]
    return block


def entries(path: str) -> list[list[str]]:
    """The diary's lines, split into words."""
    return [line.split() for line in Path(path).read_text().splitlines()]


def kill_a_worker(path: str, killed: list[str]) -> None:
    """When two runs are done, kill a worker that is in the middle of another."""
    while not killed:
        lines = entries(path) if Path(path).exists() else []
        last = {process: kind for kind, process, *_ in lines}
        busy = [process for process, kind in last.items() if kind == "start"]
        if sum(kind == "end" for kind, *_ in lines) >= 2 and busy:
            os.kill(int(busy[0]), signal.SIGKILL)
            killed.append(busy[0])
        time.sleep(0.01)


def test_a_killed_worker_loses_no_run(page, monkeypatch):
    connect = dask.distributed.Client
    with dask.distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as cluster:
        monkeypatch.setattr(dask.distributed, "Client", lambda **_: connect(cluster))
        killed: list[str] = []
        killer = threading.Thread(target=kill_a_worker, args=(page["path"], killed), daemon=True)
        killer.start()
        exec(cluster_block(), page)
        page["client"].close()
    there = page["there"]
    assert len(there.runs) == 8 and not there.runs.duplicated(["arm", "seed"]).any()
    (process,) = killed
    assert [kind for kind, who, *_ in entries(page["path"]) if who == process][-1] == "start"
    alone = page["chapters_compare"](
        page["arms"], lambda seed: page["chapters_images"](seed, n_train=200), seeds=4, epochs=1
    )
    for arm in page["arms"]:
        np.testing.assert_allclose(
            there.values(arm, "cross-entropy"), alone.values(arm, "cross-entropy"), rtol=1e-4
        )
