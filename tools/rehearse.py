"""Rehearse the chapters as Colab runs them: ``make rehearse``.

A fresh environment gets Colab's versions of the packages that Colab has, and not this repository.
Each notebook runs alone in an empty folder, and has to leave it empty: then chapters can run in any
order. Where a first cell asks pip for the repository, git answers with a clone of this checkout:
what is committed here is rehearsed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

from nbclient.exceptions import CellExecutionError, DeadKernelError
from tqdm import tqdm

from tools import execute, notebooks

PACKAGE = "regularization-book"


def colab_environment(folder: Path, root: Path) -> Path:
    """Make a virtual environment with Colab's packages; return its Python."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], "ipykernel", "-c", str(root / "constraints-colab.txt")]
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if shutil.which("uv"):
        subprocess.run(
            ["uv", "venv", "--quiet", "--seed", "--python", sys.executable, folder], check=True
        )
        install = ["uv", "pip", "install", "--quiet", "--compile-bytecode", "--python", python]
    else:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        install = [python, "-m", "pip", "install", "--quiet"]
    subprocess.run([*install, *wanted], check=True)
    return python


def git_answers(url: str, repository: Path) -> dict[str, str]:
    """An environment in which git reads ``repository`` where it is asked for ``url``."""
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    count = int(env.get("GIT_CONFIG_COUNT", "0"))
    return env | {
        "GIT_CONFIG_COUNT": str(count + 1),
        f"GIT_CONFIG_KEY_{count}": f"url.{repository.as_uri()}.insteadOf",
        f"GIT_CONFIG_VALUE_{count}": url,
    }


def rehearse(path: Path, python: Path, env: dict[str, str]) -> str:
    """Run a copy of one notebook alone in an empty folder; say how it went.

    Raises
    ------
    RuntimeError
        When its first cell didn't install the book's module, or a cell left a file behind.
    """
    pip = [python, "-m", "pip"]
    subprocess.run([*pip, "uninstall", "--quiet", "--yes", PACKAGE], check=True, env=env)
    nb = notebooks.read(path)
    start = time.perf_counter()
    with (
        tempfile.TemporaryDirectory(prefix="empty-") as folder,
        tqdm(total=len(notebooks.code_cells(nb)), desc=path.stem, unit="cell", leave=False) as bar,
    ):
        memory = execute.run(nb, Path(folder), bar, str(python), env)
        if left := sorted(item.name for item in Path(folder).iterdir()):
            raise RuntimeError(f"it left files behind: {', '.join(left)}")
    if subprocess.run([*pip, "show", "--quiet", PACKAGE], check=False, env=env).returncode:
        raise RuntimeError("its first cell found a module `utils` elsewhere and installed nothing")
    return f"{time.perf_counter() - start:.0f} s, {memory / 1024:.1f} GB"


def main(arguments: list[str] | None = None, root: Path = notebooks.ROOT) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="make rehearse", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="only these notebooks, e.g. overfitting")
    options = parser.parse_args(arguments)
    try:
        chosen = notebooks.select(options.names, root)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    failed = False
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
        clone = Path(folder) / "repository.git"
        subprocess.run(["git", "clone", "--quiet", "--bare", root, clone], check=True)
        python = colab_environment(Path(folder) / "venv", root)
        env = git_answers(notebooks.repository_url(root), clone)
        for path in tqdm(chosen, desc="notebooks", unit="notebook"):
            try:
                outcome = rehearse(path, python, env)
            except (CellExecutionError, DeadKernelError, RuntimeError) as error:
                failed, outcome = True, f"FAILED\n{error}"
            tqdm.write(f"{path.stem}: {outcome}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
