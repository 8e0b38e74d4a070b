"""The table of grades, a feedback page for each student, and the written answers on one page."""

from __future__ import annotations

import csv
import hashlib
import io
import math
from dataclasses import dataclass
from pathlib import Path

import jinja2

from tools import notebooks
from tools.assignments import Assignment
from tools.grading.marking import FAILED, Marked

LOOK_AT = ("not readable", "out of time", "ended itself", "memory", "output", "processes")
LOOK_AT += ("disturbed", FAILED)
COLUMNS = ("student", "question", "score", "points", "status", "seconds")
COLUMNS_BY_HAND = ("student", "question", "points", "assignment", "answer")
PAGES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)
PAGES.filters["number"] = lambda value: "" if value is None else f"{value:g}"


@dataclass(frozen=True)
class HandMark:
    """A row of ``written.csv``: points that a person gave, and for what.

    ``assignment`` and ``answer`` are empty in a list that a teacher made; ``answer`` is a digest of
    what the student wrote, so that points never pass to another answer.
    """

    student: str
    question: str
    points: float
    assignment: str = ""
    answer: str = ""


def read_hand_marks(file: Path, assignment: Assignment) -> list[HandMark]:
    """Points that a person gave to written answers, in this assignment and in others.

    Takes what spreadsheets make of the list: commas, semicolons or tabs, 0.5 or 0,5.

    Raises
    ------
    ValueError
        When the list can't be understood, or something isn't a number from 0 to the question's
        points. The file isn't touched.
    """
    if not file.is_file():
        return []
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{file}: not in UTF-8; save it as 'CSV UTF-8'") from None
    head = text.splitlines()[0] if text.strip() else ""
    delimiter = max(",;\t", key=head.count)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    if not {"student", "question", "points"} <= set(rows.fieldnames or ()):
        raise ValueError(
            f"{file}: the first line must name the columns student, question and points, not "
            f"{head[:100]!r}"
        )
    most = {q.name: q.points for q in assignment.questions if q.manual}
    given = []
    for row in rows:
        mark = {key: (row.get(key) or "").strip() for key in COLUMNS_BY_HAND}
        said = mark["points"].replace(",", ".")
        if not said:
            continue
        where = f"{file}: {mark['student']}, {mark['question']}"
        ours = mark["assignment"] in ("", assignment.name)
        if ours and mark["question"] not in most:
            raise ValueError(f"{where}: no such written question; there are {', '.join(most)}")
        try:
            points = float(said)
        except ValueError:
            points = -1.0
        limit = most[mark["question"]] if ours else math.inf
        if not 0 <= points <= limit:
            raise ValueError(f"{where}: give 0 to {limit:g} points, not {mark['points']!r}")
        given.append(HandMark(**{**mark, "points": points}))
    return given


def add_hand_marks(
    results: list[Marked], given: list[HandMark], assignment: Assignment, file: Path
) -> list[str]:
    """Put them into the results, and write the list to fill in; what was filled in stays.

    Returns
    -------
    list of str
        Points that belong to nothing here, with the reason. They stay in the list.
    """
    rows, used = [], set()
    students = {_harmless(marked.student) for marked in results}
    answers = {_harmless(marked.student): _digest(marked.written) for marked in results}
    for marked in sorted(results, key=lambda m: m.student):
        student = _harmless(marked.student)
        for m in marked.marks:
            if m.status != "to be marked":
                continue
            fitting = [
                g
                for g in given
                if _names(g.student, student, students)
                and g.question == m.question
                and g.assignment in ("", assignment.name)
                and g.answer in ("", answers[student])
            ]
            used.update(fitting)
            points = fitting[-1].points if fitting else None
            said = "" if points is None else f"{points:g}"
            rows.append([student, m.question, said, assignment.name, answers[student]])
            if points is not None:
                m.score, m.status = points, "marked by hand"
    left = [g for g in given if g not in used]
    # Nothing that a person wrote is lost: other assignments, other classes, earlier answers.
    rows += [[g.student, g.question, f"{g.points:g}", g.assignment, g.answer] for g in left]
    _write_table(file, COLUMNS_BY_HAND, rows)
    reasons = []
    for g in left:
        if g.assignment in ("", assignment.name):
            known = any(_names(g.student, student, students) for student in students)
            why = "the answer has changed since" if known else "nobody of that name is here"
            reasons.append(f"{g.student}, {g.question}, {g.points:g} points: {why}")
    return reasons


def _names(written, student, students):
    """Whether a teacher's list means this student; spreadsheets make 31 of 0031."""
    if written == student or written in students:
        return written == student
    alike = [s for s in students if s.lstrip("0") == written.lstrip("0")]
    return alike == [student]


def _digest(written):
    return hashlib.sha256("\0".join(written).encode()).hexdigest()[:12]


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
        notes = [f"look at this: {', '.join(look_at(marked))}"] if look_at(marked) else []
        notes += ["written answer to be marked"] if waits(marked) else []
        status = "; ".join(notes) or "complete"
        rows.append([student, "total", f"{score:g}", f"{points:g}", status, marked.seconds])
    _write_table(file, COLUMNS, rows)


def look_at(marked: Marked) -> list[str]:
    """Why a teacher should look at a submission before its grade counts."""
    return sorted({*marked.flags} | ({m.status for m in marked.marks} & {*LOOK_AT}))


def waits(marked: Marked) -> bool:
    """Whether a written answer wasn't read yet."""
    return any(m.status == "to be marked" for m in marked.marks)


def write_overview(
    results: list[Marked], assignment: Assignment, ignored: list[str], unused: list[str], file: Path
) -> None:
    """The class on one page: who is marked, whom to look at and why, and what was left out."""
    results = sorted(results, key=lambda m: m.student)
    page = PAGES.get_template("overview.html")
    text = page.render(
        results=results, assignment=assignment, ignored=ignored, unused=unused,
        odd=[m for m in results if look_at(m)], waiting=[m for m in results if waits(m)],
        total=total, look_at=look_at,
    )  # fmt: skip
    notebooks.write_text(file, text)


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
