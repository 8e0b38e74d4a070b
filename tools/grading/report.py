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


def write_grades(results: list[Marked], file: Path) -> None:
    """One row a student and question, and one with the student's total."""
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL)
    table.writerow(COLUMNS)
    for marked in sorted(results, key=lambda m: m.student):
        student = _harmless(marked.student)
        for m in marked.marks:
            score = "" if m.score is None else f"{m.score:g}"
            table.writerow([student, m.question, score, f"{m.points:g}", m.status, m.seconds])
        score, points = total(marked)
        odd = sorted({m.status for m in marked.marks} & {*LOOK_AT})
        unread = any(m.status == "to be marked" for m in marked.marks)
        notes = [f"look at this: {', '.join(odd)}"] if odd else []
        notes += ["written answer to be marked"] if unread else []
        status = "; ".join(notes) or "complete"
        table.writerow([student, "total", f"{score:g}", f"{points:g}", status, marked.seconds])
    notebooks.write_text(file, stream.getvalue())


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
