"""The chapter's sweep on a Dask cluster: a worker is killed half-way, and no result is lost."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import dask.distributed
import pytest

from tools import notebooks

CHAPTER = notebooks.read(notebooks.ROOT / "book" / "choosing_hyperparameters.ipynb")


# Around the chapter's task: who works on what, so that the test can strike in the middle.
DIARY = """
def diary(line):
    with open(path, "a") as file:
        file.write(f"{line}\\n")


def watched(*arguments):
    diary(f"start {os.getpid()} {arguments[:2]}")
    row = chapters_task(*arguments)
    diary(f"end {os.getpid()} {arguments[:2]}")
    return row
"""


@pytest.fixture
def page(tmp_path) -> dict:
    """What the chapter's cells about clusters define, with a sweep of eight short tasks."""
    names: dict = {"__name__": "chapter"}  # so that the functions travel by value
    for cell in notebooks.code_cells(CHAPTER):
        if "cluster" in cell.metadata.get("tags", []):
            exec(cell.source, names)
    names |= {"os": os, "path": str(tmp_path / "diary"), "chapters_task": names["task"]}
    exec(DIARY, names)
    names["task"] = names["watched"]
    names["sweep"] = [(l2, seed, 200, 1) for l2 in (0.0, 1e-3) for seed in range(4)]
    return names


def cluster_block() -> str:
    """The block of the chapter's text that sends the sweep to a cluster."""
    text = "\n".join(cell.source for cell in CHAPTER.cells if cell.cell_type == "markdown")
    (block,) = [b.partition("\n```")[0] for b in text.split("```python\n") if "Client(" in b]
    return block


def entries(path: str, kind: str) -> list[list[str]]:
    """The diary's lines of one kind, as process and task."""
    lines = Path(path).read_text().splitlines() if Path(path).exists() else []
    return [line.split(" ", 2)[1:] for line in lines if line.startswith(f"{kind} ")]


def kill_a_worker(path: str, killed: list[list[str]]) -> None:
    """When two tasks are done, kill a worker that is in the middle of another."""
    while not killed:
        done = entries(path, "end")
        in_hand = [entry for entry in entries(path, "start") if entry not in done]
        if len(done) >= 2 and in_hand:
            os.kill(int(in_hand[0][0]), signal.SIGKILL)
            killed.append(in_hand[0])
        time.sleep(0.01)


def test_a_killed_worker_loses_no_result(page, monkeypatch):
    connect = dask.distributed.Client
    with dask.distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as cluster:
        monkeypatch.setattr(dask.distributed, "Client", lambda **_: connect(cluster))
        killed: list[list[str]] = []
        killer = threading.Thread(target=kill_a_worker, args=(page["path"], killed), daemon=True)
        killer.start()
        exec(cluster_block(), page)
        page["client"].close()
    assert [(row["l2"], row["seed"]) for row in page["rows"]] == [t[:2] for t in page["sweep"]]
    ((process, lost),) = killed
    assert [process, lost] not in entries(page["path"], "end")
    assert lost in [task for _, task in entries(page["path"], "end")], "another worker did it"
    for place in (0, 5):
        alone = page["chapters_task"](*page["sweep"][place])
        assert page["rows"][place] == pytest.approx(alone, rel=1e-4)
