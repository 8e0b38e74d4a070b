"""Runs a student's cells, then answers questions about what they defined.

Starts inside the sandbox with the standard library, NumPy and IPython. Requests come as lines of
JSON on standard input, answers leave on what was standard output; whatever the student's code
prints goes to standard error. It knows neither questions nor tests, only names and arguments.
"""

from __future__ import annotations

import importlib.machinery
import json
import os
import resource
import signal
import sys
import types

LIMITS = json.loads(sys.argv[1])


def limit_resources() -> None:
    """Hard limits, so that nothing that runs later can lift them; root becomes a user first."""
    if "user" in LIMITS:
        os.setgroups([])
        os.setresgid(LIMITS["user"], LIMITS["user"], LIMITS["user"])
        os.setresuid(LIMITS["user"], LIMITS["user"], LIMITS["user"])
    for name in ("AS", "NPROC", "FSIZE", "NOFILE"):
        if LIMITS.get(name):
            kind, limit = getattr(resource, f"RLIMIT_{name}"), LIMITS[name]
            _, highest = resource.getrlimit(kind)  # which only root may lift
            if highest != resource.RLIM_INFINITY:
                limit = min(limit, highest)
            resource.setrlimit(kind, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Nothing:
    """Does nothing, whatever it is asked for."""

    def __init__(self, *args, **kwargs):
        pass

    def __getattr__(self, name):
        return Nothing()

    def __call__(self, *args, **kwargs):
        return None


def stand_in(name: str, **attributes) -> None:
    """Make a module of this name importable, for what grading doesn't need or can't have."""
    module = types.ModuleType(name)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    module.__path__ = []
    vars(module).update(attributes)
    sys.modules[name] = module


class Deadline:
    """Raises ``TimeoutError`` in the student's code, again and again for code that catches it."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.passed = False

    def __enter__(self) -> Deadline:
        signal.signal(signal.SIGALRM, self._ring)
        signal.setitimer(signal.ITIMER_REAL, self.seconds, 1)
        return self

    def __exit__(self, *exception) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _ring(self, *_):
        self.passed = True
        raise TimeoutError(f"stopped after {self.seconds:g} s")


def describe(error: BaseException) -> dict:
    """Type and first words of an exception."""
    try:
        message = str(error)[:500]
    except BaseException:
        message = ""
    return {"error": type(error).__name__, "message": message}


def main() -> None:
    """Answer requests until standard input ends."""
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    os.close(0)
    os.open(os.devnull, os.O_RDONLY)
    limit_resources()
    sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.getcwd()]
    import plain
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    class Shell(InteractiveShell):
        """Passes over magics that show something, and over those that only Colab has."""

        def enable_gui(self, gui=None):
            pass

        def run_line_magic(self, magic_name, line, _stack_depth=1):
            foreign = self.find_line_magic(magic_name) is None
            if foreign or magic_name in ("matplotlib", "load_ext"):
                return None
            return super().run_line_magic(magic_name, line, _stack_depth + 1)

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "NoColor"
    shell = Shell.instance(config=config)
    stand_in("otter", Notebook=Nothing)  # Its checks are the student's; importing it takes long.
    stand_in("google.colab", drive=Nothing(), files=Nothing(), output=Nothing())

    def answer(**content) -> None:
        answers.write(json.dumps(content) + "\n")
        answers.flush()

    def run_cell(request) -> dict:
        with Deadline(request["seconds"]) as deadline:
            result = shell.run_cell(request["source"], store_history=False)
        if deadline.passed:
            return {"out_of_time": True}
        error = result.error_before_exec or result.error_in_exec
        return describe(error) if error else {}

    def look_up(request) -> dict:
        if shell.user_ns.get(request["name"], ...) is ...:  # also the `...` of a blank notebook
            return {"missing": True}
        return {"value": plain.encode(shell.user_ns[request["name"]])}

    def call(request) -> dict:
        function = shell.user_ns[request["name"]]
        args = [plain.decode(a) for a in request["args"]]
        kwargs = {key: plain.decode(a) for key, a in request["kwargs"].items()}
        try:
            with Deadline(request["seconds"]) as deadline:
                return {"value": plain.encode(function(*args, **kwargs))}
        except TimeoutError:
            if deadline.passed:
                return {"out_of_time": True}
            raise

    actions = {"cell": run_cell, "look_up": look_up, "call": call}
    answer(ready=True)
    worker = os.getpid()
    for line in requests:
        request = json.loads(line)
        try:
            content = actions[request["do"]](request)
        except plain.NotPlain as error:
            content = {"not_plain": str(error)}
        except BaseException as error:  # also what a student's code raises to end the program
            content = describe(error)
        if os.getpid() != worker:  # a copy that the student's code made of this process
            os._exit(0)
        answer(**content, id=request["id"])


if __name__ == "__main__":
    main()
