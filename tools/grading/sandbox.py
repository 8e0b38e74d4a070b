"""A process for a student's code, that can't see, reach or outlive what it shouldn't.

Three kinds, the best one at hand: bubblewrap and Docker give no network, a process table and a file
system of its own, without tests or other submissions. Where there is neither, only limits on time,
memory, output and processes are left: :func:`choose` says so.

With bubblewrap a sandbox also has a core, so that its processes take no time from those on others,
and a filter of system calls, see ``seccomp.py``.
"""

from __future__ import annotations

import contextlib
import functools
import json
import math
import os
import platform
import random
import secrets
import selectors
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import psutil

from tools.grading import seccomp
from tools.grading.inside import plain
from utils.data import SHA256

ROOT = Path(__file__).resolve().parents[2]
INSIDE = Path(__file__).resolve().parent / "inside"
DOCKER_IMAGE = "regularization-book-grader"
SYSTEM = ("/usr", "/bin", "/lib", "/lib64")
MIB = 2**20
GRACE = 5  # seconds
RESERVE = 512 * MIB  # of memory, for everything else
SOCKET = MIB // 4  # of memory, that one socket may hold: Linux lets it have 208 KiB
PARTS = 5 * plain.ITEMS  # of an answer: parsed, each may take a hundred times its byte
FILES = 1024  # that one process may have open: what most systems allow

_cores: Counter[int] = Counter()  # sandboxes of this process on each
_cores_lock = threading.Lock()


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    Attributes
    ----------
    cell_seconds, call_seconds, total_seconds : float
        For one cell, for one call of a function by a test, and for everything together.
    memory : int
        Bytes in memory, all processes together.
    address_space : int
        Bytes of virtual memory of one process. TensorFlow needs several times what it uses.
    processes : int
        Processes and threads.
    output : int
        Bytes that may be printed.
    answer : int
        Bytes of one value handed to a test.
    disk : int
        Bytes of the temporary folder.
    """

    cell_seconds: float = 180
    call_seconds: float = 30
    total_seconds: float = 600
    memory: int = 4096 * MIB
    address_space: int = 16384 * MIB
    processes: int = 256
    output: int = 10 * MIB
    answer: int = 8 * MIB
    disk: int = 512 * MIB


class Stopped(Exception):
    """The sandbox is gone.

    Attributes
    ----------
    status : str
        In a word or two, for the table of grades; the message is for the student.
    """

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status


class NotStarted(RuntimeError):
    """The sandbox doesn't start, or can't go on: this machine's fault, not the student's."""


class Sandbox:
    """One running worker, see ``inside/worker.py``.

    Parameters
    ----------
    kind : {"bubblewrap", "docker", "limits"}
        What to shut the code in.
    limits : Limits
        What it may use.
    deadline : float
        ``time.monotonic()`` at which everything ends.

    Raises
    ------
    NotStarted
        When the worker doesn't start. From :meth:`ask`, when the machine runs out of memory.
    """

    def __init__(self, kind: str, limits: Limits, deadline: float) -> None:
        self.kind, self.limits = kind, limits
        self.deadline = math.inf  # The start is not the student's time.
        self.printed = 0
        self._unread, self._unsent, self._said = bytearray(), bytearray(), bytearray()
        self._checked = 0.0
        self._name = f"grade-{secrets.token_hex(8)}"
        self._folder = tempfile.mkdtemp(prefix="grade-") if kind == "limits" else None
        home = self._folder or "/tmp/home"
        self._core = _take_core() if kind == "bubblewrap" else None
        try:
            with _on_core(self._core), _filter(kind) as file:
                self._process = subprocess.Popen(
                    COMMANDS[kind](limits, self._name, file),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    pass_fds=() if file is None else (file,),
                    cwd=self._folder,
                    env=None if kind == "docker" else _environment(home, self._name),
                    start_new_session=True,
                )
        except (OSError, NotStarted) as error:
            self._leave()
            raise NotStarted(f"the {kind} sandbox doesn't start: {error}") from None
        self._selector = selectors.DefaultSelector()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            os.set_blocking(stream.fileno(), False)
        for stream in (self._process.stdout, self._process.stderr):
            self._selector.register(stream, selectors.EVENT_READ)
        try:
            self._answer(120)
        except Stopped as reason:
            said = self._said.decode("utf-8", "replace").strip().splitlines()
            why = said[-1] if said else reason
            raise NotStarted(f"the {kind} sandbox doesn't start: {why}") from None
        self.deadline = deadline

    def ask(self, do: str, seconds: float = 5, **request) -> dict:
        """Send a request, and wait for its answer.

        The worker interrupts itself after ``seconds``. Code that holds on to the interpreter can't
        be interrupted, so after some more seconds everything is ended.

        Raises
        ------
        Stopped
            When time, memory, output or processes ran out, or the worker ended.
        """
        number = secrets.token_hex(8)
        request = {"id": number, "do": do, "seconds": seconds, **request}
        self._unsent += json.dumps(request).encode() + b"\n"
        with contextlib.suppress(KeyError):  # still there when a request was answered half-sent
            self._selector.register(self._process.stdin, selectors.EVENT_WRITE)
        return self._answer(seconds + GRACE, number)

    def close(self) -> None:
        """End everything in the sandbox."""
        # With bubblewrap the first kill ends all: a process table dies with its first process.
        # What is left are its own parts, or, without a sandbox, whatever the code has started.
        own = _family(self._process.pid) if self.kind == "bubblewrap" else []
        self._process.kill()
        if self.kind == "docker":
            subprocess.run(["docker", "kill", self._name], capture_output=True, check=False)
        if self.kind == "limits":
            own = _family(self._process.pid, self._name)
        for process in own:
            with contextlib.suppress(psutil.Error):
                process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            with contextlib.suppress(OSError):
                stream.close()
        self._selector.close()
        self._leave()

    def _leave(self):
        """Give back what a sandbox has without a process, once."""
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
        if self._core is not None:
            with _cores_lock:
                _cores[self._core] -= 1
            self._core = None

    def _answer(self, seconds, number=None):
        """The next line that the worker writes, with an eye on everything that is limited."""
        end = min(time.monotonic() + seconds, self.deadline)
        try:
            while b"\n" not in self._unread:
                if time.monotonic() > end:
                    raise Stopped("out of time", "it ran out of time")
                self._check_use()
                for key, _ in self._selector.select(0.05):
                    self._move(key.fileobj)
            line, _, rest = self._unread.partition(b"\n")
            self._unread = bytearray(rest)
            if sum(line.count(mark) for mark in (b",", b"[", b"{")) > PARTS:
                raise Stopped("output", f"a value has over {PARTS:,} parts")
            answer = json.loads(line)
            if type(answer) is not dict or answer.get("id") != number:
                raise ValueError("not the answer to this request")
            return answer
        except (ValueError, RecursionError):
            self.close()
            raise Stopped("disturbed", "the notebook wrote between its answers") from None
        except BaseException:
            self.close()
            raise

    def _move(self, stream):
        """Send or fetch as much as goes at once."""
        if stream is self._process.stdin:
            try:
                del self._unsent[: os.write(stream.fileno(), self._unsent[:MIB])]
            except BlockingIOError:
                return
            except OSError:
                self._unsent.clear()  # The end of the answers tells that the worker is gone.
            if not self._unsent:
                self._selector.unregister(stream)
            return
        chunk = stream.read(MIB)
        if chunk == b"":
            if stream is self._process.stdout:
                self._said += self._process.stderr.read(2000) or b""
                raise Stopped("ended itself", "the notebook's process ended itself")
            self._selector.unregister(stream)
        elif chunk and stream is self._process.stderr:
            self.printed += len(chunk)
            if self.deadline == math.inf:
                self._said += chunk[:2000]
        elif chunk:
            self._unread += chunk
        if self.printed > self.limits.output:
            raise Stopped("output", f"it printed more than {self.limits.output // MIB} MiB")
        if len(self._unread) > self.limits.answer:
            raise Stopped("output", f"a value has over {self.limits.answer // MIB} MiB")

    def _check_use(self):
        if time.monotonic() < self._checked + 0.1:
            return  # Looking through all processes takes time.
        self._checked = time.monotonic()
        if self.kind == "docker":
            return  # Docker counts memory and processes itself.
        family = _family(self._process.pid)
        # The kernel's own limit comes first where it holds, and harms nothing but the new process.
        if sum(_number(p.num_threads) for p in family) > self.limits.processes * 1.25:
            raise Stopped("processes", f"it started over {self.limits.processes} processes")
        # What processes have in their page tables, and sockets in their buffers. With bubblewrap a
        # filter refuses memory that lies elsewhere, and folders have sizes. What is left: pipes,
        # for which Linux gives a user 64 MiB and then 8 KiB each; buffers of TCP, a tenth of
        # memory for all together; the kernel's own tables; and what the kernel itself swaps out.
        shut = family[:1] if self.kind == "bubblewrap" else []
        memory = sockets = SOCKET * sum(_sockets(process.pid) for process in shut)
        memory += sum(_number(lambda p=p: p.memory_info().rss) for p in family)
        if memory > self.limits.memory and len(family) > 1:
            # Processes share memory, which counts once.
            memory = sockets + sum(_number(lambda p=p: p.memory_full_info().pss) for p in family)
        if memory > self.limits.memory:
            raise Stopped("memory", f"it used more than {self.limits.memory // MIB} MiB of memory")
        if memory > RESERVE and psutil.virtual_memory().available < RESERVE:
            # Within its limit, so another's doing. Still it has to end, before the machine does.
            raise NotStarted("this machine is out of memory: mark fewer submissions at a time")


def _number(read):
    """A number about a process, 0 when the process has just ended."""
    try:
        return read()
    except (psutil.Error, OSError):
        return 0


def _sockets(pid):
    """Sockets in a process's network namespace, also those that no process has open any more."""
    try:
        return int(Path(f"/proc/{pid}/net/sockstat").read_text().split()[2])
    except OSError:  # the process has just ended
        return 0


def _take_core():
    """The core with the fewest sandboxes. By lot among several: another process chooses, too."""
    with _cores_lock:
        core = min(os.sched_getaffinity(0), key=lambda core: (_cores[core], random.random()))
        _cores[core] += 1
        return core


@contextlib.contextmanager
def _on_core(core):
    """What this thread starts meanwhile stays on that core: processes inherit their place."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def _filter(kind):
    """A file with the filter of system calls to read, where one is used."""
    code = seccomp.program(platform.machine()) if kind == "bubblewrap" else None
    if code is None:
        yield None
        return
    file, end = os.pipe()
    try:
        os.write(end, code)  # 1 KiB, which a pipe takes at once
        os.close(end)
        yield file
    finally:
        os.close(file)


def _family(pid, name=None):
    """The processes under one. With a name also those that left it, known by their environment."""
    try:
        family = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        family = []
    if name:
        for process in psutil.process_iter():
            try:
                if process.environ().get("SANDBOX") == name:
                    family.append(process)
            except (psutil.Error, OSError):
                pass
    return family


def data_folders() -> dict[str, str]:
    """Where `utils.data` finds its data, so that students' code and the tests see the same."""
    given = {"KERAS_HOME": os.environ.get("KERAS_HOME") or "~/.keras"}
    if book := os.environ.get("BOOK_DATA"):
        given["BOOK_DATA"] = book
    return {name: str(Path(folder).expanduser().resolve()) for name, folder in given.items()}


def _data_files(folder):
    """The data sets in such a folder. All else there may be anything, a teacher's solutions too."""
    places = [Path(folder, *on, f"{n}.npz") for on in ([], ["datasets"]) for n in SHA256]
    return [str(place) for place in places if os.path.isfile(place)]


def _environment(home, name):
    """Nothing of the grader's own environment but where programs are."""
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": home,
        "TMPDIR": "/tmp",
        "LANG": "C.UTF-8",
        "SANDBOX": name,
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLBACKEND": "Agg",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        **data_folders(),
        "HDF5_USE_FILE_LOCKING": "FALSE",  # The filter refuses them.
        "PIP_NO_INDEX": "1",
        # One thread each: as many submissions at a time as there are workers.
        **{f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")},
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
    }


def _worker(limits, **hard):
    hard = {"FSIZE": limits.disk, "NOFILE": FILES, **hard}
    return ["-I", str(INSIDE / "worker.py"), json.dumps(hard)]


def _limits_command(limits, *_):
    # Here the kernel counts all of the user's processes, not only the sandbox's.
    running = sum(p.info["num_threads"] or 0 for p in psutil.process_iter(["num_threads", "uids"])
                  if p.info["uids"] and p.info["uids"].real == os.getuid())  # fmt: skip
    hard = {"AS": limits.address_space, "NPROC": running + limits.processes}
    return [sys.executable, *_worker(limits, **hard)]


@functools.cache
def _has_disable_userns():
    """Whether this bubblewrap can forbid further user namespaces: 0.8 or later, not setuid."""
    trial = ["bwrap", "--unshare-user", "--disable-userns", "--ro-bind", "/", "/", "true"]
    return _succeeds(*trial)


def _above(paths):
    """Folders over these paths, that everybody may look into."""
    folders = sorted({str(parent) for path in paths for parent in Path(path).parents})
    return [a for folder in folders for a in ("--perms", "0755", "--dir", folder)]


def _shown(paths):
    return [a for path in paths for a in ("--ro-bind-try", path, path)]


def _files():
    """Named one by one: what isn't here, tests and other submissions among it, doesn't exist."""
    system = [*SYSTEM, sys.base_prefix, sys.prefix]
    own = [str(ROOT / "utils"), str(INSIDE)]
    etc = ["/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime"]
    folders = [folder for folder in data_folders().values() if os.path.isdir(folder)]
    data = [file for folder in folders for file in _data_files(folder)]
    # Where one of these has the book in it, as /usr may, an empty folder comes in the book's place.
    real = {folder: Path(folder).resolve() for folder in system}
    over = [folder for folder in system if ROOT.is_relative_to(real[folder])]
    if ROOT in real.values():
        raise NotStarted(f"Python's environment is the whole of {ROOT}; make one that lies in it")
    hidden = {str(ROOT), *(str(Path(folder, ROOT.relative_to(real[folder]))) for folder in over)}
    shown = [*(folder for folder in system if folder not in over), *own, *etc, *data]
    return [
        *(*_above([*over, *hidden]), *_shown(over)),
        *(a for folder in sorted(hidden) for a in ("--perms", "0755", "--tmpfs", folder)),
        *(*_above([*shown, *(f"{folder}/any" for folder in folders)]), *_shown(shown)),
        *(a for folder in sorted(hidden) for a in ("--remount-ro", folder)),
    ]


def _bubblewrap_command(limits, _, file):
    hard = {"AS": limits.address_space, "NPROC": limits.processes}
    namespaces = ["--unshare-all"]
    if os.getuid() == 0:
        # The kernel doesn't limit root's processes, in a user namespace either. So the worker
        # becomes a user of its own, one that no other process has.
        namespaces = [f"--unshare-{n}" for n in ("pid", "net", "ipc", "uts", "cgroup-try")]
        namespaces += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        hard["user"] = 2**30 + secrets.randbelow(2**30)
    elif _has_disable_userns():
        namespaces += ["--unshare-user", "--disable-userns"]
    if file is not None:
        namespaces += ["--seccomp", str(file)]
    return [
        *("bwrap", *namespaces, "--die-with-parent", "--new-session", "--hostname", "sandbox"),
        *("--proc", "/proc", "--ro-bind-try", "/dev/null", "/proc/keys"),
        # /dev/zero gives memory that counts nowhere, /dev/full only zeros.
        *("--dev", "/dev", "--dev-bind", "/dev/full", "/dev/zero"),
        *("--perms", "1777", "--size", str(limits.disk), "--tmpfs", "/dev/shm"),
        *("--perms", "1777", "--size", str(limits.disk), "--tmpfs", "/tmp"),
        *_files(),  # after /tmp: the book may lie there
        *("--perms", "0777", "--dir", "/tmp/home", "--chdir", "/tmp/home"),
        *("--remount-ro", "/dev", "--remount-ro", "/"),
        sys.executable,
        *_worker(limits, **hard),
    ]


def _docker_command(limits, name, _):
    inside = _environment("/tmp/home", name)
    del inside["PATH"]
    data = {k: folder for k, folder in data_folders().items() if _data_files(folder)}
    inside |= {key: f"/data/{key}" for key in data}
    volumes = [f"{file}:/data/{key}/{Path(file).relative_to(folder)}:ro"
               for key, folder in data.items() for file in _data_files(folder)]  # fmt: skip
    return [
        *("docker", "run", "--rm", "--interactive", "--name", name, "--network", "none"),
        *("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
        *("--pids-limit", str(limits.processes), "--memory", str(limits.memory)),
        *("--memory-swap", str(limits.memory), "--cpus", "1", "--user", "1000:1000"),
        *("--tmpfs", f"/tmp:rw,exec,mode=1777,size={limits.disk}", "--workdir", "/tmp"),
        *(a for volume in volumes for a in ("--volume", volume)),
        *(a for k, v in inside.items() for a in ("--env", f"{k}={v}")),
        *("--volume", f"{INSIDE}:/inside:ro", DOCKER_IMAGE, "python", "-s", "/inside/worker.py"),
        json.dumps({"FSIZE": limits.disk}),
    ]


COMMANDS = {
    "bubblewrap": _bubblewrap_command,
    "docker": _docker_command,
    "limits": _limits_command,
}


def _succeeds(*command):
    try:
        return subprocess.run(command, capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def choose() -> str:
    """The safest kind of sandbox that works on this machine.

    Returns
    -------
    str
        "bubblewrap", "docker" or "limits", with a warning that says what isn't protected.

    Raises
    ------
    PermissionError
        When only limits are left and the grader is root: most of them don't hold for root.
    """
    if _succeeds("bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"):
        if seccomp.program(platform.machine()) is None:
            warnings.warn(
                f"On {platform.machine()} there is no filter of system calls. A submission can't "
                "read your files or use the network, but it can take more memory and processor "
                "time than it should, and see your keyring.",
                stacklevel=2,
            )
        return "bubblewrap"
    if _succeeds("docker", "image", "inspect", DOCKER_IMAGE):
        return "docker"
    advice = (
        "Neither bubblewrap nor Docker is at hand. Install bubblewrap (on Debian and Ubuntu: "
        "apt install bubblewrap), or start Docker and run: make grader-image"
    )
    if hasattr(os, "getuid") and os.getuid() == 0:
        raise PermissionError(f"{advice}. Without either, don't grade as root.")
    warnings.warn(
        f"{advice}. Time, memory, output and processes are limited, but a submission can read "
        "your files (tests and solutions among them), use the network, and write where you can.",
        stacklevel=2,
    )
    return "limits"
