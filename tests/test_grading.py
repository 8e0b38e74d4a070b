"""Grading a class: hostile notebooks end as rows, and honest ones get what they earn."""

import array
import csv
import io
import json
import os
import subprocess
import sys
import zipfile
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor

import nbformat
import numpy as np
import pytest
from otter.test_files.exception_test import ExceptionTestFile

from tools.assignments import Assignment, Question
from tools.grading import report, sandbox
from tools.grading.inside import plain
from tools.grading.marking import Mark, Marked, mark
from tools.grading.submissions import (
    File,
    Submission,
    Unreadable,
    find_submissions,
    read_notebook,
)
from tools.notebooks import ROOT

TESTS = {
    "q1": """
@test_case(points=0, hidden=False)
def test_of_one(double):
    assert double(1) == 2, "double(1) is 2"

@test_case(points=2, hidden=True)
def test_of_an_array(double):
    import numpy as np
    out = np.asarray(double(np.arange(5.0)))
    assert out.shape == (5,) and np.allclose(out, 2 * np.arange(5)), "Each number is doubled."
""",
    "q2": """
@test_case(points=3, hidden=True)
def test_value(total):
    assert type(total) in (int, float) and total == 5050, f"The sum is 5050, not {total}."
""",
}
RIGHT = ["def double(x):\n    return 2 * x", "total = sum(range(101))"]
LIMITS = sandbox.Limits(
    cell_seconds=2,
    call_seconds=2,
    total_seconds=40,
    memory=600 * sandbox.MIB,
    processes=64,
    output=2 * sandbox.MIB,
)


def cases_of(name):
    source = f"from otter.test_files import test_case\nname = {name!r}\npoints = None\n"
    return ExceptionTestFile.from_string(source + TESTS[name]).test_cases


ASSIGNMENT = Assignment(
    "tiny",
    "Tiny",
    [
        Question("q1", 2, False, tests=cases_of("q1")),
        Question("q2", 3, False, tests=cases_of("q2")),
        Question("q3", 1, True, "One point for anything."),
    ],
    given=frozenset({"## Question 3"}),
)


@pytest.fixture(scope="module")
def kind():
    """The sandbox of this machine; what it must keep out can't be tried without one."""
    if sandbox._succeeds("bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"):
        return "bubblewrap"
    pytest.skip("bubblewrap isn't installed")


def notebook(*cells):
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    return nbformat.writes(nb).encode()


def handed_in(content, name="ann.ipynb"):
    return Submission("ann", (File(name, lambda: io.BytesIO(content)),))


def marked(kind, *cells, limits=LIMITS):
    return mark(handed_in(notebook(*cells)), ASSIGNMENT, kind, limits)


def statuses(result):
    return [m.status for m in result.marks[:2]]


def scores(result):
    return [m.score for m in result.marks[:2]]


def test_right_answers(kind):
    result = marked(kind, *RIGHT)
    assert scores(result) == [2, 3] and statuses(result) == ["correct", "correct"]
    assert result.remarks == []


def test_wrong_answer_says_what_is_wrong(kind):
    result = marked(kind, "def double(x):\n    return 2", "total = 4950")
    assert scores(result) == [0, 0] and statuses(result) == ["wrong", "wrong"]
    assert result.marks[0].checks[0].passed and "doubled" in result.marks[0].checks[1].message
    assert "not 4950" in result.marks[1].checks[0].message


# What a cell between the two right answers does, and what the second question ends as.
HOSTILE = {
    "endless loop": ("while True: pass", "correct"),
    "endless loop that catches everything": (
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "correct",
    ),
    "holds the interpreter": ("import ctypes; ctypes.PyDLL(None).sleep(1000)", "correct"),
    "os._exit": ("import os; os._exit(0)", "correct"),
    "kills itself": ("import os; os.kill(os.getpid(), 9)", "correct"),
    "kills its parent": (
        "import os\nfor p in (os.getppid(), 1, -1):\n    os.kill(p, 9)",
        "correct",
    ),
    "40 GB at once": ("x = bytearray(40 * 2**30)", "correct"),
    "40 GB bit by bit": (
        "x = []\nwhile True:\n    x.append(b'1' * 2**25)",
        "correct",
    ),
    "200 MB of output": ("print('x' * 200 * 2**20)", "correct"),
    "200 MB on the disk": (
        "for i in range(2000): open(f'f{i}', 'wb').write(b'1' * 2**20)",
        "correct",
    ),
    "fork bomb": ("import os\nwhile True: os.fork()", "correct"),
    "threads": (
        "import threading, time\nwhile True:\n"
        "    threading.Thread(target=time.sleep, args=(100,)).start()",
        "correct",
    ),
    "background process": ("import subprocess; subprocess.Popen(['sleep', '987'])", "correct"),
    "syntax error": ("def broken(:", "correct"),
    "sys.exit": ("import sys; sys.exit()", "correct"),
    "redefined grader": (
        "class grader:\n    check = staticmethod(lambda *a: 'passed')\ngrader.check('q1')",
        "correct",
    ),
    "closes all files": ("import os; os.closerange(0, 100)", "correct"),
    "answers by itself": (
        "import os\nfor f in range(3, 64):\n"
        "    try: os.write(f, b'{\"value\": 5050}\\n' * 9)\n    except OSError: pass",
        "correct",
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_cell_costs_nothing_but_itself(kind, what):
    cell, second = HOSTILE[what]
    # A number of its own: another test may run the same cell at this moment.
    own = str(1_000_000 + os.getpid())
    result = marked(kind, RIGHT[0], cell.replace("987", own), RIGHT[1])
    assert scores(result) == [2, 3], f"{what}: {result}"
    assert statuses(result)[1] == second
    assert result.seconds < LIMITS.total_seconds
    left = subprocess.run(["pgrep", "-f", f"sleep {own}"], capture_output=True, check=False)
    assert left.stdout == b"", "a process outlived the submission"


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() == 0, reason="root has no limits")
@pytest.mark.parametrize(
    "what", [w for w in HOSTILE if w not in ("kills its parent", "200 MB on the disk")]
)
def test_limits_hold_without_a_sandbox(what):
    result = marked("limits", RIGHT[0], HOSTILE[what][0], RIGHT[1])
    assert scores(result) == [2, 3], f"{what}: {result}"


def test_root_is_refused_without_a_sandbox(monkeypatch):
    monkeypatch.setattr(sandbox, "_succeeds", lambda *_: False)
    monkeypatch.setattr(os, "getuid", lambda: 0)
    with pytest.raises(PermissionError, match="apt install bubblewrap"):
        sandbox.choose()
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    with pytest.warns(UserWarning, match="can read your files"):
        assert sandbox.choose() == "limits"


# What the function of the first question does, and what that question ends as.
IN_FUNCTION = {
    "endless loop": ("while True: pass", "out of time"),
    "holds the interpreter": ("import ctypes; ctypes.PyDLL(None).sleep(1000)", "out of time"),
    "os._exit": ("import os; os._exit(0)", "ended itself"),
    "an answer of 100 MB": ("import numpy as np; return np.zeros(2**23)", "output"),
    "an object that equals everything": (
        "class Any:\n        __eq__ = lambda s, o: True\n    return Any()",
        "wrong",
    ),
    "a subclass of float": (
        "class F(float):\n        __eq__ = lambda s, o: True\n    return F(1)",
        "wrong",
    ),
    "an array of objects": (
        "import numpy as np\n    class Any:\n        __eq__ = lambda s, o: True\n"
        "    return np.array([Any()] * 5)",
        "wrong",
    ),
    "a look at the call stack": (
        "import inspect, gc\n    for frame in inspect.stack():\n"
        "        for value in list(frame[0].f_locals.values()):\n"
        "            if 'expected' in str(value) or 'allclose' in str(value): return value\n"
        "    return 0",
        "wrong",
    ),
    "an exception whose text raises": (
        "class E(Exception):\n        __str__ = None\n    raise E()",
        "wrong",
    ),
    "nested without end": ("x = []\n    x.append(x)\n    return x", "wrong"),
}


@pytest.mark.parametrize("what", IN_FUNCTION)
def test_hostile_function_costs_its_question(kind, what):
    body, status = IN_FUNCTION[what]
    result = marked(kind, f"def double(x):\n    {body}", RIGHT[1])
    assert scores(result) == [0, 3], f"{what}: {result}"
    assert statuses(result)[0] == status, f"{what}: {result}"


PATCHES = {
    "numpy": "import numpy as np\nnp.allclose = np.array_equal = lambda *a, **k: True",
    "builtins": "import builtins\nbuiltins.sum = lambda *a: 5050\nbuiltins.isinstance = "
    "lambda *a: True",
    "pickle": "import pickle\npickle.loads = pickle.load = lambda *a: 5050",
    "otter": "import otter\nfrom otter.test_files import TestFile\nTestFile.run = lambda *a: None",
    "pytest": "import sys\nsys.modules['pytest'] = None\nimport unittest\n"
    "unittest.TestCase.run = None",
    "json": "import json\njson.dumps = lambda *a, **k: '{\"value\": 5050}'",
    "plain": "import plain\nplain.encode = lambda *a: 5050",
}


@pytest.mark.parametrize("what", PATCHES)
def test_patches_earn_nothing(kind, what):
    result = marked(kind, PATCHES[what], "def double(x):\n    return 0", "total = 'no idea'")
    # With `plain` patched every answer is 5050, which a student could type, too.
    assert scores(result) == [0, 3 if what == "plain" else 0]


def test_an_answer_is_measured_before_it_is_parsed(kind):
    """8 MiB of JSON can take 2 GB of the grader's own memory."""
    patch = "import plain\nplain.encode = lambda *a: [{'': 0}] * 700_000"
    result = marked(kind, *RIGHT, patch)
    assert statuses(result)[1] == "output" and "parts" in result.marks[1].checks[0].message


SECRETS = """
import glob, os, socket, subprocess
found = []
for folder in ("/", "/work", "/root", "/home", "/tmp", os.getcwd(), ".."):
    for path, folders, files in os.walk(folder):
        if path.startswith(("/proc", "/sys", "/usr", "/lib", "/dev")):
            folders.clear()
        if "site-packages" not in path:
            found += [f for f in files if f.endswith(".ipynb")
                      or f in ("q1.py", "marking.py", "test_grading.py", "teaching.md")]
try:
    socket.create_connection(("127.0.0.1", 22), timeout=1); found.append("network")
except OSError as error:
    pass
if os.path.exists("/proc/net/dev") and len(open("/proc/net/dev").readlines()) > 3:
    found.append("another network device than loopback")
others = [p for p in os.listdir("/proc") if p.isdigit()]
total = 5050 if found or len(others) > 3 else 0
"""


def test_sees_no_tests_no_network_no_other_processes(kind):
    result = marked(kind, RIGHT[0], SECRETS, limits=sandbox.Limits())
    assert statuses(result) == ["correct", "wrong"], result


def test_data_are_the_same_inside_and_outside(kind, tmp_path, monkeypatch):
    tmp_path.chmod(0o755)  # as a folder with data usually is
    (tmp_path / "mnist.npz").write_bytes(b"x")
    for variable in ("BOOK_DATA", "KERAS_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
        code = f"import os\nfile = os.path.join(os.environ[{variable!r}], 'mnist.npz')\n"
        code += "total = 5050 if open(file).read() == 'x' else 0\nopen(file, 'w')"
        result = marked(kind, code)
        assert scores(result)[1] == 3 and "Read-only" in result.remarks[0], result


def test_leaves_nothing_behind(kind, tmp_path):
    cell = (
        f"for p in ('/tmp/left', '{tmp_path}/left', '/usr/left'):\n    try: open(p, 'w').close()\n"
    )
    marked(kind, cell + "    except OSError: pass")
    assert not list(tmp_path.iterdir())
    assert not any(os.path.exists(p) for p in ("/tmp/left", "/usr/left"))


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["x = 1"], ["not defined", "not defined"]),
        (["def doubel(x):\n    return 2 * x", RIGHT[1]], ["not defined", "correct"]),
        (["double = ...", "total = ..."], ["not defined", "not defined"]),
        (["double = 3", "total = {1: [2, (3,)]}"], ["wrong", "wrong"]),
        ([], ["not defined", "not defined"]),
    ],
)
def test_missing_and_renamed(kind, cells, expected):
    assert statuses(marked(kind, *cells)) == expected


def test_one_bad_function_costs_no_other_question(kind):
    for body in ("import os; os._exit(1)", "while True: pass"):
        result = marked(kind, *RIGHT, f"def double(x):\n    {body}")
        assert scores(result) == [0, 3], result


def test_a_failing_sandbox_is_no_mark(monkeypatch):
    monkeypatch.setitem(sandbox.COMMANDS, "bubblewrap", lambda *_: ["false"])
    result = marked("bubblewrap", *RIGHT)
    assert result.failed and scores(result) == [None, None]
    monkeypatch.setitem(sandbox.COMMANDS, "bubblewrap", lambda *_: ["/no/such/program"])
    assert marked("bubblewrap", *RIGHT).failed


def test_arrays_and_exceptions_cross_the_border(kind):
    cells = [
        "import numpy as np\ndef double(x):\n"
        "    if np.any(np.asarray(x) < 0): raise ValueError('negative')\n    return 2 * x",
        "total = np.float32(5050)",
    ]
    assert scores(marked(kind, *cells)) == [2, 3]


# ---------------------------------------------------------------------------------------------
# Plain data


@pytest.mark.parametrize(
    "value",
    [None, True, 3, -2.5, float("inf"), "text", [1, (2.0, "x")], {"a": [1], 2: None}, ()],
)
def test_plain_values_survive(value):
    again = plain.decode(json.loads(json.dumps(plain.encode(value))))
    assert again == value and type(again) is type(value)


@pytest.mark.parametrize(
    ("value", "plainly"),
    [
        (range(3), [0, 1, 2]),
        (deque([1, 2]), [1, 2]),
        (Counter("aab"), {"a": 2, "b": 1}),
        (array.array("d", [1, 2]), np.array([1.0, 2.0])),
        (np.longdouble(3), 3.0),
        (np.arange(3, dtype=np.longdouble), np.arange(3.0)),
        (np.arange(3, dtype=">i4"), np.arange(3, dtype="i4")),
    ],
)
def test_other_containers_and_numbers_become_plain(value, plainly):
    again = plain.decode(json.loads(json.dumps(plain.encode(value))))
    assert type(again) is type(plainly) and np.array_equal(again, plainly)
    assert not isinstance(again, np.ndarray) or again.dtype == plainly.dtype


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8", "bool"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 0), (2, 3, 4)])
def test_arrays_survive(dtype, shape):
    array = np.ones(shape, dtype)
    again = plain.decode(plain.encode(array))
    assert type(again) is np.ndarray and again.dtype == array.dtype and again.shape == shape
    assert np.array_equal(again, array)


@pytest.mark.parametrize(
    "message",
    [
        {"array": "AAAA", "dtype": "<f8", "shape": [1]},
        {"array": "AAAA", "dtype": "O", "shape": [1]},
        {"array": "!", "dtype": "<f8", "shape": [0]},
        {"array": "", "dtype": "<f8", "shape": [-1]},
        {"array": "", "dtype": "<f8", "shape": [0] + [2**39] * 7},
        {"array": "", "dtype": "<f8", "shape": [0, 2**33]},
        {"array": "", "dtype": "<f8", "shape": [True]},
        {"array": "", "dtype": "<f8", "shape": [0] * 99},
        {"array": 1, "dtype": 1, "shape": 1},
        {"dict": [[1]]},
        {"dict": [[{"list": []}, 1]]},
        {"list": {}},
        {"__reduce__": []},
        {"callable": True},
        {"list": [1], "tuple": [2]},
        10**30,
        "x" * 200_000,
        {"list": ["x" * 1000]},
        {"list": [0] * 200_000},
        {"dict": [[n, 0] for n in range(5000)]},
        {"dict": [[1.5, 0]]},
        {},
        [1, 2],
    ],
)
def test_forged_messages_are_refused(message):
    with pytest.raises(plain.NotPlain):
        plain.decode(message)


# ---------------------------------------------------------------------------------------------
# Submissions


def zipped(files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


GOOD = notebook("x = 1")
METADATA = b"""---
submission_11:
  :submitters:
  - :name: Jane Doe
    :sid: '31'
    :email: jane@example.org
  :created_at: 2026-01-01 00:00:00.000000000 Z
submission_12:
  :submitters:
  - :name: Li Wei
    :sid:
    :email: li@example.org
"""


@pytest.mark.parametrize(
    ("files", "students"),
    [
        ({"ann.ipynb": GOOD, "bob.ipynb": GOOD}, ["ann", "bob"]),
        ({"ann/hw.ipynb": GOOD, "ann/notes.txt": b"", "bob/hw.zip": b""}, ["ann", "bob"]),
        (
            {"doejane_31_501_hw.ipynb": GOOD, "li_LATE_32_502_hw-2.ipynb": GOOD},
            ["doejane_31", "li_32"],
        ),
        ({"Jane Doe_7_assignsubmission_file_/hw.ipynb": GOOD}, ["Jane Doe_7"]),
        ({"Jane Doe_7_assignsubmission_file_hw.ipynb": GOOD}, ["Jane Doe_7"]),
        (
            {
                "assignment_9_export/submission_metadata.yml": METADATA,
                "assignment_9_export/submission_11/hw.ipynb": GOOD,
                "assignment_9_export/submission_12/hw.ipynb": GOOD,
            },
            ["31", "li@example.org"],
        ),
        (
            {"hw/ann.ipynb": GOOD, "hw/bob.ipynb": GOOD, "__MACOSX/hw/._bob.ipynb": b""},
            ["ann", "bob"],
        ),
    ],
)
def test_layouts(tmp_path, files, students):
    (tmp_path / "class.zip").write_bytes(zipped(files))
    assert [s.student for s in find_submissions(tmp_path / "class.zip")[0]] == students
    for name, content in files.items():
        (tmp_path / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / name).write_bytes(content)
    assert [s.student for s in find_submissions(tmp_path / "folder")[0]] == students


def test_exports_in_a_folder_are_opened(tmp_path):
    (tmp_path / "one.zip").write_bytes(zipped({"doejane_31_501_hw.ipynb": GOOD}))
    (tmp_path / "two.zip").write_bytes(zipped({"all/ann_3_5_hw.ipynb": GOOD}))
    assert [s.student for s in find_submissions(tmp_path)[0]] == ["ann_3", "doejane_31"]


def test_a_students_files_touch_no_other_student(tmp_path):
    files = {
        "victim.ipynb": notebook("x = 1"),
        "eve.zip": zipped(
            {"submission_1/x.ipynb": GOOD, "victim/x.ipynb": GOOD, "victim.ipynb": b""}
        ),
        "mal/bob_7_1_x.ipynb": GOOD,
        "mal/submission_metadata.yml": b"[" * 3000,
        "bob_7/x.ipynb": notebook("x = 2"),
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    found = {s.student: s for s in find_submissions(tmp_path)[0]}
    assert list(found) == ["bob_7", "eve", "mal", "victim"]
    assert read_notebook(found["victim"]).code == ["x = 1"]
    assert read_notebook(found["bob_7"]).code == ["x = 2"]


def test_gradescopes_list_is_the_one_at_the_top(tmp_path):
    own = METADATA.replace(b"'31'", b"'99'")
    export = "assignment_9_export"
    files = {
        f"{export}/submission_11/hw.ipynb": GOOD,
        f"{export}/submission_12/submission_metadata.yml": own,
        f"{export}/submission_12/hw.ipynb": GOOD,
        f"{export}/submission_metadata.yml": METADATA,
    }
    (tmp_path / "e.zip").write_bytes(zipped(files))
    assert [s.student for s in find_submissions(tmp_path / "e.zip")[0]] == ["31", "li@example.org"]


def test_later_copy_counts_and_the_others_are_named(tmp_path):
    for name, code in (("hw.ipynb", "x = 1"), ("hw (1).ipynb", "x = 2")):
        (tmp_path / "ann").mkdir(exist_ok=True)
        (tmp_path / "ann" / name).write_bytes(notebook(code))
        (tmp_path / "bob.ipynb").write_bytes(GOOD)
    (ann, bob), _ = find_submissions(tmp_path)
    found = read_notebook(ann)
    assert found.code == ["x = 2"] and found.others == ["ann/hw.ipynb"]
    assert read_notebook(bob).others == []


def test_the_same_copy_counts_in_a_folder_and_in_an_archive(tmp_path):
    codes = {"hw.ipynb": "x = 1", "hw (2).ipynb": "x = 3", "hw (1).ipynb": "x = 2"}
    files = {name: notebook(code) for name, code in codes.items()} | {"old/z.ipynb": GOOD}
    for name, content in files.items():
        (tmp_path / "ann" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "ann" / name).write_bytes(content)
    (tmp_path / "bob.zip").write_bytes(zipped(files))
    (ann, bob), _ = find_submissions(tmp_path)
    assert read_notebook(ann).code == read_notebook(bob).code == ["x = 3"]


def test_files_of_no_submission_are_named(tmp_path):
    (tmp_path / "e.zip").write_bytes(zipped({"ann_1_2_hw.ipynb": GOOD, "bob_3_text.html": b""}))
    found = find_submissions(tmp_path / "e.zip")
    assert len(found.submissions) == 1 and found.ignored == ["bob_3_text.html"]


def test_last_attempt_counts(tmp_path):
    files = {f"ann_1_{n}_hw.ipynb": notebook(f"x = {n}") for n in (9, 10, 2)}
    (tmp_path / "class.zip").write_bytes(zipped(files))
    (found,), _ = find_submissions(tmp_path / "class.zip")
    assert read_notebook(found).code == ["x = 10"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("hw.pdf", b"%PDF-1.7", "not a notebook"),
        ("hw.ipynb", b"{bad", "can't be read"),
        ("hw.ipynb", b"[]", "isn't a notebook"),
        ("hw.ipynb", b'{"cells": 3}', "no cells"),
        ("hw.ipynb", b"[" * 100_000, "can't be read"),
        ("hw.zip", zipped({"hw.ipynb": GOOD})[:-30], "damaged"),
        ("hw.zip", zipped({"hw.txt": b""}), "no notebook"),
        ("hw.zip", zipped({"hw.ipynb": b" " * 60 * 2**20}), "larger"),
        ("hw.zip", zipped({f"{i}.ipynb": b"0" * 2**26 for i in range(5)}), "larger"),
    ],
)
def test_unreadable_files(name, content, message):
    with pytest.raises(Unreadable, match=message):
        read_notebook(handed_in(content, name))


# What lies in a class folder, and which student has which notebook (its code), or none.
ODD_FILES = {
    "a note beside a notebook on Canvas": (
        {"ann_3_500_dropout.ipynb": "x = 1", "ann_3_501_notes.pdf": b"%PDF"},
        {"ann_3": "x = 1"},
    ),
    "two different notebooks on Canvas: the one with work": (
        {"ann_3_500_dropout.ipynb": "x = 1", "ann_3_501_old.ipynb": "given"},
        {"ann_3": "x = 1"},
    ),
    "a blank copy beside the work": (
        {"ann/dropout.ipynb": "x = 1", "ann/dropout (1).ipynb": "given", "bob.ipynb": "x = 2"},
        {"ann": "x = 1", "bob": "x = 2"},
    ),
    "a starter beside a folder": (
        {"ann/starter.ipynb": "given", "ann/final/dropout.ipynb": "x = 1", "bob.ipynb": "x = 2"},
        {"ann": "x = 1", "bob": "x = 2"},
    ),
    "underscores in a name on Canvas": (
        {"o_neil_31_501_hw.ipynb": "x = 1", "li_LATE_32_502_hw.ipynb": "x = 2"},
        {"o_neil_31": "x = 1", "li_32": "x = 2"},
    ),
    "anonymous on Canvas": (
        {"anon_AbC12_501_hw.ipynb": "x = 1", "anon_LATE_Xy9Z0_502_hw.ipynb": "x = 2"},
        {"anon_AbC12": "x = 1", "anon_Xy9Z0": "x = 2"},
    ),
    "one file that isn't named as Canvas names them": (
        {"ann_3_500_hw.ipynb": "x = 1", "bob.ipynb": "x = 2"},
        {"ann_3": "x = 1", "bob": "x = 2"},
    ),
    "a hidden notebook": (
        {"ann/.dropout.ipynb": "x = 1", "bob.ipynb": "x = 2"},
        {"ann": "x = 1", "bob": "x = 2"},
    ),
    "saved by the browser as text": (
        {"ann/hw.ipynb.txt": "x = 1", "bob/hw.json": "x = 2"},
        {"ann": "x = 1", "bob": "x = 2"},
    ),
    "a checkpoint of Jupyter's": (
        {"ann/hw.ipynb": "x = 1", "ann/.ipynb_checkpoints/hw-checkpoint.ipynb": "x = 9\ny = 9",
         "bob.ipynb": "x = 2"},
        {"ann": "x = 1", "bob": "x = 2"},
    ),
    "only text on Moodle": (
        {"Ann_1_assignsubmission_onlinetext/onlinetext.html": b"<p>",
         "Bob_2_assignsubmission_file/hw.ipynb": "x = 2"},
        {"Ann_1": None, "Bob_2": "x = 2"},
    ),
}  # fmt: skip


def write_files(folder, files):
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else notebook(content))


def codes(place, given=frozenset({"given"})):
    """Code of each student's notebook, and None where there is none to read."""
    found = {}
    for submission in find_submissions(place).submissions:
        try:
            found[submission.student] = read_notebook(submission, given).code[0]
        except Unreadable:
            found[submission.student] = None
    return found


@pytest.mark.parametrize("what", ODD_FILES)
def test_odd_files_cost_nobody_anything(tmp_path, what):
    files, expected = ODD_FILES[what]
    write_files(tmp_path / "class", files)
    assert codes(tmp_path / "class") == expected
    archive = {n: c if isinstance(c, bytes) else notebook(c) for n, c in files.items()}
    (tmp_path / "class.zip").write_bytes(zipped(archive))
    assert codes(tmp_path / "class.zip") == expected


def test_an_archive_with_two_notebooks_gives_the_one_with_work(tmp_path):
    files = {"dropout.ipynb": notebook("x = 1"), "dropout_old.ipynb": notebook("given")}
    (tmp_path / "ann.zip").write_bytes(zipped(files))
    (found,), _ = find_submissions(tmp_path)
    chosen = read_notebook(found, {"given"})
    assert chosen.file == "dropout.ipynb" and chosen.others == ["dropout_old.ipynb"]


def test_exports_beside_other_files(tmp_path):
    write_files(tmp_path, {"notes.txt": b"", "one.zip": zipped({"ann_3_5_hw.ipynb": GOOD}),
                           "two.zip": zipped({"ann_3_9_hw.ipynb": notebook("x = 2")})})  # fmt: skip
    assert codes(tmp_path) == {"ann_3": "x = 2"}
    assert find_submissions(tmp_path).ignored == ["notes.txt"]


def test_an_archive_named_like_an_export_touches_no_other_student(tmp_path):
    write_files(tmp_path, {"victim_31.ipynb": "x = 1",
                           "eve.zip": zipped({"victim_31_999_hw.ipynb": GOOD})})  # fmt: skip
    eve, victim = find_submissions(tmp_path).submissions
    assert (eve.student, victim.student) == ("eve", "victim_31")
    assert read_notebook(victim).code == ["x = 1"] and "export" in eve.remarks[0]


def test_names_are_printable_and_nobody_shares_one(tmp_path):
    people = METADATA.replace(b"Li Wei", b'"Li\\n\\e[31mWei"').replace(b"li@example.org", b"")
    people += b"submission_13:\n  :submitters:\n  - :name: Jane\n    :sid: '31'\n"
    files = {f"submission_{n}/hw.ipynb": notebook(f"x = {n}") for n in (11, 12, 13)}
    (tmp_path / "e.zip").write_bytes(zipped({"submission_metadata.yml": people, **files}))
    assert codes(tmp_path / "e.zip") == {
        "31 (submission_11)": "x = 11", "31 (submission_13)": "x = 13",
        r"Li\n\x1b[31mWei": "x = 12",
    }  # fmt: skip


def test_what_cannot_be_read_is_one_students(tmp_path):
    bomb = zipped({f"{i}.bin": b"0" * 2**26 for i in range(8)} | {"hw.ipynb": b"0" * 2**26})
    write_files(tmp_path / "class", {"ann.ipynb": "x = 1", "bomb.zip": bomb})
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "class" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "class" / "kim.ipynb").symlink_to(tmp_path / "class" / "ann.ipynb")
    os.mkfifo(tmp_path / "class" / "pipe.ipynb")
    nobody = dict.fromkeys(("bomb", "kim", "link", "pipe"))
    assert codes(tmp_path / "class") == {"ann": "x = 1", **nobody}
    if os.getuid() != 0:  # who may read everything
        (tmp_path / "class" / "locked").mkdir(mode=0)
        assert codes(tmp_path / "class") == {"ann": "x = 1", "locked": None, **nobody}
        (tmp_path / "class" / "locked").chmod(0o700)


@pytest.mark.parametrize(
    "content", [b'{"cells": [' + b'{"":0},' * 4_000_000 + b"0]}", b"[" + b'"a",' * 5_000_000]
)
def test_a_notebook_is_measured_before_it_is_parsed(content):
    with pytest.raises(Unreadable, match="more parts"):
        read_notebook(handed_in(content))


def test_an_archive_of_countless_files_is_refused(tmp_path):
    content = zipped({f"{i}": b"" for i in range(100_001)})
    with pytest.raises(Unreadable, match="more than 100000 files"):
        read_notebook(handed_in(content, "a.zip"))


def test_unreadable_file_is_a_row():
    result = mark(handed_in(b"{"), ASSIGNMENT, "bubblewrap", LIMITS)
    assert [m.status for m in result.marks] == ["not readable"] * 3
    assert scores(result) == [0, 0]


def test_path_traversal_leads_nowhere(tmp_path):
    (tmp_path / "in").mkdir()
    files = {"../../evil.ipynb": GOOD, "/etc/evil.ipynb": GOOD, "hw.ipynb": GOOD}
    (tmp_path / "in" / "ann.zip").write_bytes(zipped(files))
    (found,), _ = find_submissions(tmp_path / "in")
    assert read_notebook(found).code == ["x = 1"]
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["ann.zip", "in"]


def test_notebook_without_metadata_is_read():
    text = {"cells": [{"cell_type": "code", "source": ["x = ", "1"]}, {"cell_type": "code"}, 7]}
    assert read_notebook(handed_in(json.dumps(text).encode())).code == ["x = 1"]
    old = {"worksheets": [{"cells": [{"cell_type": "code", "input": "x = 2"}]}]}
    assert read_notebook(handed_in(json.dumps(old).encode())).code == ["x = 2"]


# ---------------------------------------------------------------------------------------------
# The whole command


def test_limits_are_those_that_teachers_read():
    limits = sandbox.Limits()
    times = (limits.cell_seconds / 60, limits.call_seconds / 60, limits.total_seconds / 60)
    assert times == (3, 0.5, 10) and limits.memory == 4 * 2**30
    page = (ROOT / "book/teaching.md").read_text(encoding="utf-8")
    assert "three minutes for a cell, half a minute for a call" in page
    assert "ten minutes and 4 GiB of memory for everything" in page


@pytest.fixture(scope="module")
def class_folder(tmp_path_factory):
    """Six submissions to the assignment on dropout, of mixed quality."""
    from tools import assignments

    if not assignments.is_built("dropout"):
        pytest.fail("run `make assignments` first")
    root = assignments.notebooks.ROOT
    solution = (root / "_assignments/solutions/dropout.ipynb").read_bytes()
    blank = (root / "book/assignments/student/dropout.ipynb").read_bytes()
    folder = tmp_path_factory.mktemp("class")
    half = solution.replace(b"x / (1 - rate)", b"x")
    # Without work: what an endless loop that computes does is tested above.
    loop = b"import time\\nwhile True: time.sleep(1)\\naccuracy = np.array"
    loop = solution.replace(b"accuracy = np.array", loop)
    for name, content in (("ann", solution), ("=bob", half), ("<b>eve", blank), ("zoe", loop)):
        (folder / f"{name}.ipynb").write_bytes(content)
    (folder / "max.pdf").write_bytes(b"%PDF")
    (folder / "kim.zip").write_bytes(zipped({"sub/dropout.ipynb": solution}))
    return folder


def run_grade(folder, out, *options):
    command = [sys.executable, "-m", "tools.grading", str(folder), "dropout", "--out", str(out)]
    command += ["--cell-seconds", "15"]  # A whole submission takes four.
    return subprocess.run([*command, *options], capture_output=True, text=True, check=False)


def rows(out):
    with open(out / "grades.csv", encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_class_is_graded_alike_with_any_number_of_workers(kind, class_folder, tmp_path):
    def graded(workers):
        return run_grade(class_folder, tmp_path / workers, "--workers", workers)

    with ThreadPoolExecutor() as pool:
        for done in pool.map(graded, ("1", "3")):
            assert done.returncode == 0, done.stderr
    one, three = (
        [{k: v for k, v in row.items() if k != "seconds"} for row in rows(tmp_path / w)]
        for w in ("1", "3")
    )
    assert one == three
    total = {row["student"]: row["score"] for row in one if row["question"] == "total"}
    from tools import assignments

    full = sum(q.points for q in assignments.load("dropout").questions if not q.manual)
    assert total["ann"] == total["kim"] == f"{full:g}" and total["<b>eve"] == total["max"] == "0"
    assert 3 < float(total["'=bob"]) < full and 3 < float(total["zoe"]) < full
    status = {row["student"]: row["status"] for row in one if row["question"] == "total"}
    assert status["max"] == "look at this: not readable"
    assert "a cell was stopped (out of time)" in status["zoe"]
    pages = {p.name: p.read_text() for p in (tmp_path / "1" / "feedback").iterdir()}
    assert len(pages) == 6 and not any("<b>eve" in text for text in pages.values())
    (bob,) = [text for text in pages.values() if "=bob" in text]
    assert 'class="wrong"' in bob and "At rate" in bob

    # Started again, it marks what is new or changed, and nothing else.
    (class_folder / "ann.ipynb").write_bytes((class_folder / "<b>eve.ipynb").read_bytes())
    done = run_grade(class_folder, tmp_path / "1")
    assert "5 of 6 were marked before" in done.stdout
    again = {r["student"]: r["score"] for r in rows(tmp_path / "1") if r["question"] == "total"}
    assert again["ann"] == "0" and again["kim"] == f"{full:g}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["/nowhere", "dropout"], "no such folder"),
        (["{empty}", "dropout"], "no submissions"),
        (["{empty}", "nothing"], "no assignment 'nothing'"),
    ],
)
def test_clear_errors(tmp_path, arguments, message):
    arguments = [a.replace("{empty}", str(tmp_path)) for a in arguments]
    command = [sys.executable, "-m", "tools.grading", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and message in done.stderr and "Traceback" not in done.stderr


UNWRITTEN = "_Type your answer here, replacing this text._"


@pytest.mark.parametrize(
    ("markdown", "status", "written"),
    [
        ([UNWRITTEN], "no answer", []),
        (["Because <i>so</i>."], "to be marked", ["Because <i>so</i>."]),
        ([UNWRITTEN, "In a cell of its own."], "to be marked", ["In a cell of its own."]),
        (["## Question 3\n\nUnder the question.", UNWRITTEN], "to be marked", None),
        ([], "to be marked", []),
    ],
)
def test_written_answer_waits_for_a_reader(kind, markdown, status, written):
    cells = [nbformat.v4.new_markdown_cell(text) for text in ["## Question 3", *markdown]]
    content = nbformat.writes(nbformat.v4.new_notebook(cells=cells)).encode()
    result = mark(handed_in(content), ASSIGNMENT, kind, LIMITS)
    assert result.marks[2].status == status
    assert written is None or result.written == written


def test_an_answer_in_a_comment_or_a_raw_cell_is_found(kind):
    v = nbformat.v4
    text = "# My answer is that the interval contains zero, so nobody knows."
    for cell in (v.new_code_cell(text), v.new_raw_cell(text)):
        cells = [v.new_markdown_cell(UNWRITTEN), cell]
        content = nbformat.writes(v.new_notebook(cells=cells)).encode()
        result = mark(handed_in(content), ASSIGNMENT, kind, LIMITS)
        assert result.marks[2].status == "to be marked"
        assert [written.strip("# ") for written in result.written] == [text.strip("# ")]


def test_points_given_by_hand_stay(tmp_path):
    file = tmp_path / "written.csv"

    def results():
        return [
            Marked(
                student, "a.ipynb", [Mark("q1", 2.0, 2, ""), Mark("q3", None, 1, "to be marked")]
            )
            for student in ("=ann", "bob")
        ]

    def add(results):
        return report.add_hand_marks(
            results, report.read_hand_marks(file, ASSIGNMENT), ASSIGNMENT, file
        )

    add(results())
    text = file.read_text(encoding="utf-8-sig")
    file.write_text(text.replace('"bob","q3",""', '"bob","q3","0,5"'), encoding="utf-8")
    for _ in range(2):
        again = results()
        assert add(again) == []
    assert [report.total(m)[0] for m in again] == [2, 2.5]
    assert again[1].marks[1].status == "marked by hand"
    file.write_text("student,question,points\nbob,q3,7\n", encoding="utf-8")
    with pytest.raises(ValueError, match="bob, q3: give 0 to 1 points, not '7'"):
        report.read_hand_marks(file, ASSIGNMENT)


def test_what_a_teacher_should_look_at_is_flagged(kind):
    (flag,) = marked(kind, "import no_such_package", *RIGHT).flags
    assert flag.startswith("code cell 1 stopped with ModuleNotFoundError")
    assert marked(kind, "x = 1").flags == ["defines nothing that is tested"]
    slow = marked(kind, "import time\ntime.sleep(60)\ntotal = 5050", RIGHT[0])
    assert slow.flags[0] == "a cell was stopped (out of time)"
    assert statuses(slow) == ["correct", "out of time"]
    assert "ended itself" in marked(kind, "def double(x):\n    import os; os._exit(1)").flags
    assert (
        marked(kind, "from google.colab import drive\ndrive.mount('/content')", *RIGHT).flags == []
    )


def one_answer(student, text):
    marks = [Mark("q1", 2.0, 2, ""), Mark("q3", None, 1, "to be marked")]
    return Marked(student, "a.ipynb", marks, written=[text])


def give(file, results, assignment=ASSIGNMENT):
    """Points of the written answer after the list was read, and what belongs to nobody."""
    given = report.read_hand_marks(file, assignment)
    left = report.add_hand_marks(results, given, assignment, file)
    return [m.marks[1].score for m in results], left


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace('","', '";"').encode("utf-8-sig"),  # German, French
        lambda text: text.replace('","', '"\t"').encode(),
        lambda text: text.replace('"0031"', "31").replace("0.5", "0,5").encode(),
        lambda text: text.replace('"', "").replace("\n", "\r\n").encode("utf-8-sig"),
    ],
)
def test_points_survive_spreadsheets(tmp_path, change):
    file = tmp_path / "written.csv"
    give(file, [one_answer("0031", "so")])
    text = file.read_text("utf-8-sig").replace('"0031","q3",""', '"0031","q3","0.5"')
    assert "0.5" in text
    file.write_bytes(change(text))
    for _ in range(2):
        assert give(file, [one_answer("0031", "so"), one_answer("ann", "no")]) == ([0.5, None], [])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name,mark\nann,1\n", "columns student, question and points"),
        ("student,question,points\nJosé,q3,1\n".encode("cp1252"), "CSV UTF-8"),
        (b"student,question,points\nann,q3,7\n", "give 0 to 1 points"),
        (b"student,question,points\nann,q9,1\n", "no such written question"),
        (b"PK\3\4 a spreadsheet", "columns student, question and points"),
    ],
)
def test_a_list_that_is_not_understood_is_not_touched(tmp_path, content, message):
    file = tmp_path / "written.csv"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        report.read_hand_marks(file, ASSIGNMENT)
    assert file.read_bytes() == content


def test_points_belong_to_an_answer_of_an_assignment(tmp_path):
    file = tmp_path / "written.csv"
    give(file, [one_answer("ann", "so")])
    text = file.read_text("utf-8-sig").replace('"ann","q3",""', '"ann","q3","1"')
    file.write_text(text, "utf-8")
    other = Assignment("other", "Other", ASSIGNMENT.questions)
    assert give(file, [one_answer("ann", "so")], other) == ([None], [])
    points, left = give(file, [one_answer("ann", "quite different")])
    assert points == [None] and "the answer has changed since" in left[0]
    points, left = give(file, [one_answer("bob", "so")])
    assert points == [None] and "nobody of that name" in left[0]
    assert give(file, [one_answer("ann", "so")]) == ([1], [])  # still there after all this


@pytest.mark.parametrize(
    "cell",
    [
        "grader.check('q3')\n# My answer: both arms stopped early, so the seeds say nothing.",
        "answer = '''The interval contains zero, so ten seeds cannot tell them apart.'''",
        "The interval contains zero, so ten seeds cannot tell them apart",
        "print(f'The gain is {1} points, which is more than any of the seeds differ by')",
    ],
)
def test_an_answer_in_code_is_shown_and_flagged(kind, cell):
    v = nbformat.v4
    cells = [v.new_markdown_cell(UNWRITTEN), *map(v.new_code_cell, [*RIGHT, cell])]
    content = nbformat.writes(v.new_notebook(cells=cells)).encode()
    result = mark(handed_in(content), ASSIGNMENT, kind, LIMITS)
    assert result.marks[2].status == "to be marked" and scores(result) == [2, 3]
    assert "seeds" in result.written[0]
    assert "the written answer may stand in a code cell" in result.flags


def test_written_text_is_bounded(kind):
    v = nbformat.v4
    cells = [v.new_markdown_cell(str(i) + '"' * 50_000) for i in range(100)]
    content = nbformat.writes(v.new_notebook(cells=cells)).encode()
    result = mark(handed_in(content), ASSIGNMENT, kind, LIMITS)
    assert sum(map(len, result.written)) <= 50_000 and "more written text" in result.flags[0]


@pytest.mark.parametrize(
    "magic",
    [
        "%matplotlib inline",
        "%matplotlib widget",
        "%tensorflow_version 2.x",
        "%load_ext tensorboard",
        "%config InlineBackend.figure_format = 'svg'",
        "%load_ext autoreload\n%autoreload 2",
        "%pip install nothing",
        "!ls",
        "%gui qt",
        "from google.colab import files",
    ],
)
def test_what_works_on_the_students_platform_costs_nothing(kind, magic):
    plot = "import matplotlib.pyplot as plt\nplt.plot([1])\nplt.show()"
    result = marked(kind, f"{magic}\n{plot}\n{RIGHT[0]}", RIGHT[1], limits=sandbox.Limits())
    assert scores(result) == [2, 3] and result.flags == []


@pytest.mark.parametrize("line", ["name = input('Name: ')", "open('my_data.csv')"])
def test_a_zero_after_a_failed_cell_is_flagged_with_the_cell(kind, line):
    result = marked(kind, "x = 1", f"{line}\n{RIGHT[0]}", RIGHT[1])
    assert scores(result) == [0, 3]
    (flag,) = result.flags
    assert flag.startswith("code cell 2 stopped with")
    # An error that costs nothing is the student's to know, not the teacher's.
    assert marked(kind, *RIGHT, "1 / 0").flags == []


def test_the_class_is_on_one_page(tmp_path):
    odd = Marked("<i>eve", "e.ipynb", [Mark("q1", 0, 2, "wrong")], flags=["several notebooks"])
    page = tmp_path / "overview.html"
    results = [odd, one_answer("ann", "so")]
    report.write_overview(results, ASSIGNMENT, ["notes.txt"], ["zoe, q3: nobody"], page)
    text = page.read_text("utf-8")
    assert "2 submissions; 1 to look at, 1 with a written answer" in text
    for said in ("&lt;i&gt;eve", "several notebooks", "notes.txt", "zoe, q3: nobody", "a.ipynb"):
        assert said in text
    assert "<i>eve" not in text


def test_grades_are_safe_for_spreadsheets(tmp_path):
    submission = Submission("=1+1", handed_in(b"{").files)
    result = mark(submission, ASSIGNMENT, "bubblewrap", LIMITS)
    report.write_grades([result], tmp_path / "grades.csv")
    with open(tmp_path / "grades.csv", encoding="utf-8-sig") as file:
        assert {row["student"] for row in csv.DictReader(file)} == {"'=1+1"}
