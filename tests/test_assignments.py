"""The assignments' tests are themselves tested: with answers that are right, and wrong ones."""

import importlib.util
import inspect
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbclient
import nbformat
import numpy as np
import pytest

from tests.conftest import group
from tools import assignments, notebooks
from tools.grading.inside import plain
from tools.grading.marking import Missing, mark_question

ANSWERS = Path(__file__).parent / "answers"


def answers_to(name):
    """The dictionary in ``tests/answers/NAME.py``: question, right or wrong, description, code."""
    spec = importlib.util.spec_from_file_location(f"answers_{name}", ANSWERS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.ANSWERS


def need_build(name):
    if not assignments.is_built(name):
        pytest.fail(f"{name} isn't built as it is now: run `make assignments` first")


class Names:
    """A namespace that answers as the sandbox does: plain data in, plain data out."""

    why_missing = "not defined"

    def __init__(self, names):
        self.names = names

    def look_up(self, name):
        if self.names.get(name, ...) is ...:
            raise Missing(name)
        message = plain.encode(self.names[name])
        if message == {"callable": True}:
            return lambda *args, **kwargs: self.call(self.names[name], args, kwargs)
        return plain.decode(message)

    @staticmethod
    def call(function, args, kwargs):
        args = [plain.decode(plain.encode(a)) for a in args]
        return plain.decode(plain.encode(function(*args, **kwargs)))


@pytest.fixture(scope="module", params=assignments.names())
def solved(request):
    """An assignment, and the names that its solutions define."""
    need_build(request.param)
    names: dict = {}
    for cell in notebooks.code_cells(
        notebooks.read(Path(assignments.MASTERS, f"{request.param}.ipynb"))
    ):
        if "# BEGIN TEST CONFIG" not in cell.source:
            exec(compile(cell.source, f"{request.param} {cell.id}", "exec"), names)
    return assignments.load(request.param), names


def marked_answer(question, names, code):
    """Mark of a question when this code stands in the place of the solution."""
    changed = dict(names)
    exec(compile(code, "answer", "exec"), changed)
    return mark_question(question, Names(changed))


def marks_of_answers(solved, kind, at_least):
    """Question, description, mark and messages of all ``"right"`` or ``"wrong"`` answers."""
    assignment, names = solved
    answers = answers_to(assignment.name)
    for question in (q for q in assignment.questions if not q.manual):
        assert len(answers[question.name][kind]) >= at_least, f"{assignment.name} {question.name}"
        for what, code in answers[question.name][kind].items():
            mark = marked_answer(question, names, code)
            says = [c.message for c in mark.checks if not c.passed]
            yield question, f"{assignment.name} {question.name}, {what}", mark, says


def test_right_answers_get_all_points(solved):
    for question, what, mark, says in marks_of_answers(solved, "right", at_least=3):
        assert mark.score == question.points and not says, f"{what}: {says}"


def test_wrong_answers_lose_points(solved):
    for question, what, mark, says in marks_of_answers(solved, "wrong", at_least=6):
        assert mark.score < question.points, what
        assert all(len(text) > 15 for text in says), f"{what}: {says}"


def trivial(value, kind):
    """Something of the shape of a right answer that knows nothing."""
    if callable(value):
        return {
            "the first argument": lambda *args, **kwargs: args[0],
            "nothing": lambda *args, **kwargs: None,
            "zero": lambda *args, **kwargs: 0.0,
            "a pair": lambda *args, **kwargs: (args[0], args[0]),
            "random numbers": lambda *args, **kwargs: np.random.default_rng(0).random(
                np.shape(args[0])
            ),
        }[kind]
    if kind == "random numbers":
        return np.random.default_rng(0).random(np.shape(value))
    return np.zeros(np.shape(value)) if np.ndim(value) else 0


KINDS = ["the first argument", "nothing", "zero", "a pair", "random numbers"]


@pytest.mark.parametrize("kind", KINDS)
def test_trivial_answers_earn_nothing(solved, kind):
    assignment, names = solved
    for question in assignment.questions:
        own = {n for t in question.tests for n in inspect.signature(t.body.test_func).parameters}
        changed = {n: trivial(v, kind) if n in own else v for n, v in names.items()}
        if not question.manual:
            mark = mark_question(question, Names(changed))
            passed = [c.name for c in mark.checks if c.passed and c.points]
            assert mark.score == 0, f"{assignment.name} {question.name} for {kind}: {passed}"


def test_each_assignment_is_solved_on_one_worker_only(request):
    """To solve the longest takes a minute."""
    using = [i for i in request.session.items if "solved" in getattr(i, "fixturenames", ())]
    assert all(group(item.nodeid) == item.callspec.params["solved"] for item in using)


# ---------------------------------------------------------------------------------------------
# What students get


def secrets_of(name):
    """Lines of a master that only teachers may see, without those that students see as well."""
    secret, given, inside, solution = [], [], False, False
    for cell in notebooks.read(assignments.MASTERS / f"{name}.ipynb").cells:
        hidden = "# BEGIN TEST CONFIG" in cell.source and "hidden: true" in cell.source
        if cell.cell_type == "raw":
            inside = {"# BEGIN SOLUTION": True, "# END SOLUTION": False}.get(cell.source, inside)
            continue
        for line in cell.source.splitlines():
            solution = "# BEGIN SOLUTION" in line or (solution and "# END SOLUTION" not in line)
            only_teachers = hidden or solution or "# SOLUTION" in line
            only_teachers |= inside and cell.cell_type == "markdown"
            text = re.split(r"  # (?:SOLUTION|BEGIN|END)", line)[0].strip()
            (secret if only_teachers else given).append(text)
    shown = "\n".join(given)
    return [line for line in secret if len(line) > 24 and line not in shown]


def leaked(text, secrets):
    """Secret lines that a notebook's text holds, and traces of otter's marks."""
    shown = "\n".join(c.source for c in nbformat.reads(text, 4).cells)
    marks = re.findall(r"hidden=True|BEGIN SOLUTION|rubric", text, re.IGNORECASE)
    return [line for line in secrets if line in shown or line in text] + marks


@pytest.mark.parametrize("name", assignments.names())
def test_student_versions_hold_no_secret(name):
    secrets = secrets_of(name)
    assert len(secrets) > 40
    file = assignments.STUDENT / f"{name}.ipynb"
    assert leaked(file.read_text(encoding="utf-8"), secrets) == []


@pytest.mark.parametrize("place", ["code", "text", "output", "metadata"])
def test_a_leaked_solution_is_seen(place):
    name = assignments.names()[0]
    secret = secrets_of(name)[-1]
    nb = notebooks.read(assignments.STUDENT / f"{name}.ipynb")
    if place == "code":
        notebooks.code_cells(nb)[-1].source += f"\n{secret}"
    elif place == "text":
        nb.cells[0].source += f"\n{secret}"
    elif place == "output":
        stream = nbformat.v4.new_output("stream", text="hidden=True")
        notebooks.code_cells(nb)[-1].outputs = [stream]
    else:
        nb.cells[0].metadata["note"] = "the rubric"
    assert leaked(nbformat.writes(nb), secrets_of(name))


def test_site_and_packages_hold_no_secret():
    site = notebooks.ROOT / "_build" / "html"
    assert site.is_dir(), "run `make book` first"
    text = "\n".join(
        file.read_text(encoding="utf-8", errors="ignore")
        for file in site.rglob("*")
        if file.suffix in (".html", ".ipynb", ".txt", ".js", ".json", ".md", ".py", ".inv")
    )
    for name in assignments.names():
        # Short lines of NumPy stand in the chapters, too.
        for line in (secret for secret in secrets_of(name) if len(secret) > 60):
            # As it stands, and as JSON or HTML writes it.
            assert line not in text and line.replace('"', '\\"') not in text, (name, line)
    assert not [f.name for f in site.rglob("*.zip")]


@pytest.mark.parametrize("name", assignments.names())
def test_student_version_belongs_to_its_master(name):
    need_build(name)
    made = assignments.BUILT / "student" / f"{name}.ipynb"
    shown = assignments.STUDENT / f"{name}.ipynb"
    assert shown.read_bytes() == made.read_bytes(), "run `make assignments`"


def run_alone(nb, folder):
    """Run a notebook in an empty folder, as after a download; the text of all its outputs."""
    client = nbclient.NotebookClient(
        nb, timeout=300, allow_errors=True, resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    return [
        "".join(
            o.get("text", "") or str(o.get("data", {}).get("text/plain", o.get("ename", "")))
            for o in c.outputs
        )
        for c in notebooks.code_cells(nb)
        if c.source.startswith("grader.check")
    ]


def test_checks_work_in_an_empty_folder(tmp_path):
    for folder in ("student", "solutions"):
        (tmp_path / folder).mkdir()
    blank = run_alone(notebooks.read(assignments.STUDENT / "dropout.ipynb"), tmp_path / "student")
    assert len(blank) == 4 and not any("passed!" in text for text in blank)
    assert "is there a return?" in blank[0]
    solution = notebooks.read(assignments.BUILT / "solutions" / "dropout.ipynb")
    right = run_alone(solution, tmp_path / "solutions")
    assert len(right) == 4 and all("All test cases passed" in text for text in right), right


def test_gradescope_archive_gives_the_points(tmp_path):
    archive = (assignments.BUILT / "gradescope" / "dropout.zip").resolve()
    for source, share in ((assignments.BUILT / "solutions", 1), (assignments.STUDENT, 0)):
        shutil.copyfile(source / "dropout.ipynb", tmp_path / "submission.ipynb")
        command = [sys.executable, "-m", "otter", "run", "-a", str(archive), "-o", "."]
        done = subprocess.run(
            [*command, "submission.ipynb"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        tests = json.loads((tmp_path / "results.json").read_text())["tests"]
        scores = [(t["score"], t["max_score"]) for t in tests if "score" in t]
        assert scores == [(share * p, p) for p in (5, 3, 4, 5)]
        (tmp_path / "results.json").unlink()


@pytest.mark.parametrize("name", assignments.names())
def test_student_version_says_points_and_time(name):
    top = notebooks.read(assignments.STUDENT / f"{name}.ipynb").cells[0].source
    points, minutes = re.search(r"\*(\d+) points, about (\d+) minutes", top).groups()
    assert 45 <= int(minutes) <= 90
    assignment = assignments.load(name)
    assert sum(q.points for q in assignment.questions) == int(points)
    assert sum(q.manual for q in assignment.questions) == 1
    asked = re.findall(r"## Question \d.*\((\d+) points\)", "\n".join(assignment.given))
    assert sorted(map(int, asked)) == sorted(q.points for q in assignment.questions)


@pytest.mark.parametrize("name", assignments.names())
def test_page_of_assignments_says_what_the_notebook_says(name):
    page = (notebooks.ROOT / "book/assignments.md").read_text(encoding="utf-8")
    card = next(c for c in page.split(":::") if f"student/{name}.ipynb)" in c)
    top = notebooks.read(assignments.STUDENT / f"{name}.ipynb").cells[0].source
    promise = re.search(r"\*\*(.+?)\*\*", top).group(1)
    size = re.search(r"\d+ points, about \d+ minutes", top).group()
    assert promise in card and size in card
    assert f"blob/main/book/assignments/student/{name}.ipynb" in card
    assert f"<assignments/student/{name}.ipynb>" in card


MASTER = """\
# ASSIGNMENT CONFIG
init_cell: false
check_all_cell: false
export_cell: false
tests:
  files: true
  ok_format: false
---
# Tiny
---
# BEGIN QUESTION
name: q1
points: 2
---
# BEGIN SOLUTION
---
two = 2 # SOLUTION
---
# END SOLUTION
---
# BEGIN TESTS
---
\"\"\" # BEGIN TEST CONFIG
points: 2
hidden: true
\"\"\" # END TEST CONFIG
def test_two(two):
    assert two == 2, "two is not 2"
---
# END TESTS
---
# END QUESTION
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("", "", None),
        ("points: 2\n---", "points: 3\n---", "q1 is worth 3 points, but its tests give 2"),
        ("hidden: true", "hidden: false", "a public test of q1 has points"),
        ("two = 2", "two = 3", "two is not 2"),
        ("# END TESTS\n---\n", "", "otter assign failed"),
    ],
)
def test_master_with_a_mistake_is_not_built(tmp_path, old, new, message):
    sources = MASTER.replace(old, new).strip().split("\n---\n")
    cells = [
        nbformat.v4.new_code_cell(s)
        if s.startswith(("two", '"""'))
        else nbformat.v4.new_markdown_cell(s)
        if s == "# Tiny"
        else nbformat.v4.new_raw_cell(s)
        for s in sources
    ]
    (tmp_path / assignments.MASTERS).mkdir(parents=True)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    master = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(master, tmp_path / assignments.MASTERS / "tiny.ipynb")
    for name in ("_config.yml", "_toc.yml"):
        shutil.copyfile(notebooks.ROOT / name, tmp_path / name)
    if message is None:
        assignments.build("tiny", tmp_path)
        assert assignments.is_built("tiny", tmp_path)
    else:
        with pytest.raises(RuntimeError, match=message) as caught:
            assignments.build("tiny", tmp_path)
        assert "All test cases passed" not in str(caught.value)
        assert not assignments.is_built("tiny", tmp_path)


def test_student_versions_install_the_pinned_otter():
    pinned = (notebooks.ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert f"\n{assignments.OTTER}\n" in pinned
