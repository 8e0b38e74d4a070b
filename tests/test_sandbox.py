"""What no cell gets out of bubblewrap's sandbox, and what honest work still finds in it."""

import contextlib
import errno
import os
import platform
import re
import struct
import sys
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

from tools.grading import sandbox, seccomp
from tools.grading.inside import plain
from tools.notebooks import ROOT

SMALL = sandbox.Limits(memory=600 * sandbox.MIB, processes=64)
MACHINES = list(seccomp.ARCHITECTURES)


@contextlib.contextmanager
def started(limits=SMALL):
    box = sandbox.Sandbox("bubblewrap", limits, time.monotonic() + 300)
    try:
        yield box
    finally:
        box.close()


def run(box, code):
    """What a cell leaves in `out`."""
    answer = box.ask("cell", 120, source=code)
    assert not {"error", "out_of_time"} & set(answer), answer
    return plain.decode(box.ask("look_up", name="out")["value"])


@pytest.fixture(scope="module")
def small():
    if not sandbox._succeeds("bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"):
        pytest.skip("bubblewrap isn't installed")
    before = os.sched_getaffinity(0)
    with started() as box:
        assert os.sched_getaffinity(0) == before, "the grader itself was left on one core"
        yield box


@pytest.fixture(scope="module")
def roomy(small):
    with started(sandbox.Limits()) as box:
        yield box


# ---------------------------------------------------------------------------------------------
# The filter

ON_THIS_MACHINE = pytest.mark.skipif(
    platform.machine() not in MACHINES, reason="no filter for this machine"
)
BY_ARGUMENT = ("clone", "mmap", "madvise", "socket", "socketpair", "setsockopt")


def numbers(machine):
    column = MACHINES.index(machine)
    return {name: n[column] for name, n in seccomp.NUMBERS.items() if n[column] is not None}


def verdict(machine, call, *arguments, architecture=None):
    """The error that the filter gives, 0 for none: its program, run on paper."""
    architecture = architecture or seccomp.ARCHITECTURES[machine]
    number = numbers(machine)[call] if isinstance(call, str) else call
    arguments = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    data = struct.pack("=IIQ6Q", number, architecture, 0, *arguments)
    lines = list(struct.iter_unpack("=HBBI", seccomp.program(machine)))
    at = value = 0
    while True:
        code, yes, no, k = lines[at]
        at += 1
        if code == 0x06:  # return
            assert k & 0xFFFF0000 in (0x7FFF0000, 0x00050000, 0x80000000)
            return "killed" if k == 0x80000000 else k & 0xFFFF
        if code == 0x20:  # load
            value = int.from_bytes(data[k : k + 4], "little")
        elif code == 0x54:  # and
            value &= k
        else:
            at += yes if {0x15: value == k, 0x35: value >= k, 0x45: value & k}[code] else no


@pytest.mark.parametrize("machine", MACHINES)
def test_filter_on_paper(machine):
    for name in numbers(machine):
        if name not in BY_ARGUMENT:
            refused = errno.ENOSYS if name in ("clone3", "flock") else errno.EPERM
            assert verdict(machine, name) == refused, name
    other = seccomp.ARCHITECTURES[MACHINES[1 - MACHINES.index(machine)]]
    for foreign in (other, 0x40000003, 0x40000028):  # i386 and arm
        assert verdict(machine, 1, architecture=foreign) == "killed"
    assert verdict(machine, 0x40000000 | 319) == errno.ENOSYS  # x32
    assert verdict(machine, 1) == verdict(machine, 63) == verdict(machine, 900) == 0

    assert verdict(machine, "clone", 0x003D0F00) == verdict(machine, "clone", 17) == 0
    for flag in (0x20000, 0x2000000, *(2**n for n in range(26, 31))):
        assert verdict(machine, "clone", flag | 17) == errno.EPERM
    assert [verdict(machine, "mmap", 0, 1, 3, flags) for flags in (0x21, 0x4021, 0x23)] == [1] * 3
    assert [verdict(machine, "mmap", 0, 1, 3, flags) for flags in (0x22, 0x1, 0x2)] == [0] * 3
    assert verdict(machine, "madvise", 0, 1, 21) == errno.EPERM
    assert verdict(machine, "madvise", 0, 1, 4) == 0
    for call in ("socket", "socketpair"):
        assert [verdict(machine, call, family) for family in (1, 2, 10, 16)] == [0] * 4
        assert {verdict(machine, call, family) for family in (0, 17, 38, 40)} == {97}
    assert verdict(machine, "setsockopt", 3, 1, 7) == verdict(machine, "setsockopt", 3, 1, 8) == 1
    assert verdict(machine, "setsockopt", 3, 1, 2) == verdict(machine, "setsockopt", 3, 6, 7) == 0


def test_numbers_are_those_of_the_kernels_headers():
    include = Path("/usr/include")
    headers = {
        "x86_64": [*include.glob("x86_64-linux-gnu/asm/unistd_64.h")],
        "aarch64": [*include.glob("asm-generic/unistd.h")],
    }
    if not any(headers.values()):
        pytest.skip("no headers of Linux at hand")
    for machine, files in headers.items():
        for file in files:
            known = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", file.read_text()))
            for name, number in numbers(machine).items():
                assert int(known.get(name, number)) == number, (machine, name)


@ON_THIS_MACHINE
@pytest.mark.parametrize("name", [n for n in seccomp.NUMBERS if n not in BY_ARGUMENT])
def test_call_is_refused(small, name):
    if (number := numbers(platform.machine()).get(name)) is None:
        pytest.skip("not on this machine")
    code = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nnone = ctypes.c_long(-1)\n"
    code += f"out = libc.syscall({number}, *[none] * 6), ctypes.get_errno()"
    assert run(small, code) == (-1, errno.ENOSYS if name in ("clone3", "flock") else errno.EPERM)


REFUSED = {
    "memory in no process": "import os\nf = os.memfd_create('x')\nos.ftruncate(f, 2**30)",
    "memory shared without a file": "import mmap\nmmap.mmap(-1, 2**20)",
    "memory of a device": "import mmap, os\nmmap.mmap(os.open('/dev/zero', os.O_RDWR), 4096)",
    "memory pushed to the swap file": "import mmap\n"
    "mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).madvise(21)",
    "larger buffers": "import socket\n"
    "socket.socketpair()[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**22)",
    "the machine's host": "import socket\nsocket.socket(socket.AF_VSOCK)",
    "the list of keys": "open('/proc/keys')",
    "a lock on what all see": "import fcntl\nfcntl.flock(open(fcntl.__file__), fcntl.LOCK_SH)",
    "all cores": "import os\nos.sched_setaffinity(0, range(os.cpu_count()))",
    "being root": "import os, ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
    "if libc.unshare(0x10000000): raise OSError(ctypes.get_errno(), 'unshare')",
    "a child that is root": "import os, ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
    "pid = libc.syscall({clone}, 0x10000011, 0, 0, 0, 0)\nif pid == 0: os._exit(0)\n"
    "if pid < 0: raise OSError(ctypes.get_errno(), 'clone')",
    "more files than that": "import os\nkept = [os.dup(0) for _ in range(1024)]",
}


@ON_THIS_MACHINE
@pytest.mark.parametrize("what", REFUSED)
def test_is_refused(small, what):
    code = REFUSED[what].replace("{clone}", str(numbers(platform.machine())["clone"]))
    answer = small.ask("cell", 60, source=code)
    assert answer.get("error") in ("OSError", "PermissionError"), answer


@pytest.mark.skipif(os.name == "posix" and os.getuid() == 0, reason="root has other namespaces")
def test_no_further_user_namespaces_without_the_filter_either(small, monkeypatch):
    if not sandbox._has_disable_userns():
        pytest.skip("this bubblewrap can't forbid them")
    monkeypatch.setattr(seccomp, "program", lambda machine: None)
    with started() as box:
        assert box.ask("cell", 60, source=REFUSED["being root"]).get("error") == "OSError"


def test_a_machine_without_a_filter_is_told(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    monkeypatch.setattr(sandbox, "_succeeds", lambda *_: True)
    with pytest.warns(UserWarning, match="On riscv64 there is no filter"):
        assert sandbox.choose() == "bubblewrap"
    with sandbox._filter("bubblewrap") as file:
        assert file is None


# ---------------------------------------------------------------------------------------------
# Cores and memory


def test_each_sandbox_has_the_freest_core(small, monkeypatch):
    monkeypatch.setattr(sandbox, "_cores", Counter())
    here = os.sched_getaffinity(0)
    code = "import os, threading\ndef look(): out.append(sorted(os.sched_getaffinity(0)))\n"
    code += "out = []\nlook()\nthread = threading.Thread(target=look)\nthread.start()\n"
    code += "thread.join()"
    cores = []
    with contextlib.ExitStack() as stack:
        for _ in range(min(2, len(here))):
            (one,), (same,) = run(stack.enter_context(started()), code)
            assert one == same
            cores.append(one)
        assert len(set(cores)) == len(cores) and set(cores) <= here
        assert sandbox._cores.total() == len(cores)
    assert sandbox._cores.total() == 0


def test_a_sandbox_that_fails_keeps_no_core(monkeypatch):
    monkeypatch.setattr(sandbox, "_cores", Counter())
    for command in (["false"], ["/no/such/program"]):
        monkeypatch.setitem(sandbox.COMMANDS, "bubblewrap", lambda *_, command=command: command)
        with pytest.raises(sandbox.NotStarted):
            sandbox.Sandbox("bubblewrap", SMALL, time.monotonic() + 300)
    assert sandbox._cores.total() == 0


IN_SOCKETS = {
    "open": "for _ in range(4):\n    if os.fork() == 0:\n"
    "        kept = [socket.socketpair() for _ in range(480)]\n        time.sleep(60)\n",
    # Connections that nobody accepts and that are closed on this side: in no list of open files.
    "left": "server = socket.socket(socket.AF_UNIX)\nserver.bind('\\0server')\n"
    "server.listen(4096)\nfor _ in range(3000):\n"
    "    with socket.socket(socket.AF_UNIX) as client: client.connect('\\0server')\n",
}


@pytest.mark.parametrize("what", IN_SOCKETS)
def test_sockets_count_as_memory(small, what):
    with started() as box, pytest.raises(sandbox.Stopped, match="memory"):
        box.ask("cell", 30, source=f"import os, socket, time\n{IN_SOCKETS[what]}time.sleep(60)")


def test_nobody_pays_for_a_full_machine(small, monkeypatch):
    with started() as box:
        monkeypatch.setattr(sandbox, "RESERVE", sandbox.MIB)
        nothing = SimpleNamespace(available=0)
        monkeypatch.setattr(sandbox.psutil, "virtual_memory", lambda: nothing)
        with pytest.raises(sandbox.NotStarted, match="out of memory"):
            box.ask("cell", 30, source="import time\ntime.sleep(20)")
        assert box._process.poll() is not None


# ---------------------------------------------------------------------------------------------
# Files


def test_only_data_sets_are_seen_in_a_folder_of_data(small, monkeypatch, tmp_path):
    for name in ("mnist.npz", "secret.txt", "datasets/cifar10.npz", "datasets/secret.npz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "bare").mkdir()
    monkeypatch.setenv("BOOK_DATA", str(tmp_path))
    code = "import os\nout = {}\nfor path, _, files in os.walk(os.environ['BOOK_DATA']):\n"
    code += "    for f in files: out[f] = open(os.path.join(path, f)).read()"
    with started() as box:
        assert run(box, code) == {"mnist.npz": "x", "cifar10.npz": "x"}
    # Without data the folder is still there, as it is outside.
    monkeypatch.setenv("BOOK_DATA", str(tmp_path / "bare"))
    with started() as box:
        assert run(box, "import os\nout = os.listdir(os.environ['BOOK_DATA'])") == []


@pytest.mark.parametrize("where", ["here", "under a folder that is shown", "by another name"])
def test_nothing_of_the_book_but_its_module_is_seen(small, monkeypatch, tmp_path, where):
    monkeypatch.setenv("BOOK_DATA", str(ROOT))
    place = ROOT
    if where != "here":
        shown = ROOT.parent
        if where == "by another name":
            shown = tmp_path / "link"
            shown.symlink_to(ROOT.parent)
            place = shown / ROOT.name
        monkeypatch.setattr(sandbox, "SYSTEM", (*sandbox.SYSTEM, str(shown)))
    code = "import os\nfrom pathlib import Path\nimport utils.data\nout = set()\n"
    code += f"for place in {[str(place), str(ROOT)]!r}:\n"
    code += "    for p in Path(place).glob('*'): out.add(p.name)\n"
    code += "    for p in Path(place, 'tools').rglob('*'): out.add(p.name)\n"
    code += "    try: Path(place, 'new').touch()\n    except OSError: out.add('read-only')\n"
    code += "out = sorted(out - {'__pycache__'})"
    with started() as box:
        seen = {name for name in run(box, code) if not name.endswith(".pyc")}
    python = (
        {Path(sys.prefix).relative_to(ROOT).parts[0]} if ROOT in Path(sys.prefix).parents else set()
    )
    assert seen - python == {
        *("utils", "tools", "grading", "inside", "read-only"),
        *("__init__.py", "plain.py", "worker.py"),
    }


def test_python_in_place_of_the_book_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(ROOT))
    monkeypatch.setattr(sandbox, "_cores", Counter())
    with pytest.raises(sandbox.NotStarted, match="Python's environment"):
        sandbox.Sandbox("bubblewrap", SMALL, time.monotonic() + 300)
    assert sandbox._cores.total() == 0


# ---------------------------------------------------------------------------------------------
# Honest work

KERAS = """
import keras, numpy as np
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(1)])
model.compile("adam", "mse")
x = np.ones((32, 4), "float32")
model.fit(x, x[:, 0], epochs=2, verbose=0)
model.save("model.{kind}")
again = keras.models.load_model("model.{kind}", compile=False)
out = bool(np.allclose(model.predict(x, verbose=0), again.predict(x, verbose=0)))
"""
HONEST = {
    "threads": "from concurrent.futures import ThreadPoolExecutor\n"
    "with ThreadPoolExecutor(4) as pool: out = list(pool.map(abs, [-1])) == [1]",
    "a program": "import subprocess\n"
    "out = subprocess.run(['echo', 'x'], capture_output=True).stdout == b'x\\n'",
    "a fork": "import os\npid = os.fork()\nif pid == 0: os._exit(3)\n"
    "out = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3",
    "a pool": "import multiprocessing\n"
    "with multiprocessing.Pool(2) as pool: out = pool.map(abs, [-1, 2]) == [1, 2]",
    "a manager": "import multiprocessing\n"
    "with multiprocessing.Manager() as manager: out = list(manager.list([1])) == [1]",
    "shared memory with a file": "from multiprocessing import Array, shared_memory\n"
    "memory = shared_memory.SharedMemory(create=True, size=2**20)\nmemory.buf[0] = 7\n"
    "out = memory.buf[0] == 7 and Array('d', 3)[0] == 0\nmemory.unlink()",
    "joblib": "from joblib import Parallel, delayed\n"
    "out = Parallel(2)(delayed(abs)(n) for n in [-1, 2]) == [1, 2]",
    "asyncio": "import asyncio, threading\n"
    "thread = threading.Thread(target=lambda: asyncio.run(asyncio.sleep(0.01)))\n"
    "thread.start()\nthread.join()\nout = True",
    "numpy": "import numpy as np\nout = bool(np.linalg.norm(np.eye(50) @ np.eye(50)) > 7)",
    "a figure": "import matplotlib.pyplot as plt, os\nplt.plot([1, 2])\nplt.savefig('f.png')\n"
    "out = os.path.getsize('f.png') > 1000",
    "a temporary file": "import tempfile\nwith tempfile.TemporaryFile() as f:\n"
    "    f.write(b'x')\n    f.seek(0)\n    out = f.read() == b'x'",
    "a database": "import sqlite3\ndb = sqlite3.connect('d.db')\n"
    "db.execute('create table t (n)')\ndb.execute('insert into t values (1)')\ndb.commit()\n"
    "out = db.execute('select n from t').fetchall() == [(1,)]",
    "zeros": "out = open('/dev/zero', 'rb').read(4) == bytes(4)",
    "a model as .keras": KERAS.replace("{kind}", "keras"),
    "a model as .h5": KERAS.replace("{kind}", "h5"),
    "a data set of tensors": "import tensorflow as tf\n"
    "data = tf.data.Dataset.range(8).shuffle(8).map(lambda n: 2 * n, 2).batch(4).prefetch(1)\n"
    "out = sorted(int(n) for batch in data for n in batch) == list(range(0, 16, 2))",
}


@pytest.mark.parametrize("what", HONEST)
def test_honest_work_goes_on(roomy, what):
    assert run(roomy, HONEST[what]) is True
