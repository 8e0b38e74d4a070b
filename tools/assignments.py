"""Builds the assignments from their masters: ``make assignments``.

A master (``book/assignments/NAME.ipynb``) holds questions, solutions, tests and rubrics in
otter-grader's format. From it come

- ``book/assignments/student/NAME.ipynb``, the only part that the site offers;
- ``_assignments/gradescope/NAME.zip``, otter's archive for Gradescope;
- ``_assignments/solutions/NAME.ipynb``, the same with solutions and rubrics, for teachers;
- ``_assignments/build/NAME``, otter's own output, with the tests that `tools.grading` runs.
"""

from __future__ import annotations

import argparse
import hashlib
import inspect
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import yaml

from tools import notebooks

OTTER = "otter-grader==7.0.0"
FIRST_LINE = "#@title Run this cell first: it prepares the checks"  # Colab hides the rest.
MASTERS = Path("book/assignments")
STUDENT = MASTERS / "student"
BUILT = Path("_assignments")


@dataclass(frozen=True)
class Question:
    """One question of an assignment.

    Attributes
    ----------
    name : str
        As in ``grader.check("q1")``.
    points : float
        What it is worth.
    manual : bool
        Whether a person marks it.
    rubric : str
        How, as Markdown; empty for the others.
    tests : list
        Otter's test cases, public and hidden; empty when a person marks it.
    """

    name: str
    points: float
    manual: bool
    rubric: str = ""
    tests: list[Any] = field(default_factory=list)


@dataclass(frozen=True)
class Assignment:
    """One assignment.

    Attributes
    ----------
    name, title : str
        File name and heading.
    questions : list of Question
        In their order.
    given : frozenset of str
        Cells of the student version. Others in a submission are the student's own.
    datasets : tuple of str
        Names of the data sets that it loads, those of ``utils.data.load_…``.
    """

    name: str
    title: str
    questions: list[Question]
    given: frozenset[str] = frozenset()
    datasets: tuple[str, ...] = ()

    @property
    def tested_names(self) -> list[str]:
        """What the tests look up in a notebook: the parameters of all test functions."""
        tests = [t.body.test_func for q in self.questions for t in q.tests]
        return sorted({name for test in tests for name in inspect.signature(test).parameters})


def names(root: Path = notebooks.ROOT) -> list[str]:
    """Names of all assignments, in the order of the course."""
    order = [path.stem for path in notebooks.book_notebooks(root)]
    masters = [path.stem for path in (root / MASTERS).glob("*.ipynb")]
    return sorted(masters, key=lambda name: (order.index(name) if name in order else 99, name))


def load(name: str, root: Path = notebooks.ROOT) -> Assignment:
    """An assignment with its tests, as they were built.

    Raises
    ------
    ValueError
        When there is no assignment of this name, or it wasn't built.
    """
    from otter.test_files.exception_test import ExceptionTestFile

    if name not in names(root):
        raise ValueError(f"no assignment {name!r}; there are: {', '.join(names(root))}")
    if not is_built(name, root):
        raise ValueError(
            f"{name} isn't built, or not since it was changed; first: make assignments"
        )
    master = notebooks.read(root / MASTERS / f"{name}.ipynb")
    folder = root / BUILT / "build" / name / "autograder" / "tests"
    questions = []
    for config, cells in question_blocks(master):
        manual = bool(config.get("manual"))
        rubric = "\n\n".join(c.source for c in cells if manual and "rubric" in _tags(c))
        tests = []
        if not manual:
            file = folder / f"{config['name']}.py"
            tests = ExceptionTestFile.from_file(str(file)).test_cases
        questions.append(Question(config["name"], config["points"], manual, rubric, tests))
    title = next(c.source for c in master.cells if c.cell_type == "markdown")
    student = notebooks.read(root / BUILT / "student" / f"{name}.ipynb")
    given = frozenset(c.source.strip() for c in student.cells)
    code = "\n".join(c.source for c in notebooks.code_cells(master))
    datasets = tuple(sorted(set(re.findall(r"from utils\.data import load_(\w+)", code))))
    return Assignment(name, title.splitlines()[0].lstrip("# "), questions, given, datasets)


def question_blocks(master: nbformat.NotebookNode) -> list[tuple[dict, list]]:
    """Settings and cells of each question of a master."""
    blocks: list[tuple[dict, list]] = []
    inside = False
    for cell in master.cells:
        if cell.cell_type == "raw" and cell.source.startswith("# BEGIN QUESTION"):
            blocks.append((yaml.safe_load(cell.source), []))
            inside = True
        elif cell.cell_type == "raw" and cell.source.startswith("# END QUESTION"):
            inside = False
        elif inside:
            blocks[-1][1].append(cell)
    return blocks


def _tags(cell):
    return cell.metadata.get("tags", [])


def setup_cell(name: str, public: dict[str, str], url: str | None) -> str:
    """First code cell of a student version: otter, installed where it is missing, and the tests.

    With ``url``, also the book's ``utils``, as in the chapters.

    Otter reads tests from files. The notebook brings them along, because it has to work alone: as
    a download in an empty folder, and on Colab, where not even the notebook is a file.
    """
    folder = f"checks_{name}"
    texts = ",\n".join(f'    "{q}": r"""\n{text.strip()}\n"""' for q, text in public.items())
    utils = f"{notebooks.setup_cell(url)}\n\n" if url else ""
    return f"""\
{FIRST_LINE}
{utils}# The checks need otter-grader. Where it is missing it is installed: a minute, once.
import importlib.util
import subprocess
import sys
from pathlib import Path

if importlib.util.find_spec("otter") is None:
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "{OTTER}"], check=True)
CHECKS = {{
{texts}
}}
Path("{folder}").mkdir(exist_ok=True)
for question, test in CHECKS.items():
    Path("{folder}", f"{{question}}.py").write_text(test, encoding="utf-8")

import otter

grader = otter.Notebook(tests_dir="{folder}")"""


def with_setup(
    nb: nbformat.NotebookNode, name: str, tests: Path, url: str
) -> nbformat.NotebookNode:
    """A notebook made by otter, with the setup cell, no outputs, and the same on each build."""
    public = {path.stem: path.read_text(encoding="utf-8") for path in sorted(tests.glob("*.py"))}
    needs_utils = any("from utils" in c.source for c in notebooks.code_cells(nb))
    cells = [nbformat.v4.new_code_cell(setup_cell(name, public, url if needs_utils else None))]
    cells[0].metadata = {"cellView": "form", "jupyter": {"source_hidden": True}}
    titles = [i for i, c in enumerate(nb.cells) if c.cell_type == "markdown"]
    cells = [*nb.cells[: titles[0] + 1], *cells, *nb.cells[titles[0] + 1 :]]
    for cell in cells:
        # Otter's marks for PDFs show as empty cells.
        cell.source = re.sub(r"<!-- (BEGIN|END) QUESTION -->\s*", "", cell.source)
    cells = [cell for cell in cells if cell.source.strip()]
    for number, cell in enumerate(cells):
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        cell.id = hashlib.sha256(f"{name} {number}".encode()).hexdigest()[:8]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return nbformat.v4.new_notebook(cells=cells, metadata=metadata)


def build(name: str, root: Path = notebooks.ROOT) -> None:
    """Build one assignment.

    Raises
    ------
    RuntimeError
        When otter can't: the master's format is wrong, or its solutions don't get all points.
    """
    master = root / MASTERS / f"{name}.ipynb"
    target = root / BUILT / "build" / name
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "otter", "assign", "--no-pdfs", str(master), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        if done.returncode:
            raise RuntimeError(f"{name}: otter assign failed\n{_gist(done.stdout + done.stderr)}")
        _check_points(notebooks.read(master), target / "autograder" / "tests", name)
    except RuntimeError:
        shutil.rmtree(target, ignore_errors=True)
        raise
    public = target / "student" / "tests"
    url = notebooks.repository_url(root)
    for kind, folder in (("student", "student"), ("solutions", "autograder")):
        nb = with_setup(notebooks.read(target / folder / master.name), name, public, url)
        (root / BUILT / kind).mkdir(exist_ok=True)
        notebooks.write_text(root / BUILT / kind / master.name, nbformat.writes(nb) + "\n")
    (root / BUILT / "gradescope").mkdir(exist_ok=True)
    (archive,) = (target / "autograder").glob("*.zip")
    shutil.copyfile(archive, root / BUILT / "gradescope" / f"{name}.zip")
    (target / "digest").write_text(_digest(name, root))


def _gist(output):
    """What went wrong, without the way there and without what went right."""
    found = re.search(r"(?s)\w*FormatException:.*|Some autograder tests failed.*", output)
    text = found.group() if found else output
    return re.sub(r"\n *\w+ results: All test cases passed!\n", "\n", text)


def _check_points(master, tests, name):
    """Each question's points are those of its hidden tests; public ones have none."""
    from otter.test_files.exception_test import ExceptionTestFile

    for config, _ in question_blocks(master):
        if config.get("manual"):
            continue
        cases = ExceptionTestFile.from_file(str(tests / f"{config['name']}.py")).test_cases
        given = sum(t.points for t in cases)
        if given != config["points"]:
            points = f"worth {config['points']} points, but its tests give {given}"
            raise RuntimeError(f"{name}: question {config['name']} is {points}")
        if any(t.points and not t.hidden for t in cases):
            raise RuntimeError(f"{name}: a public test of {config['name']} has points")


def is_built(name: str, root: Path = notebooks.ROOT) -> bool:
    """Whether the output belongs to the master as it is now."""
    file = root / BUILT / "build" / name / "digest"
    return file.is_file() and file.read_text() == _digest(name, root)


def _digest(name, root):
    master = (root / MASTERS / f"{name}.ipynb").read_bytes()
    code = [Path(file).read_bytes() for file in (__file__, notebooks.__file__)]
    parts = [master, *code, notebooks.repository_url(root).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def main(root: Path = notebooks.ROOT) -> int:
    """Build what changed, all of it in parallel."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="also what is up to date")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--check", action="store_true", help="fail where the book has an old one")
    options = parser.parse_args()
    due = [name for name in names(root) if options.all or not is_built(name, root)]
    failed = []
    with ThreadPoolExecutor(options.workers) as pool:
        for name, task in [(name, pool.submit(build, name, root)) for name in due]:
            try:
                task.result()
                print(f"{name}: built")
            except RuntimeError as error:
                failed.append(name)
                print(re.sub(r"\n{3,}", "\n\n", str(error)), file=sys.stderr)
    for name in names(root):
        made, shown = (root / f / f"{name}.ipynb" for f in (BUILT / "student", STUDENT))
        if name in failed or (shown.is_file() and shown.read_bytes() == made.read_bytes()):
            continue
        if options.check:
            failed.append(name)
            print(f"{shown}: not what the master makes; run make assignments", file=sys.stderr)
        else:
            shown.parent.mkdir(exist_ok=True)
            notebooks.write_text(shown, made.read_text(encoding="utf-8"))
            print(f"changed {STUDENT / shown.name}")
    if not due and not failed:
        print("all assignments are up to date")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
