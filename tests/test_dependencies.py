"""``requirements.txt`` is the compiled pin of ``pyproject.toml``. Needs no network."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tools import lock, notebooks

PROJECT = tomllib.loads((notebooks.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PINNED = (notebooks.ROOT / "requirements.txt").read_text(encoding="utf-8")
RUNTIME = [Requirement(line) for line in PROJECT["project"]["dependencies"]]
DEV = [Requirement(line) for line in PROJECT["dependency-groups"]["dev"]]


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(text: str) -> dict[str, list[Requirement]]:
    """The pinned requirements by name; a package may have a pin for each of several markers."""
    found: dict[str, list[Requirement]] = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            requirement = Requirement(line)
            found.setdefault(canonical(requirement.name), []).append(requirement)
    return found


def version_of(pin: Requirement) -> Version:
    (specifier,) = pin.specifier
    assert specifier.operator == "=="
    return Version(specifier.version)


@pytest.mark.parametrize("requirement", RUNTIME + DEV, ids=lambda r: r.name)
def test_direct_dependency_is_pinned_within_its_bounds(requirement):
    chosen = pins(PINNED).get(canonical(requirement.name))
    assert chosen, f"{requirement.name} isn't in requirements.txt: run `make lock`"
    for pin in chosen:
        assert requirement.specifier.contains(version_of(pin)), f"{pin}: run `make lock`"


def test_everything_is_pinned_exactly():
    for chosen in pins(PINNED).values():
        for pin in chosen:
            version_of(pin)


def test_requirements_belong_to_pyproject():
    (recorded,) = [line for line in PINNED.splitlines() if line.startswith(lock.MARK)]
    assert recorded.removeprefix(lock.MARK) == lock.digest(), "run `make lock`"


def test_changed_bound_is_seen(tmp_path):
    text = (notebooks.ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    assert lock.digest(tmp_path) == lock.digest()
    changed = text.replace('"tensorflow>=', '"tensorflow>1,>=')
    assert changed != text
    (tmp_path / "pyproject.toml").write_text(changed, encoding="utf-8")
    assert lock.digest(tmp_path) != lock.digest()


def test_requirements_name_no_server():
    assert not re.search(r"://|--index-url|--find-links|--extra-index-url", PINNED)


def test_runtime_bounds_admit_colab():
    text = (notebooks.ROOT / "constraints-colab.txt").read_text(encoding="utf-8")
    colab = pins(text)
    for requirement in RUNTIME + DEV:
        for pin in colab.get(canonical(requirement.name), []):
            assert requirement.specifier.contains(version_of(pin)), f"{requirement} against {pin}"
    assert {"tensorflow", "keras", "numpy"} <= set(colab)


@pytest.mark.parametrize("module", ["utils", "utils.data", "utils.evidence", "utils.plot"])
def test_tensorflow_loads_only_when_something_needs_it(module):
    code = f"import sys, {module}; print(*{{'tensorflow', 'keras'}} & {{*sys.modules}})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


def test_the_tests_of_utils_are_collected_without_starting_tensorflow():
    """`make mutants` forks a process that has collected them: once TensorFlow runs, forks hang."""
    files = PROJECT["tool"]["mutmut"]["pytest_add_cli_args_test_selection"]
    modules = ", ".join(name.removesuffix(".py").replace("/", ".") for name in files)
    # TensorFlow refuses to change its threads once it runs.
    code = f"import {modules}, tensorflow; tensorflow.config.threading."
    code += "set_inter_op_parallelism_threads(1)"
    folder = notebooks.ROOT
    run = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_the_tests_of_utils_have_names_of_one_line(request):
    """`make mutants` collects twice. pytest escapes a line break in a name that `ids=` made twice
    then, doesn't find the test, and each change that it reaches looks noticed."""
    files = PROJECT["tool"]["mutmut"]["pytest_add_cli_args_test_selection"]
    for item in request.session.items:
        assert not (item.nodeid.startswith(tuple(files)) and "\\n" in item.nodeid), item.nodeid


def test_jupyter_book_is_version_1():
    (requirement,) = [r for r in DEV if r.name == "jupyter-book"]
    assert Version("2.0.0") not in requirement.specifier
    assert Version("1.0.4") in requirement.specifier


def test_supported_pythons():
    supported = SpecifierSet(PROJECT["project"]["requires-python"])
    versions = ["3.10.14", "3.11.0", "3.12.1", "3.13.5", "3.14.0"]
    assert [v for v in versions if v in supported] == ["3.11.0", "3.12.1", "3.13.5"]
