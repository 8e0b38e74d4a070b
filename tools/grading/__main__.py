"""Grade a class: ``make grade SUBMISSIONS=folder ASSIGNMENT=dropout``.

Writes ``grades.csv``, an overview of the class, a feedback page for each student and the written
answers into one folder. What is marked stays marked: stopped and started again, the command goes on
with the rest.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import sys
import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import psutil
from tqdm import tqdm

from tools import assignments, notebooks
from tools.grading import report, sandbox
from tools.grading.marking import Check, Mark, Marked, mark
from tools.grading.submissions import Submission, Unreadable, find_submissions
from utils import data

# Those whose answers a test sees.
PACKAGES = ("numpy", "scipy", "pandas", "scikit-learn", "tensorflow", "keras", "otter-grader")


def key(submission: Submission, name: str, kind: str, limits: sandbox.Limits) -> str:
    """Changes with everything that a mark depends on."""
    tests = notebooks.ROOT / assignments.BUILT / "build" / name / "digest"
    places = (Path(__file__).parent, notebooks.ROOT / "utils")
    code = [file for place in places for file in sorted(place.rglob("*.py"))]
    parts = [submission.student, submission.digest, name, kind, repr(limits), sys.version]
    parts += [f"{package} {version(package)}" for package in PACKAGES]
    parts += [file.read_text("utf-8") for file in (tests, *code)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def file_name(student: str) -> str:
    """A name for a student's files that every file system takes, and no two students share."""
    plain = re.sub(r"[^A-Za-z0-9@+-]+", "_", student).strip("_")[:60]
    return f"{plain}_{hashlib.sha256(student.encode()).hexdigest()[:16]}"


def saved(file: Path, wanted: str) -> Marked | None:
    """A result from before, when nothing has changed since."""
    try:
        content = json.loads(file.read_text("utf-8"))
        if content.pop("key") != wanted:
            return None
        marks = content.pop("marks")
        checks = [[Check(**c) for c in m.pop("checks")] for m in marks]
        marks = [Mark(**m, checks=c) for m, c in zip(marks, checks, strict=True)]
        return Marked(**content, marks=marks)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def grade(
    place: Path,
    name: str,
    out: Path,
    workers: int = 2,
    limits: sandbox.Limits | None = None,
    kind: str | None = None,
    again: Collection[str] = (),
) -> list[Marked]:
    """Mark all submissions, and write what came out.

    Parameters
    ----------
    place : Path
        See ``submissions.find_submissions``.
    name : str
        The assignment.
    out : Path
        Folder for grades and feedback.
    workers : int
        Submissions marked at the same time, at most one on each core: more would take each
        other's time, and a grade must not depend on that.
    limits : sandbox.Limits, optional
        For each submission.
    kind : str, optional
        Sandbox; the safest at hand when not given.
    again : collection of str
        Students who are marked again, whatever was marked before.

    Returns
    -------
    list of Marked
        By student.

    Raises
    ------
    Unreadable
        When there are no submissions, or none of a student who is to be marked again.
    ValueError
        When the list of points given by hand can't be understood.
    """
    limits = limits or sandbox.Limits()
    assignment = assignments.load(name)
    submissions, ignored = find_submissions(place)
    if not submissions:
        raise Unreadable(f"{place}: no submissions there")
    if unknown := sorted({*again} - {submission.student for submission in submissions}):
        raise Unreadable(f"{place}: no submission of {', '.join(unknown)}")
    given = report.read_hand_marks(out / "written.csv", assignment)
    kind = kind or sandbox.choose()
    for folder in (out / "feedback", out / "marks"):
        folder.mkdir(parents=True, exist_ok=True)
    results, due = [], []
    for submission in submissions:
        file = out / "marks" / f"{file_name(submission.student)}.json"
        wanted = key(submission, name, kind, limits)
        before = None if submission.student in again else saved(file, wanted)
        if before:
            results.append(before)
        else:
            due.append((submission, file, wanted))
    if results:
        print(f"{len(results)} of {len(submissions)} were marked before")

    def mark_and_save(submission: Submission, file: Path, wanted: str) -> Marked:
        marked = mark(submission, assignment, kind, limits)
        if not marked.failed:
            notebooks.write_text(file, json.dumps({"key": wanted, **asdict(marked)}, indent=1))
        return marked

    if due:
        for dataset in assignment.datasets:
            getattr(data, f"load_{dataset}")(
                n_train=1
            )  # Fetches it, where it is missing: the sandbox has no network.
        # A machine on which no sandbox starts says so once, not for each submission.
        sandbox.Sandbox(kind, limits, time.monotonic() + 120).close()
    pool = ThreadPoolExecutor(min(workers, cores()))
    try:
        tasks = [pool.submit(mark_and_save, *task) for task in due]
        for task in tqdm(as_completed(tasks), total=len(due), unit="submission", disable=not due):
            results.append(task.result())
    finally:
        pool.shutdown(cancel_futures=True)
    unused = []
    if any(q.manual for q in assignment.questions):
        unused = report.add_hand_marks(results, given, assignment, out / "written.csv")
    report.write_grades(results, out / "grades.csv")
    report.write_overview(results, assignment, ignored, unused, out / "overview.html")
    for marked in results:
        file = out / "feedback" / f"{file_name(marked.student)}.html"
        report.write_feedback(marked, assignment, file)
    if any(q.manual for q in assignment.questions):
        report.write_answers(results, assignment, out / "written.html")
    return sorted(results, key=lambda m: m.student)


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_workers() -> int:
    """As many as there are cores, and as memory for them."""
    fit = psutil.virtual_memory().available // sandbox.Limits().memory
    return max(1, min(cores(), fit))


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("submissions", type=Path)
    parser.add_argument("assignment")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--workers", type=int, default=default_workers())
    for what in ("cell", "call", "total"):
        usual = getattr(sandbox.Limits(), f"{what}_seconds")
        parser.add_argument(f"--{what}-seconds", type=float, default=usual)
    parser.add_argument(
        "--student", action="append", default=[], help="mark this one again; may be repeated"
    )
    options = parser.parse_args()
    limits = sandbox.Limits(
        cell_seconds=options.cell_seconds,
        call_seconds=options.call_seconds,
        total_seconds=options.total_seconds,
    )
    out = options.out or Path("_grades") / options.assignment
    try:
        results = grade(
            options.submissions, options.assignment, out, options.workers, limits,
            again=options.student,
        )  # fmt: skip
    except (ValueError, PermissionError, sandbox.NotStarted) as error:
        print(f"make grade: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("make grade: stopped; the same command goes on from here", file=sys.stderr)
        return 130
    scores = sorted(report.total(marked)[0] for marked in results)
    print(
        f"{len(results)} submissions, median {scores[len(scores) // 2]:g} points: {out}/grades.csv"
    )
    odd = sum(bool(report.look_at(marked)) for marked in results)
    print(f"{odd} to look at before anything is sent: {out}/overview.html")
    failed = [marked.student for marked in results if marked.failed]
    if failed:
        names = ", ".join(failed)
        print(f"make grade: the grader failed on {names}; run it again", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
