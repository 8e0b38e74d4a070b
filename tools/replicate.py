"""Run the chapters again on seeds that nobody looked at, and write down what became of each claim.

In a round every chapter runs in a copy with its own ``BOOK_SEEDS``: each training, draw and split
that the book repeats is drawn anew, published fixed draws stay. A claim that fails is written down
in place of stopping the chapter. ``tools/replication.json`` keeps the outcome of every claim; the
status page shows it. What was run with the present code isn't run again, so the command can be
stopped at any time.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tqdm import tqdm

from tools import execute, notebooks, outcomes, status
from utils.evidence import STAND_IN

STEP = 100_000  # between the offsets of two rounds: larger than any seed in a chapter


def run(path: Path, offset: int) -> list[dict]:
    """Run a copy of a chapter with an offset; what its claims came to, in order.

    Parameters
    ----------
    path : Path
        The notebook. It isn't changed.
    offset : int
        ``BOOK_SEEDS`` of the run.

    Returns
    -------
    list of dict
        ``text``, ``verdict``, ``turned`` (the whole interval lies on the other side), ``scope``,
        ``shown`` and ``bound`` of each claim, and last, where a cell failed, its error.
    """
    nb = notebooks.read(path)
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder, "claims.jsonl")
        with tqdm(total=len(notebooks.code_cells(nb)), desc=path.stem, leave=False) as bar:
            execute.run(
                nb, path.parent, bar, allow_errors=True,
                env={**os.environ, "BOOK_SEEDS": str(offset), "BOOK_CLAIMS": str(journal)},
            )  # fmt: skip
        lines = journal.read_text(encoding="utf-8").splitlines() if journal.exists() else []
    found = list({entry["text"]: entry for entry in map(json.loads, lines)}.values())
    errors = [
        f"{output.ename}: {output.evalue}"
        for cell in notebooks.code_cells(nb)
        for output in cell.outputs
        if output.output_type == "error"
    ]
    if errors:
        found.append({"text": "", "verdict": f"a cell failed: {errors[0]}"})
    return found


def keep(name: str, digest: str, offset: int, found: list[dict], root: Path) -> None:
    """Add the outcomes of one run to the file, whole or not at all.

    The file is read again first: another process may have added to it. Outcomes of another version
    of the chapter go.
    """
    results = outcomes.replications(root)
    chapter = results.get(name, {})
    rounds = chapter["rounds"] if chapter.get("digest") == digest else {}
    rounds = dict(sorted({**rounds, str(offset): found}.items(), key=lambda item: int(item[0])))
    results[name] = {"digest": digest, "rounds": rounds}
    order = [path.stem for path in notebooks.book_notebooks(root)]
    kept = {stem: results[stem] for stem in order if stem in results}
    notebooks.write_text(
        root / outcomes.REPLICATION, json.dumps(kept, ensure_ascii=False, indent=1) + "\n"
    )


def replicate(
    paths: Iterable[Path], offsets: Iterable[int], root: Path = notebooks.ROOT
) -> dict[str, dict]:
    """Run what isn't there yet, round by round; return all outcomes.

    Raises
    ------
    RuntimeError
        When a chapter ran on stand-in data: its claims weren't tested, so nothing is kept of it.
    """
    paths = list(paths)
    tasks = [(offset, path) for offset in offsets for path in paths]
    for offset, path in tqdm(tasks, desc="replication", unit="chapter", disable=len(tasks) == 1):
        digest = notebooks.digest(notebooks.read(path), root)
        chapter = outcomes.replications(root).get(path.stem, {})
        if chapter.get("digest") != digest or str(offset) not in chapter["rounds"]:
            found = run(path, offset)
            if any(entry["verdict"] == STAND_IN for entry in found):
                raise RuntimeError(
                    f"{path.name} ran on stand-in data, so nothing is kept of it. Set BOOK_DATA to "
                    "the folder with the real data."
                )
            keep(path.stem, digest, offset, found, root)
    return outcomes.replications(root)


def main(arguments: list[str] | None = None, root: Path = notebooks.ROOT) -> int:
    """Run the command; return its exit code: 1 when a claim turned around or a chapter stopped."""
    parser = argparse.ArgumentParser(prog="make replicate", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="only these notebooks, e.g. overfitting")
    parser.add_argument("--rounds", type=int, default=3, help="rounds in all")
    parser.add_argument("--offset", type=int, help="one round with this offset, not kept")
    options = parser.parse_args(arguments)
    try:
        paths = notebooks.select(options.names, root)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    if options.offset is not None:
        rounds = {
            path.stem: {"rounds": {options.offset: run(path, options.offset)}} for path in paths
        }
    else:
        offsets = [STEP * (k + 1) for k in range(options.rounds)]
        try:
            results = replicate(paths, offsets, root)
        except RuntimeError as error:
            print(error, file=sys.stderr)
            return 1
        rounds = {path.stem: results[path.stem] for path in paths}
    stopped = False
    for name, chapter in rounds.items():
        for offset, entries in chapter["rounds"].items():
            tested = outcomes.repeated(entries)
            print(f"{name} {offset}: {sum(map(outcomes.held, tested))} of {len(tested)} hold")
            for entry in tested:
                if not outcomes.held(entry):
                    turned = ", TURNED AROUND" if entry.get("turned") else ""
                    print(f"  {outcomes.failure(entry)}{turned}")
                    stopped |= bool(turned) or not entry["text"]
    if options.offset is None:
        status.main([], root)
    return int(stopped)


if __name__ == "__main__":
    sys.exit(main())
