"""Submissions as students and learning platforms hand them in.

A folder, or an archive as Canvas, Moodle and Gradescope export it, becomes a list of submissions.
Whose a file is, is decided file by file: one odd name says nothing about the others. Archives are
read member by member and as late as possible: nothing is unpacked to the disk, so no path in them
can lead anywhere, and what is wrong with one student's file stays that student's.
"""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

import yaml

MIB = 2**20
NOTEBOOK_BYTES = 50 * MIB
NOTEBOOK_PARTS = 3_000_000  # commas and brackets: parsed, each can take a hundred times its byte
SUBMISSION_BYTES = 200 * MIB
FILES = 20_000
DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, ValueError)
DAMAGE += (NotImplementedError, OSError)

# How each platform names the file or the folder of one submission. Canvas numbers the student and
# then the file: the higher, the later. Folders stand at the top, deeper names are the students'.
PLATFORMS = (
    re.compile(r"(?P<name>submission_\d+)/.+"),  # Gradescope
    re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_(?:file|onlinetext)(?:_.*|/.+)"),
    re.compile(r"(?P<name>anon)(?:_LATE)?_(?P<number>\w{5})_(?P<file>\d+)_(?P<rest>[^/]+)"),
    re.compile(r"(?P<name>[^/]+?)(?:_LATE)?_(?P<number>\d+)_(?P<file>\d+)_(?P<rest>[^/]+)"),
)
GRADESCOPE_LIST = "submission_metadata.yml"
WANTED = (".ipynb", ".zip")
CLUTTER = {"__MACOSX", "__pycache__", ".ipynb_checkpoints", ".git", ".DS_Store"}
CLUTTER |= {"Thumbs.db", "desktop.ini"}


class Unreadable(ValueError):
    """A file that isn't a notebook or an archive with one. The message says why."""


@dataclass(frozen=True)
class File:
    """A file that somebody handed in, not read yet.

    Attributes
    ----------
    name : str
        Its path in the folder or in the archive.
    open : callable
        Opens it for reading bytes.
    attempt : int
        The platform's number of the file: the higher, the later. 0 where there is none.
    own_name : str
        The name that the student gave it, as far as the platform keeps it.
    """

    name: str
    open: Callable[[], IO[bytes]]
    attempt: int = 0
    own_name: str = ""

    def read(self, limit: int) -> bytes:
        """Its content.

        Raises
        ------
        Unreadable
            When it is larger, damaged, or may not be read.
        """
        try:
            with self.open() as stream:
                content = stream.read(limit + 1)
        except Unreadable:
            raise
        except DAMAGE as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            raise Unreadable(f"{self.name} is damaged or locked ({reason})") from None
        if len(content) > limit:
            raise Unreadable(f"{self.name} is larger than {limit // MIB} MiB")
        return content


@dataclass(frozen=True)
class Submission:
    """What one student handed in.

    Attributes
    ----------
    student : str
        From the file's or the folder's name, as the platform writes it.
    files : tuple of File
        All of it.
    remarks : tuple of str
        What a teacher should know about where it was found.
    """

    student: str
    files: tuple[File, ...]
    remarks: tuple[str, ...] = ()

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all files, as far as they are read at all, or of why they can't be."""
        found, left = hashlib.sha256(), SUBMISSION_BYTES
        for file in sorted(self.files, key=lambda file: _suffix(file.name) not in WANTED):
            try:
                content = file.read(left)
                left -= len(content)
            except Unreadable as error:
                content = str(error).encode()
            found.update(file.name.encode() + b"\0" + hashlib.sha256(content).digest())
        return found.hexdigest()


@dataclass(frozen=True)
class Notebook:
    """The parts of a notebook that grading needs.

    Attributes
    ----------
    file : str
        Where it was found.
    code : list of str
        Sources of the code cells.
    text : list of str
        Sources of the cells that hold text: Markdown and raw.
    others : list of str
        Other notebooks of the student, which weren't taken.
    """

    file: str
    code: list[str]
    text: list[str]
    others: list[str] = field(default_factory=list)

    def own(self, given: Iterable[str] = ()) -> int:
        """Number of cells that aren't among the given ones."""
        return sum(source.strip() not in given for source in [*self.code, *self.text])


class Found(NamedTuple):
    """Submissions by student, and files that belong to nobody."""

    submissions: list[Submission]
    ignored: list[str]


def find_submissions(place: Path) -> Found:
    """All submissions in a folder or an exported archive.

    Parameters
    ----------
    place : Path
        A folder with a notebook or an archive for each student, or with a folder for each, or with
        archives as Canvas, Moodle and Gradescope export them; or one such archive.

    Returns
    -------
    Found
        Submissions sorted by student, and the names of the files that belong to none.

    Raises
    ------
    Unreadable
        When the place doesn't exist, or is an archive that can't be read.
    """
    if place.is_dir():
        files = _without_clutter(_on_disk(place))
        exports = {file.name: _export(file) for file in files if _is_top_archive(file)}
        wanted = [file.name for file in files if _suffix(file.name) in WANTED]
        # Only when nothing else is there: a student's archive may look like an export.
        if wanted and all(exports.get(name) for name in wanted):
            groups = [_by_student(members) for members in exports.values() if members]
            rest = [file.name for file in files if file.name not in exports]
            return _found(groups, rest)
        odd = {name for name, members in exports.items() if members}
        return _found([_by_student(files)], odd=odd)
    if place.is_file() and _suffix(place.name) == ".ipynb":
        return _found([_by_student([_disk_file(place, place.name)])])
    if place.is_file():
        members = _members(_disk_file(place, place.name))
        return _found([_by_student(_without_clutter(members))])
    raise Unreadable(f"{place}: no such folder or archive")


def _found(groups, ignored=(), odd=()):
    """Students of several exports together; a student who is in two has the files of both."""
    students: dict[str, list[File]] = {}
    ignored = list(ignored)
    for found, others in groups:
        ignored += others
        for student, files in found.items():
            students.setdefault(student, []).extend(files)
    submissions = []
    for student, files in sorted(students.items()):
        remarks = []
        if any(file.name in odd for file in files):
            remarks.append("its archive looks like the export of a platform; grade that by itself")
        if len(files) > FILES:
            remarks.append(f"more than {FILES} files, of which the first were looked at")
        submissions.append(Submission(student, tuple(files[:FILES]), tuple(remarks)))
    return Found(submissions, sorted(ignored))


def _by_student(files):
    """Each student's files, and the names of those that belong to nobody."""
    names = [file.name for file in files]
    wrapper = _wrapper(names)
    inner = [name.removeprefix(wrapper) for name in names]
    matches = [next((m for p in PLATFORMS if (m := p.fullmatch(n))), None) for n in inner]
    people = _gradescope_people(dict(zip(inner, files, strict=True)))
    found: dict[str, list[File]] = {}
    ignored: list[str] = []
    loose: set[str] = set()
    for file, name, match in zip(files, inner, matches, strict=True):
        if name == GRADESCOPE_LIST:
            continue
        if match:
            parts = match.groupdict()
            attempt, own = int(parts.get("file") or 0), parts.get("rest") or ""
            label = parts["name"]
            label = f"{label}_{parts['number']}" if "number" in parts else people.get(label, label)
            file = File(file.name, file.open, attempt, own)
        else:
            label = name.split("/")[0] if "/" in name else _stem(name)
            loose.add(label)
        found.setdefault(label, []).append(file)
    for label in loose if any(matches) else ():  # what somebody put beside a platform's files
        if not any(_suffix(file.name) in WANTED for file in found[label]):
            ignored += [file.name for file in found.pop(label)]
    return found, ignored


def read_notebook(submission: Submission, given: Iterable[str] = ()) -> Notebook:
    """The notebook that counts, also from an archive, whatever its metadata are.

    Of copies and attempts of one notebook the last counts, of different ones the one with the most
    cells that aren't among the given ones; a notebook without any counts only where there is no
    other. Archives are opened when there is no notebook beside them.

    Parameters
    ----------
    submission : Submission
        What the student handed in.
    given : collection of str
        Sources of the cells that students were given.

    Raises
    ------
    Unreadable
        When there is no notebook, or only broken ones.
    """
    if not submission.files:
        raise Unreadable("no file was handed in")
    read, broken, left = [], [], SUBMISSION_BYTES
    candidates = [file for file in submission.files if _suffix(file.name) == ".ipynb"]
    archives = [] if candidates else [file for file in submission.files if _is_archive(file)]
    for archive in archives:
        try:
            inside = _without_clutter(_members(archive))
            candidates += [file for file in inside if _suffix(file.name) == ".ipynb"]
        except Unreadable as error:
            broken.append((archive.name, error))
    if archives and not candidates:
        raise broken[0][1] if broken else Unreadable("the archive holds no notebook (.ipynb)")
    # Browsers save notebooks as .txt and .json, too.
    candidates = candidates or list(submission.files)
    for file in sorted(candidates, key=_place, reverse=True):
        try:
            content = file.read(min(left, NOTEBOOK_BYTES))
            left -= len(content)
            read.append((file, _parsed(file.name, content)))
        except Unreadable as error:
            broken.append((file.name, error))
    if not read:
        raise broken[0][1]
    latest: dict[tuple, tuple] = {}
    for file, notebook in read:
        work = notebook.own(given)
        folder, _, base, copy = _place(file)
        rank = (work > 0, file.attempt, copy)
        series = (folder, base)
        if series not in latest or rank > latest[series][0]:
            latest[series] = (rank, work, file, notebook)
    chosen = max(latest.values(), key=lambda entry: (entry[1], *_place(entry[2])))[-1]
    others = [file.name for file, _ in read if file.name != chosen.file]
    others += [name for name, _ in broken if _suffix(name) == ".ipynb"]
    return Notebook(chosen.file, chosen.code, chosen.text, sorted(others))


def _place(file):
    """Where a notebook is and which copy: ``dropout (2).ipynb``, ``dropout-2.ipynb``."""
    path = PurePosixPath(file.own_name or file.name)
    number = re.search(r"(?: \((\d{1,4})\)|-(\d{1,4}))$", path.stem)
    copy = int(number.group(1) or number.group(2)) if number else 0
    base = path.stem[: number.start()] if number else path.stem
    return -file.name.count("/"), str(PurePosixPath(file.name).parent), base, copy


def _parsed(name, content):
    if not content.strip():
        raise Unreadable(f"{name} is empty")
    if sum(content.count(mark) for mark in (b",", b"[", b"{")) > NOTEBOOK_PARTS:
        raise Unreadable(f"{name} has more parts than a notebook may")
    try:
        notebook = json.loads(content)
    except (ValueError, RecursionError) as error:
        hint = "" if _suffix(name) == ".ipynb" else ", it is not a notebook (.ipynb)"
        raise Unreadable(f"{name} can't be read{hint}: {error}"[:300]) from None
    cells = _cells(name, notebook)
    code = [source for kind, source in cells if kind == "code"]
    return Notebook(name, code, [source for kind, source in cells if kind != "code"])


def _cells(name, notebook):
    """Kind and source of each cell, from notebooks of all versions, with or without metadata."""
    if not isinstance(notebook, dict):
        raise Unreadable(f"{name} isn't a notebook")
    cells = notebook.get("cells")
    if cells is None:  # version 3 and before
        sheets = notebook.get("worksheets")
        sheet = sheets[0] if isinstance(sheets, list) and sheets else None
        cells = sheet.get("cells") if isinstance(sheet, dict) else None
    if not isinstance(cells, list):
        raise Unreadable(f"{name} isn't a notebook: it has no cells")
    pairs = []
    for cell in cells:
        if isinstance(cell, dict):
            source = cell.get("source", cell.get("input", ""))
            if isinstance(source, list):
                source = "".join(line for line in source if isinstance(line, str))
            if isinstance(source, str) and source.strip():
                pairs.append((cell.get("cell_type"), source.replace("\r\n", "\n")))
    return pairs


def _on_disk(place: Path) -> Iterator[File]:
    """Files below a folder. What can't be looked at is a file that can't be read."""
    closed: list[OSError] = []
    for folder, folders, names in os.walk(place, onerror=closed.append):
        folders.sort()
        links = [name for name in folders if Path(folder, name).is_symlink()]
        for name in sorted([*names, *links]):
            path = Path(folder, name)
            yield _disk_file(path, printable(path.relative_to(place).as_posix()))
    for error in closed:
        path = Path(error.filename)
        if path == place:
            raise Unreadable(f"{place}: {error.strerror}")
        name = printable(path.relative_to(place).as_posix())
        yield File(f"{name}/", partial(_refuse, f"{name}: {error.strerror}"))


def _disk_file(path, name):
    if path.is_symlink():
        return File(name, partial(_refuse, f"{name} is a link, which isn't followed"))
    if not path.is_file():
        return File(name, partial(_refuse, f"{name} is no ordinary file"))
    return File(name, partial(open, path, "rb"))


def _refuse(reason):
    raise Unreadable(reason)


def _is_archive(file):
    if _suffix(file.name) == ".zip":
        return True
    try:
        with file.open() as stream:
            return stream.read(4) == b"PK\3\4"
    except (Unreadable, *DAMAGE):
        return False


def _members(file: File) -> list[File]:
    """An archive's files, none of them read.

    Raises
    ------
    Unreadable
        When it isn't an archive, is damaged, or holds too many files.
    """
    try:
        stream = file.open()
        if isinstance(stream, zipfile.ZipExtFile):  # an archive in an archive
            stream = io.BytesIO(file.read(SUBMISSION_BYTES))
        if _count(stream, b"PK\1\2") > 5 * FILES:  # one for each file, before any is looked at
            raise Unreadable(f"{file.name} holds more than {5 * FILES} files")
        archive = zipfile.ZipFile(stream)
        members = [m for m in archive.infolist() if not m.is_dir()]
    except Unreadable:
        raise
    except DAMAGE as error:
        raise Unreadable(f"{file.name} is damaged or locked ({error})") from None
    return [
        File(printable(m.filename.replace("\\", "/").lstrip("/")), partial(archive.open, m))
        for m in members
    ]


def _count(stream, mark):
    found, rest = 0, b""
    stream.seek(0)
    while chunk := stream.read(MIB):
        found += (rest + chunk).count(mark)
        rest = chunk[1 - len(mark) :]
    return found


def _is_top_archive(file):
    is_one = _suffix(file.name) == ".zip" and "/" not in file.name
    return is_one and not any(p.fullmatch(file.name) for p in PLATFORMS)


def _export(file):
    """Files of an archive, when all of them are named as a platform names its exports."""
    try:
        files = _without_clutter(_members(file))
    except Unreadable:
        return None
    wrapper = _wrapper([f.name for f in files])
    names = [f.name.removeprefix(wrapper) for f in files]
    known = [any(p.fullmatch(n) for p in PLATFORMS) or n == GRADESCOPE_LIST for n in names]
    return files if known and all(known) else None


def _without_clutter(files):
    """Without what computers leave in folders."""

    def is_clutter(part):
        return part in CLUTTER or part.startswith(("._", "~$"))

    return [file for file in files if not any(map(is_clutter, file.name.split("/")))]


def printable(name: str) -> str:
    """A name that can be written to any file and any terminal, whatever bytes are in it."""
    name = name.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in name)


def _suffix(name):
    return PurePosixPath(name).suffix.lower()


def _stem(name):
    return PurePosixPath(name).stem if _suffix(name) else name


def _wrapper(names):
    """The one folder around all submissions, where there is one: ``submissions/``."""
    tops = {name.split("/")[0] for name in names}
    if len(tops) != 1 or any(p.fullmatch(n) for n in names for p in PLATFORMS):
        return ""
    wrapper = f"{tops.pop()}/"
    inner = [name.removeprefix(wrapper) for name in names]
    if any(p.fullmatch(name) for name in inner for p in PLATFORMS):
        return wrapper
    wanted = [name for name in inner if _suffix(name) in WANTED]
    several = len({name.split("/")[0] for name in inner}) > 1 and len(wanted) > 1
    return wrapper if several else ""


def _gradescope_people(files):
    """Who handed in which of Gradescope's submissions, from the list at the top of its export."""
    people: dict[str, str] = {}
    if GRADESCOPE_LIST not in files:
        return people
    try:
        text = files[GRADESCOPE_LIST].read(NOTEBOOK_BYTES)
        entries = yaml.load(text, Loader=yaml.BaseLoader) or {}
        for key, entry in entries.items():
            names = [p.get(":sid") or p.get(":email") or p[":name"] for p in entry[":submitters"]]
            people[key] = printable(" + ".join(name[:200] for name in names[:20]))
    except (yaml.YAMLError, ValueError, RecursionError, AttributeError, TypeError, KeyError):
        return {}  # Then the numbers of the submissions have to do.
    # Two submissions under one name are two people, or nobody knows.
    twice = {name for name in people.values() if list(people.values()).count(name) > 1}
    return {k: f"{name} ({k})" if name in twice else name for k, name in people.items()}
