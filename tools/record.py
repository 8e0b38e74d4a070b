"""Full-size runs, kept as a file: ``python -m tools.record mnist_full``.

Runs the cells of a chapter that are tagged with the run's name, so that what is recorded is what
the page shows, and trains each arm with each seed. The file is rewritten after every model; started
again after a kill, the command goes on with what is missing. A file made by other code or on other
data isn't mixed with new results: it is set aside under a name that ends in ``.old``.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import os
import platform
import sys
import time
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import nbformat
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("tensorflow", "keras", "numpy")


@dataclass(frozen=True)
class Recording:
    """One recorded run: a chapter's arms at full size.

    Attributes
    ----------
    command : str
        What makes the file.
    chapter : str
        The notebook, which has cells tagged with the run's name. They define ``arms`` and ``run``.
    dataset : str
        Name of the data set, see ``utils.data.load``.
    n_train, n_validation, seeds, epochs : int
        Size of the run.
    arms, run : str
        Names of the table of arms and of the function that trains one of them.
    """

    command: str
    chapter: str
    dataset: str
    n_train: int
    n_validation: int
    seeds: int
    epochs: int
    arms: str = "ARMS"
    run: str = "run"

    @property
    def notebook(self) -> Path:
        """Path of the chapter."""
        return ROOT / "book" / f"{self.chapter}.ipynb"

    @property
    def settings(self) -> dict[str, int]:
        """What may be changed on the command line."""
        return {name: getattr(self, name) for name in SETTINGS}


SETTINGS = ("n_train", "n_validation", "epochs", "seeds")
RUNS = {
    "mnist_full": Recording(
        "make mnist-full", "mnist_case_study", "mnist", 34_300, 14_700, seeds=5, epochs=10
    ),
    "mnist_literature": Recording(
        "make mnist-full", "mnist_case_study", "mnist", 50_000, 10_000, seeds=4, epochs=15,
        arms="PAPER_ARMS", run="paper_run",
    ),
}  # fmt: skip


def recorded_cells(notebook: Path, name: str) -> str:
    """Source of the cells tagged with the run's name, in order."""
    cells = nbformat.read(notebook, as_version=4).cells
    chosen = [c.source for c in cells if name in c.metadata.get("tags", [])]
    if not chosen:
        raise ValueError(f"{notebook.name} has no cell tagged {name!r}")
    return "\n\n".join(chosen)


def code_digest(notebook: Path, name: str) -> str:
    """SHA-256 of the recorded cells: tells whether a file still belongs to the page."""
    return hashlib.sha256(recorded_cells(notebook, name).encode()).hexdigest()


def save(content: dict, file: Path) -> None:
    """Write JSON whole or not at all, one line a result."""
    about = json.dumps(content["about"], indent=1, ensure_ascii=False)
    results = ",\n".join(json.dumps(r, ensure_ascii=False) for r in content["results"])
    part = file.with_suffix(".part")
    part.write_text(f'{{"about": {about},\n"results": [\n{results}\n]}}\n', encoding="utf-8")
    os.replace(part, file)


def previous_results(file: Path, about: dict) -> tuple[list[dict], float]:
    """Results and seconds of an interrupted run, when it was the same run."""
    if not file.exists():
        return [], 0.0
    content = json.loads(file.read_text(encoding="utf-8"))
    same = ("command", "data", "code", "versions", "settings")
    if all(content["about"].get(key) == about[key] for key in same):
        return content["results"], content["about"]["seconds"]
    os.replace(file, file.with_suffix(".old"))
    print(f"{file.name} came from other code, data or versions: kept as {file.stem}.old")
    return [], 0.0


def record(name: str, recording: Recording, file: Path) -> None:
    """Train every arm with every seed at full size, and keep what came out."""
    from utils.data import digest, load

    page: dict = {}
    exec(compile(recorded_cells(recording.notebook, name), recording.notebook.name, "exec"), page)
    arms, run = page[recording.arms], page[recording.run]
    sizes = {"n_train": recording.n_train, "n_validation": recording.n_validation}
    data = [load(recording.dataset, **sizes, seed=seed) for seed in range(recording.seeds)]
    about = {
        "command": recording.command,
        "date": datetime.date.today().isoformat(),
        "seconds": 0.0,
        "settings": recording.settings,
        "versions": {"python": platform.python_version()} | {p: version(p) for p in PACKAGES},
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        "data": {
            "name": data[0].name,
            "is_real": data[0].is_real,
            "x_test": digest(data[0].x_test),
            "x_train": [digest(d.x_train) for d in data],
        },
        "code": code_digest(recording.notebook, name),
    }
    if not data[0].is_real:
        sys.exit(f"{name}: the real data isn't at hand, and a stand-in is not worth recording")
    results, before = previous_results(file, about)
    done = {(r["arm"], r["seed"]) for r in results}
    tasks = [(arm, seed) for seed in range(recording.seeds) for arm in arms]
    start = time.perf_counter()
    for arm, seed in tqdm([t for t in tasks if t not in done], unit="model"):
        result, _, _ = run(arms[arm], data[seed], seed, epochs=recording.epochs)
        results.append({"arm": arm, **result})
        about["seconds"] = round(before + time.perf_counter() - start, 1)
        save({"about": about, "results": results}, file)
    print(f"{len(results)} models in {file.name}")


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", choices=list(RUNS))
    parser.add_argument("--folder", type=Path, default=ROOT / "utils" / "recorded")
    for setting in SETTINGS:
        parser.add_argument(f"--{setting.replace('_', '-')}", type=int)
    options = parser.parse_args()
    chosen = {s: getattr(options, s) for s in SETTINGS if getattr(options, s) is not None}
    recording = replace(RUNS[options.run], **chosen)
    record(options.run, recording, options.folder / f"{options.run}.json")


if __name__ == "__main__":
    main()
