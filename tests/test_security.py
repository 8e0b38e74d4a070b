"""Habits that would open a door: none of them in the code, each of them seen when it is planted."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from tools import notebooks

ROOT = notebooks.ROOT
SOURCES = sorted(
    path
    for folder in ("utils", "tools")
    for path in (ROOT / folder).rglob("*.py")
    if "__pycache__" not in path.parts
)
NOTEBOOKS = [
    *notebooks.book_notebooks(),
    *sorted((ROOT / "book" / "assignments").glob("*.ipynb")),
]
RUNS_CODE = "tools/record.py"  # the chapter's own cells, on purpose
SAFE_LOADERS = ("yaml.BaseLoader", "yaml.SafeLoader")


def dotted(node: ast.expr) -> str:
    """The name of what is called, as it is written: ``np.load``."""
    return ast.unparse(node) if isinstance(node, (ast.Attribute, ast.Name)) else ""


def doors(code: str) -> list[str]:
    """Calls that unpickle, start a shell, run text as code, or unpack an archive unchecked."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None)]
            found += [f"import {n}" for n in names if n in ("pickle", "shelve", "marshal", "dill")]
        if not isinstance(node, ast.Call):
            continue
        name = dotted(node.func)
        if name in ("eval", "exec", "os.system", "os.popen", "joblib.load"):
            found.append(name)
        loaders = [dotted(k.value) for k in node.keywords if k.arg == "Loader"]
        if name == "yaml.load" and not set(loaders) & set(SAFE_LOADERS):
            found.append(name)
        if name.endswith(".extractall") or name == "shutil.unpack_archive":
            found.append(name)
        for keyword in node.keywords:
            on = not (isinstance(keyword.value, ast.Constant) and not keyword.value.value)
            if keyword.arg in ("allow_pickle", "shell") and on:
                found.append(f"{name}({keyword.arg}=…)")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_no_door_is_open(path):
    found = doors(path.read_text(encoding="utf-8"))
    assert found == ["exec"] * (path == ROOT / RUNS_CODE)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_no_notebook_opens_a_door(path):
    for cell in notebooks.code_cells(notebooks.read(path)):
        code = re.sub(r"(?m)^(\s*)[%!].*$", r"\1pass", cell.source)
        assert doors(code) == [], cell.id


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from pickle import loads",
        "np.load(f, allow_pickle=True)",
        "np.load(f, allow_pickle=wanted)",
        "subprocess.run(command, shell=True)",
        "os.system('ls')",
        "eval(text)",
        "def f():\n    exec(text)",
        "archive.extractall(folder)",
        "yaml.load(text)",
        "yaml.load(text, Loader=yaml.UnsafeLoader)",
    ],
)
def test_a_planted_door_is_seen(code):
    assert doors(code)


def test_what_is_safe_is_no_door():
    assert doors("np.load(f, allow_pickle=False); run(c, shell=False)") == []
    assert doors("yaml.safe_load(t); yaml.load(t, Loader=yaml.BaseLoader)") == []


WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def unpinned(text: str) -> list[str]:
    """Actions of a workflow that aren't named by their commit."""
    used = re.findall(r"uses:\s*(\S+)", text)
    return [action for action in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action)]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.name)
def test_actions_are_pinned_and_may_only_read(path):
    text = path.read_text(encoding="utf-8")
    assert unpinned(text) == []
    assert re.search(r"(?m)^permissions:\n  contents: read\n", text)
    assert "pull_request_target" not in text


def test_an_action_by_tag_is_seen():
    assert unpinned("- uses: actions/checkout@v4\n") == ["actions/checkout@v4"]


def test_nothing_secret_is_committed():
    """Neither keys nor the data, which aren't ours to pass on."""
    if not (ROOT / ".git").exists():
        pytest.skip("no git checkout")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    files = [Path(line) for line in listed.stdout.splitlines()]
    assert files
    assert not [f for f in files if f.suffix in {".npz", ".pem", ".key", ".env", ".pkl", ".h5"}]
