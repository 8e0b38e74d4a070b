"""Submissions as students and learning platforms hand them in.

A folder, or an archive as Canvas, Moodle and Gradescope export it, is read into a list of
submissions. Archives are read in memory, member by member: nothing is unpacked to the disk, so no
path in them can lead anywhere.
"""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import yaml

MIB = 2**20
NOTEBOOK_BYTES = 50 * MIB
SUBMISSION_BYTES = 200 * MIB
EXPORT_BYTES = 8192 * MIB
MEMBERS = 20_000
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    RuntimeError,
    ValueError,
    OSError,
)

# How each platform names the file or the folder of one submission. Canvas numbers the student and
# then the file: the higher, the later. Folders stand at the top, deeper names are the students'.
PLATFORMS = {
    "Gradescope": re.compile(r"(?P<name>submission_\d+)/.+"),
    "Moodle": re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_file(_.*|/.+)"),
    "Canvas": re.compile(r"(?P<name>[^_/]+)(?:_LATE)?_(?P<number>\d+)_(?P<file>\d+)_[^/]+"),
}
GRADESCOPE_LIST = "submission_metadata.yml"
PREFERRED = {".ipynb": 2, ".zip": 1}


class Unreadable(ValueError):
    """A file that isn't a notebook or an archive with one. The message says why."""


@dataclass(frozen=True)
class Submission:
    """What one student handed in.

    Attributes
    ----------
    student : str
        From the file's or the folder's name, as the platform writes it.
    file : str
        Where it was found.
    content : bytes
        The file, unread.
    others : tuple of str
        Other notebooks that the student handed in at the same time.
    """

    student: str
    file: str
    content: bytes
    others: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 of the file."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Notebook:
    """The parts of a notebook that grading needs.

    Attributes
    ----------
    code : list of str
        Sources of the code cells.
    text : list of str
        Sources of the cells that hold text: Markdown, raw, and code cells with nothing but
        comments, since answers are written there, too.
    """

    code: list[str]
    text: list[str]


def find_submissions(place: Path) -> list[Submission]:
    """All submissions in a folder or an exported archive, by student.

    Parameters
    ----------
    place : Path
        A folder with a notebook or an archive for each student, or with a folder for each, or with
        archives as Canvas, Moodle and Gradescope export them; or one such archive.

    Returns
    -------
    list of Submission
        Sorted by student. Of several attempts the last counts; of a student's several files a
        notebook before an archive before anything else, and the one nearest to the top.

    Raises
    ------
    Unreadable
        When the place doesn't exist, or is an archive that can't be read.
    """
    if place.is_dir():
        files = {}
        for file in sorted(place.rglob("*")):
            if file.is_file() and not file.is_symlink():
                files[_readable(file.relative_to(place).as_posix())] = file.read_bytes()
        files = _without_clutter(files)
        exports = [_export(name, content) for name, content in files.items()]
        # Only when all are: a student's archive may look like an export.
        if exports and all(exports):
            return sorted((s for e in exports for s in _by_student(e)), key=lambda s: s.student)
    elif place.is_file() and _suffix(place.name) == ".ipynb":
        files = {_readable(place.name): place.read_bytes()}
    elif place.is_file():
        files = _without_clutter(dict(_members(place.read_bytes(), EXPORT_BYTES)))
    else:
        raise Unreadable(f"{place}: no such folder or archive")
    return _by_student(files)


def _by_student(files):
    """One submission a student, from the files of a class."""
    wrapper = _wrapper(files)
    files = {name.removeprefix(wrapper): content for name, content in files.items()}
    platform = _platform(files)
    people = _gradescope_people(files) if platform == "Gradescope" else {}
    ranked: dict[str, list] = {}
    ignored = []
    for name in files:
        match = PLATFORMS[platform].fullmatch(name) if platform else None
        if platform and not match:
            ignored += [name] if name != GRADESCOPE_LIST else []
            continue
        attempt = int(match.groupdict().get("file") or 0) if match else 0
        rank = (attempt, PREFERRED.get(_suffix(name), 0), *_rank(name))
        ranked.setdefault(_student(name, match, people), []).append(rank)
    if ignored:
        some = ", ".join(sorted(ignored)[:5])
        warnings.warn(f"{len(ignored)} files belong to no submission: {some}", stacklevel=3)
    submissions = []
    for student, ranks in sorted(ranked.items()):
        best = max(ranks)
        others = tuple(sorted(r[-1] for r in ranks if r[:2] == best[:2] and r is not best))
        others = others if best[1] == PREFERRED[".ipynb"] else ()
        submissions.append(Submission(student, best[-1], files[best[-1]], others))
    return submissions


def read_notebook(submission: Submission) -> Notebook:
    """The notebook of a submission, also from an archive, whatever its metadata are.

    Raises
    ------
    Unreadable
        When there is no notebook, or a broken one.
    """
    content = submission.content
    if zipfile.is_zipfile(io.BytesIO(content)):
        members = _without_clutter(dict(_members(content, SUBMISSION_BYTES)))
        inside = [(n, data) for n, data in members.items() if _suffix(n) == ".ipynb"]
        if not inside:
            raise Unreadable("the archive holds no notebook (.ipynb)")
        content = max(inside, key=lambda item: _rank(item[0]))[1]
    elif _suffix(submission.file) == ".zip":
        raise Unreadable("the archive is damaged or cut off")
    if len(content) > NOTEBOOK_BYTES:
        raise Unreadable(f"the notebook is larger than {NOTEBOOK_BYTES // MIB} MiB")
    if not content.strip():
        raise Unreadable("the file is empty")
    try:
        notebook = json.loads(content)
    except (ValueError, RecursionError) as error:
        hint = "" if _suffix(submission.file) in PREFERRED else ", it is not a notebook (.ipynb)"
        kind = _suffix(submission.file) or "file"
        raise Unreadable(f"the {kind} can't be read{hint}: {error}"[:300]) from None
    cells = _cells(notebook)
    code = [source for kind, source in cells if kind == "code"]
    return Notebook(code, [s for kind, s in cells if kind != "code" or _is_comment(s)])


def _is_comment(source):
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    return all(line.startswith("#") for line in lines) and len(source) > 40


def _cells(notebook):
    """Kind and source of each cell, from notebooks of all versions, with or without metadata."""
    if not isinstance(notebook, dict):
        raise Unreadable("the file isn't a notebook")
    cells = notebook.get("cells")
    if cells is None:  # version 3 and before
        sheets = notebook.get("worksheets")
        sheet = sheets[0] if isinstance(sheets, list) and sheets else None
        cells = sheet.get("cells") if isinstance(sheet, dict) else None
    if not isinstance(cells, list):
        raise Unreadable("the file isn't a notebook: it has no cells")
    pairs = []
    for cell in cells:
        if isinstance(cell, dict):
            source = cell.get("source", cell.get("input", ""))
            if isinstance(source, list):
                source = "".join(line for line in source if isinstance(line, str))
            if isinstance(source, str) and source.strip():
                pairs.append((cell.get("cell_type"), source.replace("\r\n", "\n")))
    return pairs


def _members(content: bytes, limit: int) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of an archive's files. Counts what is really unpacked: stated sizes can lie.

    Of a file that is too large for a submission the beginning comes, just long enough to tell.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        members = [m for m in archive.infolist() if not m.is_dir()]
        if len(members) > MEMBERS:
            raise Unreadable(f"the archive holds more than {MEMBERS} files")
        for member in members:
            with archive.open(member) as stream:
                data = stream.read(min(limit, SUBMISSION_BYTES) + 1)
            limit -= len(data)
            if limit < 0:
                raise Unreadable("the archive unpacks to more than it may")
            yield _readable(member.filename.replace("\\", "/").lstrip("/")), data
    except Unreadable:
        raise
    except DAMAGE as error:
        raise Unreadable(f"the archive is damaged or locked ({error})") from None


def _export(name, content):
    """Files of an archive, when all of them are named as a platform names its exports."""
    if _suffix(name) != ".zip" or any(p.fullmatch(name) for p in PLATFORMS.values()):
        return None
    try:
        files = _without_clutter(dict(_members(content, EXPORT_BYTES)))
    except Unreadable:
        return None
    wrapper = _wrapper(files)
    names = [n.removeprefix(wrapper) for n in files]
    known = [any(p.fullmatch(n) for p in PLATFORMS.values()) or n == GRADESCOPE_LIST for n in names]
    return files if known and all(known) else None


def _without_clutter(files):
    """Without what computers leave in folders."""

    def is_clutter(part):
        return part.startswith((".", "__MACOSX", "~$")) or part == "__pycache__"

    return {n: c for n, c in files.items() if not any(map(is_clutter, n.split("/")))}


def _readable(name):
    """A name that can be written down, whatever bytes a file system has for it."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _suffix(name):
    return PurePosixPath(name).suffix.lower()


def _rank(name):
    """Of a student's files the nearest to the top counts, and there the last copy.

    Copies are numbered: ``dropout (2).ipynb``, ``dropout-2.ipynb``.
    """
    number = re.search(r"(?: \((\d{1,4})\)|-(\d{1,4}))$", PurePosixPath(name).stem)
    copy = int(number.group(1) or number.group(2)) if number else 0
    return -name.count("/"), copy, name


def _wrapper(files):
    """The one folder around all submissions, where there is one: ``submissions/``."""
    tops = {name.split("/")[0] for name in files}
    if len(tops) != 1 or _platform(files):
        return ""
    wrapper = f"{tops.pop()}/"
    inner = [name.removeprefix(wrapper) for name in files]
    wanted = [name for name in inner if _suffix(name) in PREFERRED]
    several = len({name.split("/")[0] for name in inner}) > 1 and len(wanted) > 1
    return wrapper if several or _platform(inner) else ""


def _platform(files):
    """The platform whose pattern at least one file has, and no notebook or archive lacks."""
    wanted = [name for name in files if _suffix(name) in PREFERRED]
    for platform, pattern in PLATFORMS.items():
        if wanted and all(pattern.fullmatch(name) for name in wanted):
            return platform
    return None


def _gradescope_people(files):
    """Who handed in which of Gradescope's submissions, from the list at the top of its export."""
    people = {}
    try:
        entries = yaml.load(files.get(GRADESCOPE_LIST, b""), Loader=yaml.BaseLoader) or {}
        for key, entry in entries.items():
            names = [p.get(":sid") or p.get(":email") or p[":name"] for p in entry[":submitters"]]
            people[key] = _readable(" + ".join(name[:200] for name in names[:20]))
    except (yaml.YAMLError, ValueError, RecursionError, AttributeError, TypeError, KeyError):
        pass  # Then the numbers of the submissions have to do.
    return people


def _student(name, match, people):
    if match is None:
        return name.split("/")[0] if "/" in name else PurePosixPath(name).stem
    number = match.groupdict().get("number")
    return f"{match['name']}_{number}" if number else people.get(match["name"], match["name"])
