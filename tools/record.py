"""Full-size runs, kept as a file: ``python -m tools.record mnist_full``.

Runs the cells tagged ``recorded`` of a chapter, so that what is recorded is what the page shows,
and trains each arm with each seed. The file is rewritten after every model; started again after a
kill, the command goes on with what is missing. A file made by other code or on other data isn't
mixed with new results: it is set aside under a name that ends in ``.old``.
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
from importlib.metadata import version
from pathlib import Path

import nbformat
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[1]
CHAPTER = ROOT / "book" / "mnist_case_study.ipynb"
PACKAGES = ("tensorflow", "keras", "numpy")


def recorded_cells(notebook: Path) -> str:
    """Source of the cells tagged ``recorded``, in order."""
    cells = nbformat.read(notebook, as_version=4).cells
    chosen = [c.source for c in cells if "recorded" in c.metadata.get("tags", [])]
    if not chosen:
        raise ValueError(f"{notebook.name} has no cell tagged 'recorded'")
    return "\n\n".join(chosen)


def code_digest(notebook: Path) -> str:
    """SHA-256 of the recorded cells: tells whether a file still belongs to the page."""
    return hashlib.sha256(recorded_cells(notebook).encode()).hexdigest()


def save(content: dict, file: Path) -> None:
    """Write JSON whole or not at all."""
    part = file.with_suffix(".part")
    part.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
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


def mnist_full(file: Path, sizes: dict[str, int], seeds: int, epochs: int) -> None:
    """Every arm of the MNIST chapter at the tutorial's full size."""
    from utils.data import digest, load_mnist

    page: dict = {}
    exec(compile(recorded_cells(CHAPTER), CHAPTER.name, "exec"), page)
    data = [load_mnist(**sizes, seed=seed) for seed in range(seeds)]
    about = {
        "command": "make mnist-full",
        "date": datetime.date.today().isoformat(),
        "seconds": 0.0,
        "settings": {**sizes, "epochs": epochs, "seeds": seeds},
        "versions": {"python": platform.python_version()} | {p: version(p) for p in PACKAGES},
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        "data": {
            "name": data[0].name,
            "is_real": data[0].is_real,
            "x_test": digest(data[0].x_test),
            "x_train": [digest(d.x_train) for d in data],
        },
        "code": code_digest(CHAPTER),
    }
    if not data[0].is_real:
        sys.exit("mnist_full: real MNIST isn't at hand, and a stand-in is not worth recording")
    results, before = previous_results(file, about)
    done = {(r["arm"], r["seed"]) for r in results}
    tasks = [(arm, seed) for seed in range(seeds) for arm in page["ARMS"]]
    start = time.perf_counter()
    for arm, seed in tqdm([t for t in tasks if t not in done], unit="model"):
        result, _, _ = page["run"](page["ARMS"][arm], data[seed], seed, epochs=epochs)
        results.append({"arm": arm, **result})
        about["seconds"] = round(before + time.perf_counter() - start, 1)
        save({"about": about, "results": results}, file)
    print(f"{len(results)} models in {file.name}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", choices=["mnist_full"])
    parser.add_argument("--folder", type=Path, default=ROOT / "utils" / "recorded")
    parser.add_argument("--n-train", type=int, default=34_300)
    parser.add_argument("--n-validation", type=int, default=14_700)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=10)
    options = parser.parse_args()
    sizes = {"n_train": options.n_train, "n_validation": options.n_validation}
    mnist_full(options.folder / f"{options.run}.json", sizes, options.seeds, options.epochs)


if __name__ == "__main__":
    main()
