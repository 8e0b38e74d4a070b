"""The tools behind the Makefile, on small books of their own."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import yaml
from packaging.specifiers import SpecifierSet

from tools import (
    bench,
    execute,
    figures,
    notebooks,
    outcomes,
    rehearse,
    repository,
    solutions,
    status,
    syntax,
)
from tools.site.address import site_address
from utils import evidence

URL = "https://github.com/someone/some-book"
CONFIG = f"title: T\nrepository:\n  url: {URL}\n  branch: main\n"
TOC = """\
format: jb-book
root: book/index
parts:
  - caption: One
    chapters:
      - file: book/first
        sections:
          - file: book/second
"""
RECORDED = {
    "about": {"command": "make run", "epochs": 7},
    "runs": [
        {
            "arm": arm,
            "seed": seed,
            "seconds": 1800,
            "date": f"2026-01-0{2 + seed}",
            "machine": "2 cores",
            "versions": "python 3.12.1, keras 3.1",
        }
        for arm in ("none", "L2")
        for seed in range(3)
    ],
}


def make_notebook(path: Path, *sources: str) -> None:
    v = nbformat.v4
    cells = [v.new_markdown_cell("# Title", id="title")]
    cells += [v.new_code_cell(source, id=f"code-{i}") for i, source in enumerate(sources)]
    path.write_text(nbformat.writes(v.new_notebook(cells=cells)) + "\n", encoding="utf-8")


@pytest.fixture
def book(tmp_path):
    """A book with two notebooks and a ``utils``."""
    (tmp_path / "book").mkdir()
    (tmp_path / "utils" / "recorded").mkdir(parents=True)
    (tmp_path / "_config.yml").write_text(CONFIG)
    (tmp_path / "_toc.yml").write_text(TOC)
    (tmp_path / "book" / "index.md").write_text("# Front\n")
    (tmp_path / "utils" / "__init__.py").write_text('"""regularization-book"""\nvalue = 1\n')
    (tmp_path / "utils" / "recorded" / "run.json").write_text(json.dumps(RECORDED) + "\n")
    make_notebook(tmp_path / "book" / "first.ipynb", "import sys\nprint(6 * 7)")
    make_notebook(tmp_path / "book" / "second.ipynb", "'second'")
    return tmp_path


def first(book: Path) -> Path:
    return book / "book" / "first.ipynb"


# tools/notebooks.py


def test_notebooks_come_from_the_table_of_contents(book):
    make_notebook(book / "book" / "draft.ipynb", "1")
    assert [path.name for path in notebooks.book_notebooks(book)] == ["first.ipynb", "second.ipynb"]


MODULE = '''"""What it is."""

from utils.deep import pi


class Circle:
    """A circle."""

    def area(self, radius):
        """Its area."""
        return pi * radius**2  # in square metres
'''


@pytest.fixture
def importing(book):
    """A notebook that imports a module, and another by way of it."""
    utils = book / "utils"
    (utils / "shape.py").write_text(MODULE)
    (utils / "deep.py").write_text("pi = 3\n")
    (utils / "other.py").write_text("pi = 4\n")
    cells = [
        notebooks.setup_cell(URL),
        "from utils.recorded import load_recorded\n\nx = f(1,\n      2)  # a comment",
        "def show():\n    from utils.shape import Circle\n    return load_recorded('run')\n\nx",
    ]
    (utils / "recorded" / "__init__.py").write_text('"""Loads."""\nload_recorded = None\n')
    v = nbformat.v4
    return v.new_notebook(cells=[v.new_markdown_cell("# T"), *map(v.new_code_cell, cells)])


# File (or number of a cell), what stands there, and what takes its place.
UNSEEN = {
    "text": (0, "# T", "# Title"),
    "comment in a cell": (2, "a comment", "another"),
    "no comment in a cell": (2, "  # a comment", ""),
    "layout of a cell": (2, "f(1,\n      2)", "f(1, 2)"),
    "blank lines in a cell": (2, "\n\n", "\n\n\n\n"),
    "line ends of a cell": (3, "\n", "\r\n"),
    "quotes": (3, "'run'", '"run"'),
    "comment of a magic": (1, "# Make", "# Let us make"),
    "docstring of a module": ("shape.py", "What it is.", "What it is and does."),
    "docstring of a class": ("shape.py", "A circle.", "A disk."),
    "docstring of a function": ("shape.py", '        """Its area."""\n', ""),
    "comment": ("shape.py", "in square metres", "in m²"),
    "layout": ("shape.py", "pi * radius**2", "(pi *\n            radius ** 2)"),
    "line ends": ("shape.py", "\n", "\r\n"),
    "line ends of a recorded run": ("recorded/run.json", "\n", "\r\n"),
    "docstring of the package": ("__init__.py", "regularization-book", "regularization"),
    "a module that isn't imported": ("other.py", "4", "5"),
}
SEEN = {
    "number in a cell": (2, "2)", "3)"),
    "semicolon that hides a value": (3, "x", "x;"),
    "text at the end of a cell": (2, "  # a comment", "\n'shown'"),
    "docstring in a cell": (3, "show():", "show():\n    'What for?'"),
    "magic": (1, "%pip install -q", "%pip install"),
    "number in a module": ("shape.py", "radius**2", "radius**3"),
    "name in a module": ("shape.py", "Circle", "Disk"),
    "string that is no docstring": ("shape.py", "return", "what = 'a'\n        return"),
    "a module imported by a module": ("deep.py", "3", "3.14"),
    "the package": ("__init__.py", "value = 1", "value = 2"),
    "recorded run, named in single quotes": ("recorded/run.json", "2026-01-02", "2026-01-03"),
}


def change(nb, book, where, old, new):
    """The notebook, or a file of ``utils``, with one text in another's place."""
    if isinstance(where, int):
        assert old in nb.cells[where].source
        nb.cells[where].source = new.join(nb.cells[where].source.rsplit(old, 1))
        return
    file = book / "utils" / where
    text = file.read_bytes().decode()
    assert old in text
    file.write_bytes(text.replace(old, new).encode())


@pytest.mark.parametrize("what", UNSEEN)
def test_digest_stays_when_the_code_says_the_same(book, importing, what):
    before = notebooks.digest(importing, book)
    change(importing, book, *UNSEEN[what])
    assert notebooks.digest(importing, book) == before


@pytest.mark.parametrize("what", SEEN)
def test_digest_changes_with_the_code(book, importing, what):
    before = notebooks.digest(importing, book)
    change(importing, book, *SEEN[what])
    assert notebooks.digest(importing, book) != before


def test_digest_knows_outputs_and_an_editors_copies_from_code(book, importing):
    before = notebooks.digest(importing, book)
    importing.cells[2].outputs = [nbformat.v4.new_output("stream", text="42\n")]
    for folder in ("__pycache__", ".ipynb_checkpoints", "recorded/.ipynb_checkpoints"):
        (book / "utils" / folder).mkdir()
        (book / "utils" / folder / "shape.py").write_text("pi = 5\n")
        (book / "utils" / folder / "run.json").write_text("{}")
    (book / "utils" / "new.py").write_text("")
    assert notebooks.digest(importing, book) == before


@pytest.mark.parametrize(
    "code",
    [
        "import utils.deep",
        "import utils.deep as d",
        "from utils import deep",
        "from utils.deep import pi",
        "def f():\n    from utils import plot, deep",
        "%matplotlib inline\nfrom utils import deep",
        "import utils.shape",
        "from utils.package.within import x",
        "import utils.package.beside",
        "%%time\nnobody knows what this cell imports",
        "This is no Python.",
    ],
)
def test_digest_finds_each_way_to_import(book, importing, code):
    package = book / "utils" / "package"
    package.mkdir()
    (package / "__init__.py").write_text("from . import beside\n")
    (package / "beside.py").write_text("from ..deep import pi\n")
    (package / "within.py").write_text("")
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    before = notebooks.digest(nb, book)
    change(nb, book, "deep.py", "3", "3.14")
    assert notebooks.digest(nb, book) != before


def test_digest_is_the_same_in_all_versions_of_python():
    """Newer ones know more fields than 3.11, and 3.12 ends the format with an empty string."""
    code = "def f(x=None):\n    return f'{x:<{3}}', ['', 'é\u2028']"
    format_ = (
        "JoinedStr(values=[Constant(value='<'),"
        " FormattedValue(value=Constant(value=3), conversion=-1)])"
    )
    shown = f"FormattedValue(value=Name(id='x', ctx=Load()), conversion=-1, format_spec={format_})"
    strings = "[Constant(value=''), Constant(value='\\xe9\\u2028')]"
    assert syntax.plain(ast.parse(code)) == (
        "Module(body=[FunctionDef(name='f',"
        " args=arguments(args=[arg(arg='x')], defaults=[Constant()]),"
        f" body=[Return(value=Tuple(elts=[JoinedStr(values=[{shown}]),"
        f" List(elts={strings}, ctx=Load())], ctx=Load()))])])"
    )


def test_recorded_run_counts_only_where_it_is_loaded(book):
    v = nbformat.v4
    cells = [v.new_code_cell("import x"), v.new_code_cell("x.load(name='run')")]
    loads = v.new_notebook(cells=cells)
    others = [
        v.new_notebook(cells=[v.new_code_cell('load_recorded("run_two")\nrun("rerun")')]),
        v.new_notebook(cells=[v.new_markdown_cell('`load_recorded("run")`'), v.new_code_cell("1")]),
    ]
    for nb in (loads, *others):
        nb.metadata["book"] = {"digest": notebooks.digest(nb, book)}
    (book / "utils" / "recorded" / "run.json").write_text("{}")
    assert not notebooks.is_fresh(loads, book)
    assert all(notebooks.is_fresh(nb, book) for nb in others)


def test_digest_tells_where_a_cell_ends(book):
    v = nbformat.v4
    one = v.new_notebook(cells=[v.new_code_cell("a"), v.new_code_cell("b")])
    other = v.new_notebook(cells=[v.new_code_cell("ab"), v.new_code_cell("")])
    assert notebooks.digest(one, book) != notebooks.digest(other, book)


def test_unknown_notebook_is_an_error_that_lists_the_known(book):
    chosen = notebooks.select(["book/second.ipynb", "first"], book)
    assert [path.stem for path in chosen] == ["second", "first"]
    with pytest.raises(ValueError, match=r"third.*first, second"):
        notebooks.select(["third"], book)


def test_broken_notebook_is_named(book):
    first(book).write_text("{")
    with pytest.raises(ValueError, match=r"first\.ipynb"):
        notebooks.read(first(book))


def test_failed_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    file = tmp_path / "a.txt"
    file.write_text("old")

    def no_replace(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", no_replace)
    with pytest.raises(OSError, match="disk full"):
        notebooks.write_text(file, "new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert file.read_text() == "old"


# tools/execute.py


def test_execute_runs_what_is_out_of_date_and_nothing_else(book, capsys):
    assert execute.main(["--check"], book) == 1
    assert capsys.readouterr().out.count("out of date") == 2
    assert execute.main([], book) == 0
    nb = notebooks.read(first(book))
    assert nb.cells[1].outputs[0].text == "42\n"
    assert nb.cells[1].execution_count == 1
    assert [cell.id for cell in nb.cells] == ["title", "code-0"]
    assert nb.metadata["kernelspec"]["name"] == "python3"
    assert nb.metadata["book"]["data"] == "real"
    assert nb.metadata["book"]["seconds"] > 0
    assert 20 < nb.metadata["book"]["memory"] < 2000 or sys.platform != "linux"
    assert {"python", "tensorflow", "keras", "numpy"} <= set(nb.metadata["book"]["versions"])
    assert "execution" not in nb.cells[1].metadata
    assert execute.main(["--check"], book) == 0
    assert status.main(["--check"], book) == 0

    # A change to one notebook re-runs that one.
    make_notebook(book / "book" / "second.ipynb", "'changed'")
    untouched = first(book).read_bytes()
    capsys.readouterr()
    assert execute.main([], book) == 0
    printed = capsys.readouterr().out
    assert "second" in printed
    assert "first" not in printed
    assert first(book).read_bytes() == untouched


def test_execute_uses_this_python_in_the_folder_of_the_notebook(book):
    make_notebook(first(book), "import os, sys\nprint(sys.executable, os.getcwd(), sep='\\n')")
    execute.execute(first(book), root=book)
    lines = notebooks.read(first(book)).cells[1].outputs[0].text.splitlines()
    assert Path(lines[0]).samefile(sys.executable)
    assert Path(lines[1]).samefile(book / "book")


def test_nothing_runs_with_another_copy_of_the_font(book, capsys, monkeypatch):
    before = first(book).read_bytes()
    monkeypatch.setattr(execute.font_manager, "findfont", lambda name: "/elsewhere/DejaVuSans.ttf")
    for options in ([], ["--compare"]):
        assert execute.main(options, book) == 1
        assert "from /elsewhere/DejaVuSans.ttf, not" in capsys.readouterr().err
    assert first(book).read_bytes() == before
    assert execute.main(["--check"], book) == 1, "what only lists needs no font"


def test_failing_cell_leaves_the_file_and_shows_the_traceback(book, capsys):
    make_notebook(first(book), "print('before')", "1 / 0")
    before = first(book).read_bytes()
    assert execute.main(["first"], book) == 1
    printed = capsys.readouterr()
    assert "ZeroDivisionError" in printed.err
    assert "FAILED" in printed.out
    assert first(book).read_bytes() == before
    assert not (book / status.PAGE).exists()


def test_stand_in_outputs_are_written_only_on_request(book, capsys):
    make_notebook(first(book), f"print('{notebooks.STAND_IN} in place of MNIST')")
    before = first(book).read_bytes()
    assert execute.main(["first"], book) == 1
    assert "BOOK_DATA" in capsys.readouterr().err
    assert first(book).read_bytes() == before
    assert execute.main(["first", "--allow-stand-in"], book) == 0
    assert notebooks.read(first(book)).metadata["book"]["data"] == "stand-in"


def fake_run(monkeypatch, action):
    """Replace the kernel by ``action(nb)``: these tests are about what comes after the run."""
    monkeypatch.setattr(execute, "run", lambda nb, folder, bar: (action(nb), 100)[1])


def test_progress_bars_are_dropped_and_warnings_kept(book, monkeypatch):
    bar = "\r  0%|          | 0/3 [00:00<?, ?it/s]\r100%|████| 3/3 [00:01<00:00, 2.9it/s]\n"
    tensorflow = (
        "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
        "I0000 00:00:1795221456.051065    8559 port.cc:153] oneDNN custom operations are on.\n"
    )
    stream = nbformat.v4.new_output

    def outputs(nb):
        nb.cells[1].outputs = [
            stream("stream", name="stderr", text=bar),
            stream("stream", name="stderr", text=tensorflow),
            stream("stream", name="stderr", text=bar + "UserWarning: mind the gap\n"),
            stream("stream", name="stdout", text=bar),
        ]

    fake_run(monkeypatch, outputs)
    execute.execute(first(book), root=book)
    kept = [(o.name, o.text) for o in notebooks.read(first(book)).cells[1].outputs]
    assert kept == [("stderr", "UserWarning: mind the gap\n"), ("stdout", bar)]


@pytest.mark.parametrize(
    ("line", "is_noise"),
    [
        ("  3%|▎         | 3/100 [00:01<00:02,  1.5it/s]", True),
        ("train:  30%|███       | 3/10 [1:00:01<00:02, 20.3s/it, loss=0.3]", True),
        ("100%|████| 163M/163M [00:03<00:00, 49.6MB/s]", True),
        ("0it [00:00, ?it/s]", True),
        ("runs: 1.2k runs [00:05, 240 runs/s]", True),
        ("W0000 00:00:1795221456.051065    8559 port.cc:153] oneDNN is on.", True),
        ("I0000 00:00:1795726305.198579   19608 cudart_stub.cc:31] Could not find cuda", True),
        ("I0000 00:00:1795726309.121606 19620 device_compiler.h:208] Compiled cluster", True),
        ("W0000 00:00:1795221456.051065    8559 loop_optimizer.cc:933] Skipping loop", False),
        ("E0000 00:00:1795726308.478599   19608 cuda_platform.cc:52] failed call", False),
        ("3/10 fits failed [see the log]", False),
        ("3/10 fits failed [see 00:12]", False),
        ("30% of 3/10 | 4 fits [00:01] failed", False),
        ("FitFailedWarning: 3 fits failed out of 10. [12:30]", False),
        ("W0000 00:00:12 no memory", False),
        ("I0000 is an odd way to begin", False),
    ],
)
def test_noise_is_told_from_warnings(line, is_noise):
    outputs = [nbformat.v4.new_output("stream", name="stderr", text=f"{line}\n")]
    kept = "".join(output.text for output in execute.without_noise(outputs))
    assert kept == ("" if is_noise else f"{line}\n")


def test_notebook_edited_during_the_run_is_not_overwritten(book, monkeypatch, capsys):
    fake_run(monkeypatch, lambda nb: make_notebook(first(book), "'edited meanwhile'"))
    assert execute.main(["first"], book) == 1
    assert "changed on disk" in capsys.readouterr().err
    assert "edited meanwhile" in first(book).read_text()


def test_utils_edited_during_the_run_leaves_the_notebook_out_of_date(book, monkeypatch):
    make_notebook(first(book), "import utils")
    fake_run(monkeypatch, lambda nb: (book / "utils" / "__init__.py").write_text("value = 2"))
    execute.execute(first(book), root=book)
    assert execute.main(["first", "--check"], book) == 1


def test_a_second_run_is_compared_with_the_stored_one(book, capsys):
    make_notebook(first(book), "import time\nprint('a')", "print(time.time_ns())")
    assert execute.main([], book) == 0
    stored = first(book).read_bytes()
    capsys.readouterr()
    assert execute.main(["--compare"], book) == 1
    out = capsys.readouterr().out
    assert "first: differs in code-1\n" in out
    assert "second: the same, bit for bit" in out
    assert first(book).read_bytes() == stored

    nb = notebooks.read(first(book))
    nb.cells[2].metadata["tags"] = ["timing"]
    first(book).write_text(nbformat.writes(nb), encoding="utf-8")
    assert execute.main(["--compare", "first"], book) == 0


def test_memory_counts_children_and_what_is_freed(book):
    code = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'x = bytes(10)'])"
    make_notebook(first(book), "x = b'x' * 200_000_000\ndel x", code)
    execute.execute(first(book), root=book)
    used = notebooks.read(first(book)).metadata["book"]["memory"]
    assert used > 200 or sys.platform != "linux"


# tools/rehearse.py


def test_git_reads_a_clone_where_it_is_asked_for_the_repository(tmp_path):
    """The rehearsal's trick, with git itself."""
    source, mirror = tmp_path / "source", tmp_path / "mirror.git"
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run([*git, "init", "--quiet", source], check=True)
    (source / "file.txt").write_text("ours")
    subprocess.run([*git, "add", "."], cwd=source, check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "m"], cwd=source, check=True)
    subprocess.run([*git, "clone", "--quiet", "--bare", source, mirror], check=True)
    env = rehearse.git_answers(URL, mirror)
    subprocess.run(["git", "clone", "--quiet", URL, "copy"], cwd=tmp_path, env=env, check=True)
    assert (tmp_path / "copy" / "file.txt").read_text() == "ours"


@pytest.mark.parametrize(
    ("installs", "leaves", "message"),
    [(True, False, ""), (False, False, "installed nothing"), (True, True, "behind: a.txt")],
)
def test_a_rehearsal_needs_the_module_installed_and_nothing_left(
    book, monkeypatch, installs, leaves, message
):
    """With pip and the kernel replaced: what is checked is what comes before and after."""
    calls, folders = [], []

    def pip(command, **_):
        calls.append(command[3])
        return SimpleNamespace(returncode=int(command[3] == "show" and not installs))

    def run(nb, folder, bar, python, env):
        folders.append((folder, list(folder.iterdir())))
        if leaves:
            (folder / "a.txt").touch()
        return 2048

    monkeypatch.setattr(rehearse.subprocess, "run", pip)
    monkeypatch.setattr(rehearse.execute, "run", run)
    if not message:
        assert rehearse.rehearse(first(book), Path("python"), {}).endswith("2.0 GB")
    else:
        with pytest.raises(RuntimeError, match=message):
            rehearse.rehearse(first(book), Path("python"), {})
    assert calls == (["uninstall"] if leaves else ["uninstall", "show"])
    ((folder, content),) = folders
    assert content == []
    assert not folder.exists()


# tools/repository.py


@pytest.mark.parametrize(
    "url",
    [
        "",
        "someone/book",
        "http://github.com/a/b",
        "https://github.com/a",
        "https://example.org/a/b",
        "https://gitlab.com/a/b",  # from where Colab opens nothing
        "https://github.com/a/b/tree/main",
        "https://github.com/a/b c",
        'https://github.com/a/b"; rm -rf',
    ],
)
def test_what_is_not_a_repository_changes_nothing(book, url, capsys):
    before = {path: path.read_bytes() for path in book.rglob("*") if path.is_file()}
    assert repository.main([url], book) == 1
    assert "make repository URL=https://" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in book.rglob("*") if path.is_file()} == before


def test_repository_repoints_everything_and_nothing_else(book, capsys):
    make_notebook(first(book), notebooks.setup_cell(URL), "1")
    nb = notebooks.read(first(book))
    notebooks.code_cells(nb)[0].metadata["tags"] = ["setup"]
    nb.metadata["book"] = {"digest": notebooks.digest(nb, book), "data": "real"}
    # A formatting of its own, to see that only the address changes.
    first(book).write_text(json.dumps(nb, indent=3), encoding="utf-8")
    stale = book / "book" / "second.ipynb"
    make_notebook(stale, notebooks.setup_cell(URL), "2")
    (book / "README.md").write_text(
        f"git clone {URL} && cd some-book\n"
        f"{URL} {URL}.git {URL}-two {URL}/issues https://someone.github.io/some-book/\n"
        "https://colab.research.google.com/github/someone/some-book/blob/main/a.ipynb\n"
        "https://mybinder.org/v2/gh/someone/some-book/main\n"
    )
    lines = first(book).read_text().splitlines()

    new = "https://github.com/other/fork"
    assert repository.main([new + "/"], book) == 0
    assert "README.md" in capsys.readouterr().out
    assert notebooks.repository_url(book) == new
    assert (book / "README.md").read_text() == (
        f"git clone {new} && cd fork\n"
        f"{new} {new}.git {URL}-two {new}/issues https://other.github.io/fork/\n"
        "https://colab.research.google.com/github/other/fork/blob/main/a.ipynb\n"
        "https://mybinder.org/v2/gh/other/fork/main\n"
    )
    changed = notebooks.read(first(book))
    assert notebooks.code_cells(changed)[0].source == notebooks.setup_cell(new)
    assert notebooks.is_fresh(changed, book)
    assert not notebooks.is_fresh(notebooks.read(stale), book)
    now = first(book).read_text().splitlines()
    assert len(now) == len(lines)
    assert sum(a != b for a, b in zip(lines, now, strict=True)) == 1

    # And back: the same bytes as before.
    assert repository.main([URL], book) == 0
    assert first(book).read_text().splitlines() == lines


def test_real_book_names_one_repository():
    """The README, the front page and the package agree with _config.yml."""
    url = notebooks.repository_url()
    assert repository.validated(url) == url
    for page in ("README.md", "CONTRIBUTING.md", "CITATION.cff", "book/index.md", "pyproject.toml"):
        text = (notebooks.ROOT / page).read_text(encoding="utf-8")
        assert url in text, page
        assert repository.retarget(text, url, URL).count(url) == 0, page


def test_files_for_other_services_agree_with_the_project():
    root = notebooks.ROOT
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    cited = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["version"] == project["version"]
    assert cited["url"] == site_address(notebooks.repository_url())
    assert f"## {project['version']}" in (root / "CHANGELOG.md").read_text(encoding="utf-8")

    container = json.loads((root / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    supported = SpecifierSet(project["requires-python"])
    assert container["image"].split(":")[1].split("-")[0] + ".0" in supported
    python = (root / "binder/runtime.txt").read_text(encoding="utf-8").strip()
    assert python.removeprefix("python-") + ".0" in supported
    for form in (root / ".github/ISSUE_TEMPLATE").glob("*.yml"):
        content = yaml.safe_load(form.read_text(encoding="utf-8"))
        assert form.name == "config.yml" or {"name", "description", "body"} <= set(content)
    hooks = yaml.safe_load((root / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    for hook in hooks["repos"][0]["hooks"]:
        assert hook["entry"].replace(".venv/bin", "$(BIN)") in makefile


# The setup cell, in an IPython of its own


RUN_CELL = """
import json, os, shutil, site, sys, types
from pathlib import Path
from IPython.core.interactiveshell import InteractiveShell

cell, case, folder = Path(sys.argv[1]).read_text(), sys.argv[2], Path(sys.argv[3])
sys.path = [p for p in sys.path if not (Path(p or ".") / "utils").exists()]
sys.path.insert(0, str(folder / "site"))
os.chdir(folder / "work" / "book")
shell = InteractiveShell.instance()
calls = []

def pip(line):
    calls.append(line)
    if case != "pip fails":
        shutil.copytree(folder / "ours" / "utils", folder / "site" / "utils", dirs_exist_ok=True)

shell.register_magic_function(pip, "line", "pip")
if case == "odd path":  # None, a folder nobody may look into, a link to itself
    os.symlink("../utils", folder / "work" / "utils")
    (folder / "closed").mkdir(mode=0)
    sys.path[:0] = [None, str(folder / "closed"), Path("there")]
if case == "the user's own folder":  # made by pip, and so not on the path yet
    own = folder / "own"
    site.getusersitepackages = lambda: str(own)
    shell.register_magic_function(
        lambda line: (calls.append(line), shutil.copytree(folder / "ours", own)), "line", "pip"
    )
if case == "beside":
    shutil.copytree(folder / "ours" / "utils", folder / "work" / "utils")
if case == "installed":
    pip("before")
    calls.clear()
if case in ("other file", "other imported"):
    Path("utils.py").write_text("whose = 'other'")
    sys.path.insert(0, "")
if case == "other package":
    Path("utils").mkdir()
    Path("utils/__init__.py").write_text("whose = 'other'")
    sys.path.insert(0, "")
if case == "other imported":
    import utils
    sys.modules["utils.part"] = types.ModuleType("utils.part")
    assert utils.whose == "other"
first = shell.run_cell(cell)
error = first.error_in_exec or first.error_before_exec
if error:
    print(json.dumps({"error": f"{type(error).__name__}: {error}", "calls": calls}))
    sys.exit()
import utils
utils.state = "kept"
again = shell.run_cell(cell)
assert again.success
assert sys.modules["utils"].state == "kept"
import utils.part
print(json.dumps({"whose": utils.whose, "part": utils.part.whose, "calls": calls}))
"""


@pytest.mark.parametrize(
    ("case", "installs"),
    [
        ("beside", 0),
        ("installed", 0),
        ("missing", 1),
        ("other file", 1),
        ("other package", 1),
        ("other imported", 1),
        ("pip fails", 1),
        ("odd path", 1),
        ("the user's own folder", 1),
    ],
)
def test_setup_cell(tmp_path, case, installs):
    (tmp_path / "work" / "book").mkdir(parents=True)
    (tmp_path / "site").mkdir()
    package = tmp_path / "ours" / "utils"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('"""regularization-book"""\nwhose = "ours"\n')
    (package / "part.py").write_text('whose = "ours"\n')
    (tmp_path / "cell.py").write_text(notebooks.setup_cell(URL))
    (tmp_path / "run.py").write_text(RUN_CELL)
    ran = subprocess.run(
        [sys.executable, "run.py", "cell.py", case, str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "IPYTHONDIR": str(tmp_path / "ipython")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    result = json.loads(ran.stdout.splitlines()[-1])
    assert result.pop("calls") == [f"install -q --no-deps git+{URL}"] * installs
    if case == "pip fails":
        assert "could not install" in result["error"]
    else:
        assert result == {"whose": "ours", "part": "ours"}


def test_setup_cell_is_short():
    lines = notebooks.setup_cell(URL).splitlines()
    assert len([line for line in lines if line]) <= 18


# tools/solutions.py


def test_solutions_run_after_their_cell(book):
    text = """```python
shown = "in the text, not a solution"
```
1. Why?
<details><summary>Solution</summary>

```python
a = 1
```
then
```python
a + 1
```
</details>
<details><summary>Solution</summary>Words.</details>
"""
    v = nbformat.v4
    nb = v.new_notebook(cells=[v.new_markdown_cell(text), v.new_code_cell("a + 2")])
    nb.cells[1].outputs = [v.new_output("stream", text="old")]
    nbformat.write(nb, first(book))
    assert solutions.main(book) == 0
    copy = notebooks.read(book / solutions.FOLDER / "first.ipynb")
    assert [cell.source.strip() for cell in copy.cells[1:]] == ["a = 1", "a + 1", "a + 2"]
    assert copy.cells[3].outputs == []
    nbformat.validate(copy)
    assert len({cell.id for cell in copy.cells}) == 4


def test_nbmake_collects_the_copies(book):
    # It leaves out folders of some names, and pytest would pass without a word.
    assert solutions.main(book) == 0
    command = [sys.executable, "-m", "pytest", "--nbmake", "--collect-only", "-q"]
    ran = subprocess.run(
        [*command, str(solutions.FOLDER)], cwd=book, capture_output=True, text=True, check=True
    )
    assert "first.ipynb::" in ran.stdout


def test_a_false_claim_fails_the_run_of_its_notebook(book):
    """Through the runner of `make test`: the sentence isn't true, so nothing passes."""
    claim = (
        "from utils.evidence import claim, mean_interval\n"
        "claim('It helps by over {0}', mean_interval([1.0, 1.1, 0.9]), 'greater', 'x', than={0})"
    )
    make_notebook(first(book), claim.format(0.5))
    make_notebook(book / "book" / "second.ipynb", claim.format(0.95))
    assert solutions.main(book) == 0
    command = [sys.executable, "-m", "pytest", "--nbmake", "-q", str(solutions.FOLDER)]
    env = {**os.environ, "PYTHONPATH": str(notebooks.ROOT)}
    ran = subprocess.run(command, cwd=book, env=env, capture_output=True, text=True, timeout=300)
    assert "1 failed, 1 passed" in ran.stdout
    assert "ClaimError" in ran.stdout and "second.ipynb" in ran.stdout


# tools/status.py


def store_run(path: Path, python: str = "3.12.1", data: str = "real") -> None:
    """Give a notebook what a run leaves in it: three claims that hold and one not tested."""
    effect = evidence.Effect(2.0, 1.5, 2.5, 5)
    stand_in = SimpleNamespace(is_real=False)
    evidence.clear_claims()
    evidence.claim("A helps", effect, "greater", "points")
    evidence.claim("B helps", effect, "greater", "points")
    evidence.claim("B helped", effect, "greater", "points", scope="recorded")
    evidence.claim("C helps", effect, "less", "points", data=stand_in)
    shown = {"text/html": evidence.claims_table()._repr_html_()}
    evidence.clear_claims()
    nb = notebooks.read(path)
    nb.cells[-1].outputs = [nbformat.v4.new_output("execute_result", shown, execution_count=1)]
    versions = {"keras": "3.1", "python": python}
    nb.metadata["book"] = {
        "data": data,
        "seconds": 61.7,
        "memory": 1536,
        "versions": versions,
    }
    path.write_text(nbformat.writes(nb), encoding="utf-8")


def test_status_page_shows_what_is_stored(book):
    store_run(first(book), data="stand-in")
    lines = status.page(book).splitlines()
    assert lines[0] == "# Status"
    assert "Versions: python 3.12.1, keras 3.1." in lines
    assert "| [Title](first.ipynb) | 62 | 1.5 GB | stand-in | 3 | 1 | 1 |" in lines
    assert "| [Title](second.ipynb) | not run | – | – | – | – | – |" in lines
    versions = "python 3.12.1, keras 3.1"
    assert (
        f"| run | `make run` | 6 | 3 | 7 | 2026-01-02 … 2026-01-04 | 3.0 h | {versions} | 2 cores |"
        in lines
    )


def test_status_page_shows_different_versions_by_chapter(book):
    store_run(first(book))
    store_run(book / "book" / "second.ipynb", python="3.13.2")
    text = status.page(book)
    assert "Versions:" not in text
    assert (
        "| [Title](first.ipynb) | 62 | 1.5 GB | real | 3 | 1 | 1 | python 3.12.1, keras 3.1 |"
        in text
    )
    assert (
        "| [Title](second.ipynb) | 62 | 1.5 GB | real | 3 | 1 | 1 | python 3.13.2, keras 3.1 |"
        in text
    )


def test_status_page_shows_the_bench(book, monkeypatch):
    assert "## Speed" not in status.page(book)
    (book / "tools").mkdir()
    values = iter(range(100))
    arms = {name: lambda name=name: (name, next(values)) for name in ("ours", "theirs")}
    found = bench.rounds(arms, 3)
    # In turn, so that a slow moment falls on both.
    assert [n for _, n in found["ours"]] == ["0", "2", "4"]
    assert [n for _, n in found["theirs"]] == ["1", "3", "5"]

    def part(value):
        return [bench.row("a thing", bench.np.array([3.0, 1.0, value]), "ms")]

    def fails(repetitions):
        raise RuntimeError("the second part")

    monkeypatch.setattr(bench, "PARTS", {"one": lambda repetitions: part(2.00049), "two": fails})
    monkeypatch.setattr(bench, "matrix_rate", lambda: 2e11)
    assert bench.main(["three"], book) == 1
    with pytest.raises(RuntimeError):
        bench.main([], book)
    monkeypatch.setitem(bench.PARTS, "two", lambda repetitions: part(2.5))
    assert bench.main(["two"], book) == 0
    written = (book / status.PAGE).read_text(encoding="utf-8")
    assert "| a thing | 2 | 1 … 3 | ms |" in written, "what was measured before is kept"
    assert "| a thing | 2.5 | 1 … 3 | ms |" in written
    assert "200 billion operations" in written


def test_status_page_is_checked_and_written(book, capsys):
    assert status.main(["--check"], book) == 1
    assert "run make status" in capsys.readouterr().err
    assert not (book / status.PAGE).exists()
    assert status.main([], book) == 0
    written = (book / status.PAGE).read_bytes()
    assert status.main(["--check"], book) == 0
    store_run(first(book))
    assert status.main(["--check"], book) == 1
    assert (book / status.PAGE).read_bytes() == written
    assert status.main([], book) == 0
    assert (book / status.PAGE).read_bytes() != written


def test_status_page_refuses_a_contradicted_claim_and_a_notebook_without_title(book, capsys):
    store_run(first(book))
    text = first(book).read_text(encoding="utf-8")
    for old, new in (("<td>holds", "<td>contradicted"), ("# Title", "Title")):
        first(book).write_text(text.replace(old, new), encoding="utf-8")
        assert status.main([], book) == 1
        assert "first.ipynb" in capsys.readouterr().err


def test_real_status_page_is_up_to_date():
    committed = (notebooks.ROOT / status.PAGE).read_text(encoding="utf-8")
    assert committed == status.page(), "run make status"


# The Makefile


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_lists_its_commands():
    env = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    ran = subprocess.run(
        ["make"], cwd=notebooks.ROOT, env=env, capture_output=True, text=True, check=True
    )
    listed = {line.split()[0] for line in ran.stdout.splitlines()[1:]}
    wanted = "book test execute status serve lint format lock repository clean help"
    assert {
        *wanted.split(),
        "mnist-full",
        "cifar10",
        "reproduce",
        "rehearse",
        "test-colab",
        "bench",
        "mutants",
        "audit",
        "assignments",
        "grade",
        "grader-image",
        "slides",
    } <= listed


UV = """#!/bin/sh
[ "$1" = --version ] && exit 0
[ -f fails ] && exit 1
[ "$1" = venv ] && for folder; do :; done && mkdir -p "$folder/bin" && touch "$folder/new"
exit 0
"""


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_an_environment_is_made_anew_when_it_must_be_and_never_lost(tmp_path):
    for name in ("Makefile", "requirements.txt", "pyproject.toml"):
        shutil.copy(notebooks.ROOT / name, tmp_path)
    (tmp_path / "uv").write_text(UV)
    (tmp_path / "uv").chmod(0o755)
    env = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    env["PATH"] = f"{tmp_path}:{env['PATH']}"
    new, pins = tmp_path / ".venv" / "new", tmp_path / "requirements.txt"

    def make(*options):
        ran = subprocess.run(
            ["make", "install", f"PYTHON={sys.executable}", *options],
            cwd=tmp_path, env=env, capture_output=True, check=False,
        )  # fmt: skip
        return ran.returncode == 0

    assert make() and new.exists()
    new.unlink()
    (tmp_path / "pyproject.toml").touch()
    assert make() and not new.exists(), "made anew for a date"
    pins.write_text(pins.read_text() + "numpy==1\n")
    (tmp_path / "fails").touch()
    (tmp_path / ".venv" / "mine").touch()
    assert not make() and (tmp_path / ".venv" / "mine").exists()
    (tmp_path / "fails").unlink()
    assert make("-n") and not new.exists()
    # Broken off half-way: the old one stands beside a new one that isn't whole.
    (tmp_path / ".venv").rename(tmp_path / ".venv.old")
    (tmp_path / ".venv").mkdir()
    (tmp_path / "fails").touch()
    assert not make() and (tmp_path / ".venv" / "mine").exists()
    (tmp_path / "fails").unlink()
    assert make() and new.exists() and not (tmp_path / ".venv.old").exists()


# tools/figures.py


def test_copied_figures_are_those_of_the_notebooks():
    assert figures.wanted()
    assert figures.outdated() == [], "run `make status`"


def test_figures_are_copied_and_old_ones_removed(book):
    page = book / "book" / "guide.md"
    page.write_text("![A line](_static/figures/fig-line.svg)\n")
    with pytest.raises(ValueError, match="fig-line"):
        figures.figures(book)
    cell = nbformat.v4.new_code_cell(
        "plot()",
        metadata={"mystnb": {"figure": {"name": "fig-line"}}},
        outputs=[nbformat.v4.new_output("display_data", {"image/svg+xml": "<svg>1</svg>"})],
    )
    path = notebooks.book_notebooks(book)[0]
    nb = notebooks.read(path)
    nb.cells.append(cell)
    nbformat.write(nb, path)
    assert figures.outdated(book) == ["fig-line"]
    figures.write(book)
    file = book / figures.FOLDER / "fig-line.svg"
    assert file.read_text() == "<svg>1</svg>\n"
    assert figures.outdated(book) == []
    page.write_text("No figure any more.\n")
    figures.write(book)
    assert not file.exists()


def test_the_first_panel_of_a_figure_ends_behind_its_axes():
    import io
    from xml.etree import ElementTree

    import matplotlib.pyplot as plt

    figure, _ = plt.subplots(1, 2, figsize=(8, 3))
    with io.StringIO() as file:
        figure.savefig(file, format="svg")
        svg = file.getvalue()
    box = figure.axes[0].get_position()
    assert 'viewBox="0 0 576 216"' in svg
    first = figures.first_panel(svg)
    assert f'viewBox="0 0 {576 * box.x1 + 12:g} 216"' in first
    assert "axes_1" in first and "axes_2" not in first
    ElementTree.fromstring(first)  # is whole
    with pytest.raises(ValueError, match="several axes"):
        figures.first_panel(svg.replace("axes_2", "axes_1"))


def test_the_picture_of_replication_has_a_bar_for_each_outcome(tmp_path):
    file = tmp_path / outcomes.REPLICATION
    file.parent.mkdir()
    held, lost, apart = (
        {"text": text, "verdict": verdict, "scope": scope}
        for text, verdict, scope in (
            ("A", "holds", None),
            ("B", "contradicted", None),
            ("C", "holds in a recorded run", "recorded"),
        )
    )
    rounds = {"100000": [held, lost, apart], "200000": [held, {**lost, "verdict": "holds"}]}
    file.write_text(json.dumps({"one": {"digest": "", "rounds": rounds}}))
    picture = figures.replication(tmp_path)
    assert picture.count("<rect") == 4  # what new seeds can't change isn't drawn
    assert picture.count(figures.COLORS[False]) == 1
    assert 'x="6" y="0"' in picture and 'x="6" y="36"' in picture
