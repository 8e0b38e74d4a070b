"""Re-run the notebooks whose outputs are out of date, and write them back.

A notebook is out of date when its code, or that of the modules of ``utils`` it imports, changed
since its outputs were made; comments and docstrings don't count. The outputs' digest is in the
notebook's metadata, with the run's time, peak memory, versions and kind of data. Afterwards the
page ``book/status.md`` is made anew.

With ``--compare`` nothing is written: the notebooks run again, and what comes out is compared with
what is stored, figures included. Cells tagged ``timing`` measure time and may differ.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
import time
from importlib.metadata import version
from pathlib import Path

import matplotlib
import nbformat
import psutil
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from matplotlib import font_manager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from tqdm import tqdm

from tools import notebooks, status

PACKAGES = ("tensorflow", "keras", "numpy", "pandas", "matplotlib", "scikit-learn")
# Lines on stderr that say nothing about the book: tqdm's bars, with a total and without, and what
# TensorFlow's C++ side logs while it is imported, whatever TF_CPP_MIN_LOG_LEVEL says: information,
# and warnings of the files that look at the machine. Its other warnings stay.
NOISE = re.compile(
    r"(.*\d+%\|.*\| \S+/\S+|(.*: )?[\d.]+[kMGT]? ?[a-z]+) \[(\d+:)?\d\d:\d\d[<,].*\]"
    r"|WARNING: All log messages before absl::InitializeLog\(\) .*"
    r"|(I\d{4} \S+ +\d+ \w+\.(cc|h)"
    r"|W\d{4} \S+ +\d+ (port|cpu_feature_guard|cudart_stub|computation_placer)\.cc):\d+\] .*"
)


class OneInterpreter(AsyncKernelManager):
    """Starts kernels with one Python, whatever kernels are registered."""

    python = sys.executable

    @property
    def kernel_spec(self) -> KernelSpec:
        """The one kernel there is."""
        launch = [self.python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        launch += ["--log-level=ERROR"]
        return KernelSpec(argv=launch, display_name="Python 3", language="python")


def without_noise(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """The outputs without progress bars and start-up messages on stderr. Warnings stay."""
    kept = []
    for output in outputs:
        if output.output_type == "stream" and output.name == "stderr":
            lines = [line.strip() for line in re.split(r"[\r\n]|\x1b\[A", output.text)]
            lines = [line for line in lines if line and not NOISE.fullmatch(line)]
            if not lines:
                continue
            output.text = "\n".join(lines) + "\n"
        kept.append(output)
    return kept


def normalise(nb: nbformat.NotebookNode) -> None:
    """Drop from the notebook what differs from run to run and tells nothing."""
    nb.metadata["kernelspec"] = {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    nb.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    for cell in notebooks.code_cells(nb):
        cell.metadata.pop("execution", None)
        cell.outputs = without_noise(cell.outputs)


def peak_memory(pid: int) -> int:
    """Largest resident size so far of a process and its living children, in MB.

    0 where the system doesn't keep it (it is Linux that does).
    """
    total = 0
    try:
        root = psutil.Process(pid)
        for process in [root, *root.children(recursive=True)]:
            status_file = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
            total += int(re.search(r"VmHWM:\s+(\d+) kB", status_file)[1]) // 1024
    except (OSError, psutil.Error, TypeError):  # gone meanwhile, or not on Linux
        pass
    return total


def run(
    nb: nbformat.NotebookNode,
    folder: Path,
    bar: tqdm,
    python: str = sys.executable,
    env: dict[str, str] | None = None,
    allow_errors: bool = False,
) -> int:
    """Execute all cells of ``nb`` in place, in a new kernel of ``python`` that works in ``folder``.

    ``env`` takes the place of the environment. With ``allow_errors`` a cell may fail.

    Returns the kernel's peak memory in MB.
    """
    for cell in notebooks.code_cells(nb):
        cell.outputs, cell.execution_count = [], None
    memory = 0

    def after_cell(**_):
        nonlocal memory
        bar.update()
        memory = max(memory, peak_memory(client.km.provisioner.pid))

    client = NotebookClient(
        nb,
        kernel_manager_class=type("Kernels", (OneInterpreter,), {"python": python}),
        resources={"metadata": {"path": str(folder)}},
        timeout=None,
        allow_errors=allow_errors,
        record_timing=False,
        coalesce_streams=True,
        on_cell_executed=after_cell,
    )
    client.execute(**({} if env is None else {"env": env}))
    return memory


def differences(stored: nbformat.NotebookNode, fresh: nbformat.NotebookNode) -> list[str]:
    """Ids of the cells whose outputs differ, but for cells tagged ``timing``."""
    pairs = zip(notebooks.code_cells(stored), notebooks.code_cells(fresh), strict=True)
    return [
        old.id
        for old, new in pairs
        if old.outputs != new.outputs and "timing" not in old.metadata.get("tags", [])
    ]


def compare(path: Path) -> list[str]:
    """Run a copy of a notebook; ids of the cells whose outputs aren't those that are stored."""
    stored, fresh = notebooks.read(path), notebooks.read(path)
    with tqdm(total=len(notebooks.code_cells(fresh)), desc=path.stem, leave=False) as bar:
        run(fresh, path.parent, bar)
    normalise(fresh)
    return differences(stored, fresh)


def execute(path: Path, *, allow_stand_in: bool = False, root: Path = notebooks.ROOT) -> float:
    """Re-run one notebook and write it back with its digest.

    Parameters
    ----------
    path : Path
        The notebook. It is replaced in one step, and only after a run without errors.
    allow_stand_in : bool
        Whether to write back outputs that don't come from the real data.
    root : Path
        Root of the repository.

    Returns
    -------
    float
        Wall time, in seconds.

    Raises
    ------
    CellExecutionError
        When a cell fails.
    RuntimeError
        When the data isn't real, or the file changed on disk during the run.
    """
    before = path.read_bytes()
    nb = notebooks.read(path)
    # Taken before the run: what changes meanwhile leaves the notebook out of date.
    digest = notebooks.digest(nb, root)
    start = time.perf_counter()
    with tqdm(total=len(notebooks.code_cells(nb)), desc=path.stem, unit="cell", leave=False) as bar:
        memory = run(nb, path.parent, bar)
    seconds = time.perf_counter() - start
    normalise(nb)
    stand_in = notebooks.STAND_IN in notebooks.output_text(nb)
    if stand_in and not allow_stand_in:
        raise RuntimeError(
            f"{path.name} ran on stand-in data, so it was not written back. Set BOOK_DATA to the "
            "folder with the real data, or pass --allow-stand-in."
        )
    if path.read_bytes() != before:
        raise RuntimeError(f"{path.name} changed on disk during the run: not overwritten.")
    nb.metadata["book"] = {
        "digest": digest,
        "data": "stand-in" if stand_in else "real",
        "seconds": round(seconds, 1),
        "memory": memory,
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in PACKAGES},
    }
    notebooks.write_text(path, nbformat.writes(nb).rstrip("\n") + "\n")
    return seconds


def compare_all(paths: list[Path]) -> int:
    """Compare each notebook with a second run; 1 when one of them differs."""
    found = {path.stem: compare(path) for path in paths}
    for name, cells in found.items():
        print(f"{name}: {'differs in ' + ', '.join(cells) if cells else 'the same, bit for bit'}")
    return 1 if any(found.values()) else 0


def font_elsewhere() -> str:
    """Where matplotlib found its font, when that isn't its own folder; else an empty string.

    Another copy of the font gives figures other glyph numbers, and text another shape.
    """
    found, own = font_manager.findfont("DejaVu Sans"), Path(matplotlib.get_data_path())
    # Resolved, since an environment may be a link.
    return "" if Path(found).resolve().is_relative_to(own.resolve()) else found


def main(arguments: list[str] | None = None, root: Path = notebooks.ROOT) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="make execute", description=__doc__)
    parser.add_argument("names", nargs="*", help="only these notebooks, e.g. overfitting")
    parser.add_argument("--all", action="store_true", help="also what is up to date")
    parser.add_argument("--check", action="store_true", help="only list what is out of date")
    parser.add_argument("--compare", action="store_true", help="run, and compare with what is kept")
    parser.add_argument("--allow-stand-in", action="store_true", help="write back stand-in outputs")
    options = parser.parse_args(arguments)
    try:
        chosen = notebooks.select(options.names, root)
        stale = [
            path
            for path in chosen
            if options.all or not notebooks.is_fresh(notebooks.read(path), root)
        ]
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    if options.check:
        for path in stale:
            print(f"out of date: {path.relative_to(root).as_posix()}")
        return 1 if stale else 0
    if font := font_elsewhere():
        print(
            f"matplotlib takes DejaVu Sans from {font}, not from its own folder, so figures would "
            "not be those of other machines. Delete its list of fonts and run this again: "
            f"{Path(matplotlib.get_cachedir(), 'fontlist-*.json')}",
            file=sys.stderr,
        )
        return 1
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("PYTHONHASHSEED", "0")
    if options.compare:
        return compare_all(chosen)
    if not stale:
        print(
            f"Up to date: {len(chosen)} notebook(s). To run them all the same: make execute ALL=1"
        )
        return 0
    rows, failed = [], False
    for path in tqdm(stale, desc="notebooks", unit="notebook", disable=len(stale) == 1):
        try:
            seconds = execute(path, allow_stand_in=options.allow_stand_in, root=root)
            rows.append((path.stem, f"{seconds:.1f} s", "written"))
        except (CellExecutionError, DeadKernelError, RuntimeError, ValueError) as error:
            failed = True
            tqdm.write(f"\n{path.name}: {error}", file=sys.stderr)
            rows.append((path.stem, "", "FAILED, file untouched"))
    width = max(len(name) for name, _, _ in rows)
    for name, seconds, outcome in rows:
        print(f"{name:<{width}}  {seconds:>8}  {outcome}")
    if any(seconds for _, seconds, _ in rows):
        failed = status.main([], root) != 0 or failed
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
