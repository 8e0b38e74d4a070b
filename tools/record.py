"""Full-size runs, kept as a file: ``python -m tools.record mnist_full``.

Runs the cells of a chapter that are tagged with the run's name, so that what is recorded is what
the page shows, and trains each arm with each seed. The file is rewritten after every model; started
again after a kill, or with more seeds, the command goes on with what is missing. A file made by
other code or on other data is left alone, and the command says what differs.
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
from typing import TYPE_CHECKING

import joblib
import nbformat
import numpy as np
from tqdm import tqdm

if TYPE_CHECKING:
    from utils.data import Dataset

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
        Name of the data set: that of ``utils.data.load_…``.
    n_train, n_validation, seeds, epochs : int
        Size of the run.
    arms, run : str
        Names of the table of arms and of the function that trains one of them.
    precision : str
        Keras's policy. With ``mixed_bfloat16`` layers compute in bfloat16, which is faster where
        the processor has it; their variables stay float32.
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
    precision: str = "float32"

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
    "cifar10_full": Recording(
        "make cifar10-full", "cifar10_case_study", "cifar10", 40_000, 10_000, seeds=3, epochs=50,
        precision="mixed_bfloat16",
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


def rounded(value: object) -> object:
    """The same with six significant digits, which float32 has: 0.1 and not 0.10000000149."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return value


def save(content: dict, file: Path) -> None:
    """Write JSON whole or not at all, one line a result."""
    about = json.dumps(content["about"], indent=1, ensure_ascii=False)
    results = ",\n".join(json.dumps(r, ensure_ascii=False) for r in content["results"])
    part = file.with_suffix(".part")
    part.write_text(f'{{"about": {about},\n"results": [\n{results}\n]}}\n', encoding="utf-8")
    os.replace(part, file)


def differences(old: dict, new: dict) -> list[str]:
    """What keeps results of ``new`` from standing beside those of ``old``, in words.

    More or fewer seeds don't, nor do test images beyond those that are measured, nor another patch
    version.
    """

    def fixed(about: dict) -> dict[str, object]:
        settings = {key: value for key, value in about["settings"].items() if key != "seeds"}
        versions = {p: ".".join(v.split(".")[:2]) for p, v in about["versions"].items()}
        rest = {"command": about["command"], "code": about["code"]}
        return {**settings, **versions, **rest, "precision": about.get("precision", "float32")}

    before, now = fixed(old), fixed(new)
    found = [
        f"{key} was {before.get(key)}, now it is {now.get(key)}"
        for key in sorted({*before, *now})
        if before.get(key) != now.get(key)
    ]
    pairs = zip(old["data"]["x_train"], new["data"]["x_train"], strict=False)
    found += [f"the images of seed {s} are others" for s, (a, b) in enumerate(pairs) if a != b]
    return found


def previous_results(file: Path, about: dict) -> tuple[list[dict], dict]:
    """Results of an interrupted run, and what it wrote about itself; ``about`` where there is none.

    Raises
    ------
    SystemExit
        When the file came from something else. It isn't touched.
    """
    if not file.exists():
        return [], about
    content = json.loads(file.read_text(encoding="utf-8"))
    if found := differences(content["about"], about):
        sys.exit(
            f"{file} came from another run: {'; '.join(found)}. It is left as it is. "
            "Move it away, or name another folder with --folder."
        )
    return content["results"], content["about"]


def digest(array: np.ndarray) -> str:
    """SHA-256 of an array: its type, its shape and its C-ordered bytes."""
    header = f"{array.dtype.str} {array.shape} ".encode()
    return hashlib.sha256(header + np.ascontiguousarray(array).tobytes()).hexdigest()


def load_draw(recording: Recording, seed: int) -> Dataset:
    """The run's data with one seed."""
    from utils import data

    sizes = {"n_train": recording.n_train, "n_validation": recording.n_validation}
    return getattr(data, f"load_{recording.dataset}")(**sizes, seed=seed)


def load_page(name: str, recording: Recording) -> dict:
    """What the run's cells define."""
    page: dict = {}
    exec(compile(recorded_cells(recording.notebook, name), recording.notebook.name, "exec"), page)
    return page


def train_arm(name: str, recording: Recording, arm: str, seed: int, threads: int | None) -> dict:
    """Train one arm with one seed at full size, in this process or a worker."""
    import keras
    import tensorflow as tf

    if threads is not None:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    page, before = load_page(name, recording), keras.config.dtype_policy()
    keras.config.set_dtype_policy(recording.precision)
    try:
        result, _, _ = page[recording.run](
            page[recording.arms][arm], load_draw(recording, seed), seed, epochs=recording.epochs
        )
    finally:
        keras.config.set_dtype_policy(before)
    return {"arm": arm, **result}


def record(name: str, recording: Recording, file: Path, workers: int = 1) -> None:
    """Train every arm with every seed at full size, and keep what came out."""
    arms = list(load_page(name, recording)[recording.arms])
    draws = []
    for seed in range(recording.seeds):
        draw = load_draw(recording, seed)
        if not draw.is_real:
            sys.exit(f"{name}: the real data isn't at hand, and a stand-in is not worth recording")
        draws.append(digest(draw.x_train))
    about = {
        "command": recording.command,
        "date": datetime.date.today().isoformat(),
        "seconds": 0.0,
        "settings": recording.settings,
        "precision": recording.precision,
        "versions": {"python": platform.python_version()} | {p: version(p) for p in PACKAGES},
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        "data": {
            "name": draw.name,
            "is_real": draw.is_real,
            "x_test": digest(draw.x_test),
            "x_train": draws,
        },
        "code": code_digest(recording.notebook, name),
    }
    del draw
    results, old = previous_results(file, about)
    if old["settings"]["seeds"] > recording.seeds:  # what is kept has more; it stays
        about = old
    before = old["seconds"]
    done = {(r["arm"], r["seed"]) for r in results}
    order = [(arm, seed) for seed in range(recording.seeds) for arm in arms]
    tasks = [task for task in order if task not in done]
    threads = None if workers == 1 else max(1, os.cpu_count() // workers)
    start = time.perf_counter()
    trained = joblib.Parallel(
        n_jobs=workers, return_as="generator_unordered", pre_dispatch=workers
    )(joblib.delayed(train_arm)(name, recording, *task, threads) for task in tasks)
    for result in tqdm(trained, total=len(tasks), unit="model"):
        results.append({key: rounded(value) for key, value in result.items()})
        results.sort(key=lambda r: (r["seed"], arms.index(r["arm"])))
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
    parser.add_argument("--workers", type=int, default=1, help="models trained at the same time")
    options = parser.parse_args()
    chosen = {s: getattr(options, s) for s in SETTINGS if getattr(options, s) is not None}
    recording = replace(RUNS[options.run], **chosen)
    record(options.run, recording, options.folder / f"{options.run}.json", options.workers)


if __name__ == "__main__":
    main()
