"""Marks one submission: its cells run in a sandbox, the tests out here."""

from __future__ import annotations

import ast
import builtins
import contextlib
import copy
import inspect
import re
import time
import traceback
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from tools.assignments import FIRST_LINE, Assignment, Question
from tools.grading.inside import plain
from tools.grading.sandbox import Limits, NotStarted, Sandbox, Stopped
from tools.grading.submissions import Notebook, Submission, Unreadable, read_notebook

STARTS = 20
REMARKS = 50
FAILED = "grader failed"
UNWRITTEN = "_Type your answer here, replacing this text._"
WRITTEN = 50_000  # characters of written answers that a teacher is shown
WORDS = 8  # from which on a comment or a text may be an answer


@dataclass
class Check:
    """What one test said: its name, whether it passed, its points, why it failed, and the status
    when it was stopped."""

    name: str
    passed: bool
    points: float
    message: str = ""
    stopped: str = ""


@dataclass
class Mark:
    """Result of one question. The score is None as long as nobody can say: a written answer that
    wasn't read yet, or a failure of the grader."""

    question: str
    score: float | None
    points: float
    status: str
    seconds: float = 0.0
    checks: list[Check] = field(default_factory=list)


@dataclass
class Marked:
    """Result of one submission: marks, remarks for the student, and flags for the teacher.

    ``file`` is the notebook that was marked, ``written`` what the student wrote in words.
    """

    student: str
    file: str
    marks: list[Mark]
    remarks: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether the grader itself failed, so that this is no result."""
        return any(m.status == FAILED for m in self.marks)


class Missing(Exception):
    """A name that the notebook should have defined."""


class Session:
    """A notebook's names, looked up and called in a sandbox.

    When the sandbox ends, the next request starts another one and runs the cells again, without the
    cell that ended it. So one endless loop costs one question.

    Parameters
    ----------
    code : list of str
        The notebook's code cells.
    kind : str
        See ``sandbox.choose``.
    limits : Limits
        For everything together.
    """

    def __init__(self, code: list[str], kind: str, limits: Limits) -> None:
        self.code, self.kind, self.limits = code, kind, limits
        self.stopped: dict[int, Stopped] = {}
        self.slow: dict[int, Stopped] = {}
        self.errors: dict[int, str] = {}
        self._known: dict[str, Any] = {}
        self._ended: dict[str, Stopped] = {}
        self._slow: set[str] = set()
        self._deadline = time.monotonic() + limits.total_seconds
        self._sandbox: Sandbox | None = None
        self._starts = 0

    @property
    def why_missing(self) -> str:
        """Status of a question whose names are missing: perhaps their cell was stopped."""
        reasons = [*self.stopped.values(), *self.slow.values()]
        return reasons[0].status if reasons else "not defined"

    def look_up(self, name: str) -> Any:
        """A value as plain data, or a function to call.

        Raises
        ------
        Missing
            When the notebook doesn't define the name.
        plain.NotPlain
            When the value is no plain data.
        Stopped
            When the sandbox ends.
        """
        if name not in self._known:
            # Decoded at once: what came over the border isn't kept as it was.
            self._known[name] = self._outcome(name, self._ask("look_up", name=name))
        known = self._known[name]
        if isinstance(known, Exception):
            raise known
        # A test that changes a list or an array changes its own.
        return known if callable(known) else copy.deepcopy(known)

    def _outcome(self, name, answer):
        if "missing" in answer:
            return Missing(name)
        if answer.get("value") == {"callable": True}:
            return lambda *args, **kwargs: self.call(name, args, kwargs)
        try:
            return _value(answer, f"`{name}`")
        except plain.NotPlain as error:
            return error

    def call(self, name: str, args: tuple, kwargs: dict) -> Any:
        """What the notebook's function returns. What it raises is raised here, too.

        A function that ended the sandbox, or took too long twice, isn't called again.
        """
        if name in self._ended:
            raise self._ended[name]
        seconds = self.limits.call_seconds
        args = [plain.encode(a) for a in args]
        kwargs = {key: plain.encode(a) for key, a in kwargs.items()}
        try:
            answer = self._ask("call", seconds, name=name, args=args, kwargs=kwargs)
        except Stopped as reason:
            self._ended[name] = reason
            raise
        if "out_of_time" in answer:
            reason = Stopped("out of time", f"{name}(…) took longer than {seconds:g} s")
            if name in self._slow:
                self._ended[name] = reason
            self._slow.add(name)
            raise reason
        if "error" in answer:
            kind = getattr(builtins, str(answer["error"])[:50], None)
            known = isinstance(kind, type) and issubclass(kind, Exception)
            message = f"{name} raised {_error(answer)}"
            try:
                raise (kind if known else RuntimeError)(message)
            except TypeError:  # the few exceptions that need more than a message
                raise RuntimeError(message) from None
        return _value(answer, f"{name}(…)")

    def close(self) -> None:
        """End the sandbox."""
        if self._sandbox:
            self._sandbox.close()
            self._sandbox = None

    def run(self) -> None:
        """Run all cells in a new sandbox.

        Raises
        ------
        Stopped
            When cell after cell ends it, or the time is over.
        """
        while True:
            if time.monotonic() > self._deadline:
                raise Stopped("out of time", "the time for the whole notebook is over")
            self._starts += 1
            if self._starts > STARTS:
                raise Stopped("ended itself", f"its process ended {STARTS} times")
            sandbox = Sandbox(self.kind, self.limits, self._deadline)
            for number, source in enumerate(self.code):
                if number in self.stopped:
                    continue
                try:
                    answer = sandbox.ask("cell", self.limits.cell_seconds, source=source)
                except Stopped as reason:
                    if time.monotonic() > self._deadline:
                        raise
                    self.stopped[number] = reason
                    break
                if "out_of_time" in answer:
                    seconds = self.limits.cell_seconds
                    self.slow[number] = Stopped("out of time", f"it took longer than {seconds:g} s")
                if "error" in answer:
                    self.errors[number] = _error(answer)
            else:
                self._sandbox = sandbox
                return

    def _ask(self, do, seconds=5.0, **request):
        if self._sandbox is None:
            self.run()
        try:
            return self._sandbox.ask(do, seconds, **request)
        except Stopped:
            self._sandbox = None
            raise


def _error(answer: dict) -> str:
    """Type and beginning of an exception, which can say anything at any length."""
    return f"{_plain_text(answer['error'], 50)}: {_plain_text(answer.get('message', ''), 200)}"


def _plain_text(text: Any, limit: int) -> str:
    return str(text)[:limit].encode("utf-8", "backslashreplace").decode("utf-8")


def _value(answer: dict, name: str) -> Any:
    try:
        if "not_plain" in answer:
            raise plain.NotPlain(_plain_text(answer["not_plain"], 100))
        return plain.decode(answer.get("value"))
    except plain.NotPlain as error:
        raise plain.NotPlain(
            f"{name} gives {error}; a number, text, an array or a list of them was expected"
        ) from None


def mark(submission: Submission, assignment: Assignment, kind: str, limits: Limits) -> Marked:
    """Mark one submission. Whatever it does, this returns a result."""
    start = time.monotonic()
    try:
        marked = _mark(submission, assignment, kind, limits)
    except NotStarted as error:
        marked = _failure(submission, assignment, str(error))
    except Exception as error:
        traceback.print_exc()
        marked = _failure(submission, assignment, f"{type(error).__name__}: {error}")
    marked.seconds = round(time.monotonic() - start, 1)
    return marked


def _failure(submission, assignment, message):
    marks = [Mark(q.name, None, q.points, FAILED) for q in assignment.questions]
    remark = f"The grader failed on this submission, grade it again. {_plain_text(message, 300)}"
    return Marked(submission.student, "", marks, [remark])


def _mark(submission, assignment, kind, limits):
    questions = assignment.questions
    marked = Marked(submission.student, "", [], flags=list(submission.remarks))
    try:
        notebook = read_notebook(submission, assignment.given)
    except Unreadable as error:
        marked.remarks.append(f"Nothing could be marked: {_plain_text(error, 300)}.")
        marked.marks = [Mark(q.name, 0.0, q.points, "not readable") for q in questions]
        return marked
    marked.file = notebook.file
    if notebook.others:
        others = _plain_text(", ".join(notebook.others), 300)
        marked.remarks.append(f"There are several notebooks. Not marked: {others}.")
        marked.flags.append(f"several notebooks, {notebook.file} was marked")
    _add_written(marked, notebook, assignment)
    untouched = not marked.written and UNWRITTEN in (t.strip() for t in notebook.text)
    session = Session(notebook.code, kind, limits)
    over: Stopped | None = None
    try:
        try:
            session.run()
            # Values first: nothing that a function does later can change them.
            for name in assignment.tested_names:
                with contextlib.suppress(Missing, plain.NotPlain, Stopped):
                    session.look_up(name)
        except Stopped as reason:
            over = reason
            marked.remarks.append(f"The notebook couldn't be run to its end: {reason}.")
        for question in questions:
            if question.manual and untouched:
                marked.marks.append(Mark(question.name, 0.0, question.points, "no answer"))
            elif question.manual:
                marked.marks.append(Mark(question.name, None, question.points, "to be marked"))
            elif over:
                marked.marks.append(Mark(question.name, 0.0, question.points, over.status))
            else:
                marked.marks.append(mark_question(question, session))
    finally:
        session.close()
    for number, reason in sorted((session.stopped | session.slow).items()):
        marked.remarks.append(f"Code cell {number + 1} was stopped: {reason}.")
        marked.flags.append(f"a cell was stopped ({reason.status})")
    for number, message in sorted(session.errors.items()):
        marked.remarks.append(f"Code cell {number + 1} stopped with {message}")
    lost = any(m.score is not None and m.score < m.points for m in marked.marks if m.checks)
    for number, message in sorted(session.errors.items())[:1]:
        # The first one: what comes after it often fails for want of its names.
        if lost or message.startswith(("ModuleNotFoundError", "ImportError")):
            marked.flags.append(f"code cell {number + 1} stopped with {message[:120]}")
    marked.flags += sorted({c.stopped for m in marked.marks for c in m.checks if c.stopped})
    automatic = [m.status for m in marked.marks if m.checks]
    if automatic and set(automatic) == {"not defined"}:
        marked.flags.append("defines nothing that is tested")
    del marked.remarks[REMARKS:]
    return marked


def _add_written(marked: Marked, notebook: Notebook, assignment: Assignment) -> None:
    """What the student wrote in words: in a text cell, or else wherever it stands."""
    given = {*assignment.given, UNWRITTEN}
    written = [text for text in notebook.text if text.strip() not in given]
    unanswered = not written or UNWRITTEN in (text.strip() for text in notebook.text)
    if unanswered and any(question.manual for question in assignment.questions):
        elsewhere = list(_in_code(notebook.code, given))
        written += elsewhere
        if elsewhere:
            marked.flags.append("the written answer may stand in a code cell")
    if sum(map(len, written)) > WRITTEN:
        marked.flags.append("more written text than is shown")
    left = WRITTEN
    for text in written:
        if left > 0:
            marked.written.append(_plain_text(text, left))
            left -= len(text)


def _in_code(code: list[str], given: Collection[str]) -> Iterator[str]:
    """Comments, texts and unfinished code that may be an answer in words."""
    known = {line.strip() for source in given for line in source.splitlines()}
    for source in code:
        if source.strip() in given or source.startswith(FIRST_LINE):
            continue
        lines = [line for line in source.splitlines() if line.strip() not in known]
        found = [" ".join(line.strip("# ") for line in lines if line.strip().startswith("#"))]
        try:
            tree = ast.parse(re.sub(r"(?m)^[%!].*", "", source))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            found = ["\n".join(lines)]  # perhaps words without any sign that they are some
        else:
            docs = {ast.get_docstring(n, clean=False) for n in ast.walk(tree)
                    if isinstance(n, (ast.FunctionDef, ast.ClassDef))}  # fmt: skip
            found += [node.value for node in ast.walk(tree)
                      if isinstance(node, ast.Constant) and isinstance(node.value, str)
                      and node.value not in docs and node.value.strip() not in known]  # fmt: skip
        yield from (text for text in found if len(text.split()) >= WORDS)


def mark_question(question: Question, session: Session) -> Mark:
    """Run the tests of one question."""
    start = time.monotonic()
    reasons = set()
    checks = []
    for test in question.tests:
        name = test.body.test_func.__name__.removeprefix("test_").replace("_", " ")
        reason, message = _run(test.body.test_func, session)
        reasons.add(reason)
        stopped = reason if reason not in (None, "wrong", "not defined") else ""
        checks.append(Check(name, reason is None, test.points, message, stopped))
    score = round(sum(c.points for c in checks if c.passed), 4)
    if reasons == {None}:
        status = "correct"
    elif score > 0:
        status = "partly correct"
    else:
        status = min(reasons - {None, "wrong"}, default="wrong")
    seconds = round(time.monotonic() - start, 1)
    return Mark(question.name, score, question.points, status, seconds, checks)


def _run(test: Callable[..., None], session: Session) -> tuple[str | None, str]:
    """Status and message of one test, both empty when it passes."""
    try:
        test(**{name: session.look_up(name) for name in inspect.signature(test).parameters})
    except Missing as missing:
        return session.why_missing, f"The notebook defines no `{missing}`."
    except Stopped as reason:
        return reason.status, f"This test was stopped: {reason}."
    except NotStarted:  # the machine's fault: no mark
        raise
    except AssertionError as error:
        return "wrong", _plain_text(error, 600) or "The result isn't what the question asks for."
    except Exception as error:
        return "wrong", _plain_text(f"{type(error).__name__}: {error}", 600)
    return None, ""
