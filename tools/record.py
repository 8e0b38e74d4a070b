"""Full-size runs, kept as a file: ``python -m tools.record mnist_full``.

Runs the cells of a chapter that are tagged with the run's name, so that what is recorded is what
the page shows, and hands their arms to ``utils.comparing.compare``. The file grows by one run at a
time; started again after a kill, or with more seeds, the command goes on with what is missing. A
file made by other code is left alone, and the command says what differs.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Where the processor has no instructions made for networks, TensorFlow leaves oneDNN off, and
# convolutions take twice as long.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

from tools import notebooks, syntax

if TYPE_CHECKING:
    import keras

    from utils.comparing import Comparison
    from utils.data import Dataset

FOLDER = notebooks.ROOT / "utils" / "recorded"
PACKAGES = ("tensorflow", "keras", "numpy")


@dataclass(frozen=True)
class Recording:
    """One recorded run: a chapter's arms at full size.

    Attributes
    ----------
    command : str
        What makes the file.
    chapter : str
        The notebook, which has cells tagged with the run's name.
    arms : str
        The name by which these cells define the arms, a mapping of names to ``Arm``.
    dataset : str
        Name of the data set: that of ``utils.data.load_…``.
    n_train, n_validation, seeds, epochs, batch_size : int
        Size of the run.
    measure : str, optional
        The name by which the cells define what else is kept of a run: ``measure`` of ``compare``.
    """

    command: str
    chapter: str
    arms: str
    dataset: str
    n_train: int
    n_validation: int
    seeds: int
    epochs: int
    batch_size: int
    measure: str | None = None

    @property
    def notebook(self) -> Path:
        """Path of the chapter."""
        return notebooks.ROOT / "book" / f"{self.chapter}.ipynb"

    @property
    def sizes(self) -> dict[str, int]:
        """What may be changed on the command line."""
        return {name: getattr(self, name) for name in SIZES}


SIZES = ("n_train", "n_validation", "seeds", "epochs")
RUNS = {
    "mnist_full": Recording(
        "make mnist-full", "mnist_case_study", "ARMS", "mnist",
        n_train=34_300, n_validation=14_700, seeds=5, epochs=10, batch_size=128,
    ),
    "mnist_literature": Recording(
        "make mnist-full", "mnist_case_study", "PAPER_ARMS", "mnist",
        n_train=50_000, n_validation=10_000, seeds=4, epochs=15, batch_size=256,
    ),
    "cifar10": Recording(
        "make cifar10", "cifar10_case_study", "ARMS", "cifar10",
        n_train=10_000, n_validation=15_000, seeds=3, epochs=30, batch_size=64, measure="details",
    ),
}  # fmt: skip


def recorded_cells(notebook: Path, name: str) -> list[str]:
    """Sources of the cells tagged with the run's name, in order."""
    cells = notebooks.code_cells(notebooks.read(notebook))
    chosen = [cell.source for cell in cells if name in cell.metadata.get("tags", [])]
    if not chosen:
        raise ValueError(f"{notebook.name} has no cell tagged {name!r}")
    return chosen


def code_digest(notebook: Path, name: str) -> str:
    """SHA-256 of what the recorded cells say: tells whether a file still belongs to the page."""
    said = "\n".join(syntax.of_cell(source)[0] for source in recorded_cells(notebook, name))
    return hashlib.sha256(said.encode()).hexdigest()


def load_page(name: str, recording: Recording) -> dict[str, Any]:
    """What the run's cells define."""
    page: dict[str, Any] = {"__name__": "__main__"}  # so that a worker gets functions by value
    source = "\n\n".join(recorded_cells(recording.notebook, name))
    exec(compile(source, recording.notebook.name, "exec"), page)
    return page


def stamped(
    measure: Callable[[keras.Model, Dataset], dict] | None, model: keras.Model, data: Dataset
) -> dict[str, Any]:
    """What is measured of a run, beside the day, the machine and the versions that made it."""
    versions = [f"python {platform.python_version()}", *(f"{p} {version(p)}" for p in PACKAGES)]
    return {
        **({} if measure is None else measure(model, data)),
        "date": datetime.date.today().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "versions": ", ".join(versions),
    }


def record(name: str, recording: Recording, file: Path, workers: int | None = None) -> Comparison:
    """Train every arm with every seed at full size, and keep what came out.

    Raises
    ------
    SystemExit
        When the real data isn't at hand, or the file came from something else; it isn't touched.
    """
    from utils import data
    from utils.comparing import compare

    load = getattr(data, f"load_{recording.dataset}")

    def draw(seed):
        return load(n_train=recording.n_train, n_validation=recording.n_validation, seed=seed)

    if not draw(0).is_real:
        sys.exit(f"{name}: the real data isn't at hand, and a stand-in is not worth recording")
    page = load_page(name, recording)
    measure = page[recording.measure] if recording.measure else None
    about = {"command": recording.command, "code": code_digest(recording.notebook, name)}
    about |= {size: getattr(recording, size) for size in ("n_train", "n_validation")}
    try:
        return compare(
            page[recording.arms],
            draw,
            seeds=recording.seeds,
            epochs=recording.epochs,
            batch_size=recording.batch_size,
            measure=partial(stamped, measure),
            file=file,
            about=about,
            workers=workers,
        )
    except ValueError as error:
        sys.exit(str(error))


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", choices=list(RUNS))
    parser.add_argument("--folder", type=Path, default=FOLDER)
    for size in SIZES:
        parser.add_argument(f"--{size.replace('_', '-')}", type=int)
    parser.add_argument("--workers", type=int, help="runs at the same time, each on its share")
    options = parser.parse_args()
    chosen = {size: getattr(options, size) for size in SIZES if getattr(options, size) is not None}
    recording = replace(RUNS[options.run], **chosen)
    file = options.folder / f"{options.run}.json"
    result = record(options.run, recording, file, options.workers)
    print(f"{len(result.runs)} runs in {file.name}")


if __name__ == "__main__":
    main()
