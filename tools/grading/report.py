"""The table of grades, a feedback page for each student, and the written answers on one page."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import jinja2

from tools import notebooks
from tools.assignments import Assignment
from tools.grading.marking import FAILED, Marked

LOOK_AT = ("not readable", "out of time", "ended itself", "memory", "output", "processes")
LOOK_AT += ("disturbed", FAILED)
COLUMNS = ("student", "question", "score", "points", "status", "seconds")
PAGES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)
PAGES.filters["number"] = lambda value: "" if value is None else f"{value:g}"


def read_hand_marks(file: Path, assignment: Assignment) -> dict[tuple[str, str], float]:
    """Points that a person gave to written answers, by student and question.

    Raises
    ------
    ValueError
        When something isn't a number from 0 to the question's points.
    """
    if not file.is_file():
        return {}
    most = {q.name: q.points for q in assignment.questions if q.manual}
    given = {}
    with open(file, encoding="utf-8-sig", newline="") as stream:
        for row in csv.DictReader(stream):
            student, question = row.get("student") or "", row.get("question") or ""
            text = (row.get("points") or "").strip().replace(",", ".")
            if not text or question not in most:
                continue
            try:
                points = float(text)
            except ValueError:
                points = -1.0
            if not 0 <= points <= most[question]:
                where = f"{file}: {student}, {question}"
                raise ValueError(f"{where}: give 0 to {most[question]:g} points, not {text!r}")
            given[student, question] = points
    return given


def add_hand_marks(results: list[Marked], given: dict[tuple[str, str], float], file: Path) -> None:
    """Put them into the results, and write the list to fill in; what was filled in stays."""
    rows = []
    for marked in sorted(results, key=lambda m: m.student):
        student = _harmless(marked.student)
        for m in marked.marks:
            if m.status == "to be marked":
                points = given.pop((student, m.question), None)
                rows.append([student, m.question, "" if points is None else f"{points:g}"])
                if points is not None:
                    m.score, m.status = points, "marked by hand"
    # Also of students who aren't in this class: nothing that a person wrote is lost.
    rows += [[*who, f"{points:g}"] for who, points in sorted(given.items())]
    _write_table(file, ["student", "question", "points"], rows)


def _write_table(file, columns, rows):
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL)
    table.writerows([columns, *rows])
    # The mark at the beginning tells spreadsheets that this is UTF-8.
    notebooks.write_text(file, "\ufeff" + stream.getvalue())


def write_grades(results: list[Marked], file: Path) -> None:
    """One row for each student and question, and one with the student's total."""
    rows = []
    for marked in sorted(results, key=lambda m: m.student):
        student = _harmless(marked.student)
        for m in marked.marks:
            score = "" if m.score is None else f"{m.score:g}"
            rows.append([student, m.question, score, f"{m.points:g}", m.status, m.seconds])
        score, points = total(marked)
        odd = sorted({*marked.flags} | ({m.status for m in marked.marks} & {*LOOK_AT}))
        unread = any(m.status == "to be marked" for m in marked.marks)
        notes = [f"look at this: {', '.join(odd)}"] if odd else []
        notes += ["written answer to be marked"] if unread else []
        status = "; ".join(notes) or "complete"
        rows.append([student, "total", f"{score:g}", f"{points:g}", status, marked.seconds])
    _write_table(file, COLUMNS, rows)


def total(marked: Marked) -> tuple[float, float]:
    """Score so far and points of a submission."""
    score = sum(m.score or 0 for m in marked.marks)
    return round(score, 4), round(sum(m.points for m in marked.marks), 4)


def write_feedback(marked: Marked, assignment: Assignment, file: Path) -> None:
    """What the student gets back: each test, its points, and what was wrong."""
    page = PAGES.get_template("feedback.html")
    text = page.render(marked=marked, assignment=assignment, total=total(marked))
    notebooks.write_text(file, text)


def write_answers(results: list[Marked], assignment: Assignment, file: Path) -> None:
    """All written answers with the rubric, to be marked by hand."""
    page = PAGES.get_template("written.html")
    results = sorted(results, key=lambda m: m.student)
    notebooks.write_text(file, page.render(results=results, assignment=assignment))


def _harmless(name):
    """A name that a spreadsheet doesn't take for a formula."""
    return f"'{name}" if name.strip()[:1] in tuple("=+-@＝＋－＠") else name
