"""Rounds on fresh seeds: every outcome is written down, nothing is run twice, nothing stops it."""

from __future__ import annotations

import json

import nbformat
import pytest
from nbformat import v4

from tools import execute, notebooks, outcomes, replicate, status

CLAIMS = """
from utils.evidence import Effect, claim
from utils.seeds import OFFSET
claim("It helps", Effect(1, 0.5, 1.5, 5), "greater", "points")
claim("It helps on old seeds", Effect(1, 0.5 - OFFSET, 1.5, 5), "greater", "points")
claim("Recorded: it helps", Effect(1, 0.5, 1.5, 5), "greater", "points", scope="recorded")"""
AFTER = """
claim("It hurts", Effect(1, 0.5, 1.5, 5), "less", "points")"""


@pytest.fixture
def book(tmp_path):
    """A book of two short chapters, outside of the repository."""
    (tmp_path / "book").mkdir()
    (tmp_path / "tools").mkdir()
    (tmp_path / "utils").mkdir()
    toc = "format: jb-book\nroot: book/index\nchapters:\n- file: book/one\n- file: book/two\n"
    (tmp_path / "_toc.yml").write_text(toc)
    for name, cells in (("one", [CLAIMS, AFTER]), ("two", [CLAIMS, "1 / 0", AFTER])):
        write(tmp_path, name, cells)
    return tmp_path


def write(root, name, cells):
    first = v4.new_markdown_cell(f"# Chapter {name}")
    nb = v4.new_notebook(cells=[first, *(v4.new_code_cell(cell) for cell in cells)])
    nbformat.write(nb, root / "book" / f"{name}.ipynb")


def rounds(root):
    return json.loads((root / outcomes.REPLICATION).read_text())


def test_every_outcome_is_written_down_and_nothing_runs_twice(book, monkeypatch, capsys):
    before = {path: path.read_bytes() for path in (book / "book").iterdir()}
    assert replicate.main(["--rounds", "1", "one"], book) == 1, "a claim turned around"
    printed = capsys.readouterr().out
    assert "one 100000: 1 of 3 hold" in printed
    assert "It hurts: +1.0 points [0.5, 1.5], claimed < 0, TURNED AROUND" in printed
    assert "It helps on old seeds: +1 points [-100000, 2], claimed > 0\n" in printed
    ran = []
    true_run = replicate.run
    monkeypatch.setattr(
        replicate, "run", lambda path, n: ran.append((path.stem, n)) or true_run(path, n)
    )
    replicate.main(["--rounds", "2", "one"], book)
    assert ran == [("one", 200_000)]
    found = rounds(book)["one"]
    assert list(found["rounds"]) == ["100000", "200000"]
    verdicts = [entry["verdict"] for entry in found["rounds"]["200000"]]
    assert verdicts == ["holds", "contradicted", "holds in a recorded run", "contradicted"]
    assert {path: path.read_bytes() for path in before} == before
    assert outcomes.replicated(book) == (2, 6)


def test_a_chapter_of_another_version_runs_again(book):
    replicate.main(["--rounds", "1", "one"], book)
    write(book, "one", [CLAIMS])
    assert "(an earlier version)" in status.replication(book)
    replicate.main(["--rounds", "1", "one"], book)
    assert [e["text"] for e in rounds(book)["one"]["rounds"]["100000"]] == [
        "It helps",
        "It helps on old seeds",
        "Recorded: it helps",
    ]
    assert "(an earlier version)" not in status.replication(book)


def test_a_cell_that_fails_is_counted_and_those_after_it_run(book):
    replicate.main(["--rounds", "1", "two"], book)
    found = rounds(book)["two"]["rounds"]["100000"]
    assert [entry["text"] for entry in found][3:] == ["It hurts", ""]
    assert found[-1]["verdict"] == "a cell failed: ZeroDivisionError: division by zero"
    page = status.replication(book)
    assert "| Chapter two | 4 | 1 | 1 | 1 |" in page
    assert "- Chapter two, offset 100000: a cell failed: ZeroDivisionError" in page


def test_stopped_in_the_middle_it_goes_on(book, monkeypatch):
    calls = iter([[{"text": "a", "verdict": "holds", "scope": None}], KeyboardInterrupt])

    def interrupted(path, offset):
        outcome = next(calls)
        if outcome is KeyboardInterrupt:
            raise outcome
        return outcome

    monkeypatch.setattr(replicate, "run", interrupted)
    paths = notebooks.book_notebooks(book)
    with pytest.raises(KeyboardInterrupt):
        replicate.replicate(paths, [1], book)
    assert list(rounds(book)) == ["one"]
    monkeypatch.setattr(replicate, "run", lambda path, offset: [])
    assert list(replicate.replicate(paths, [1], book)) == ["one", "two"]
    assert rounds(book)["one"]["rounds"]["1"][0]["text"] == "a"


def test_nothing_is_kept_of_a_run_on_stand_in_data(book, capsys):
    stand_in = CLAIMS.replace('"greater", "points")', '"greater", "points", data=toy)', 1)
    write(book, "one", ["from types import SimpleNamespace as S\ntoy = S(is_real=False)", stand_in])
    assert replicate.main(["--rounds", "1", "one"], book) == 1
    assert "one.ipynb ran on stand-in data, so nothing is kept" in capsys.readouterr().err
    assert not (book / outcomes.REPLICATION).exists()


def test_a_round_of_its_own_is_not_kept(book, capsys):
    replicate.main(["--offset", "7", "one"], book)
    assert "one 7: 1 of 3 hold" in capsys.readouterr().out
    assert not (book / outcomes.REPLICATION).exists()


def test_an_unknown_chapter_is_named(book, capsys):
    assert replicate.main(["three"], book) == 1
    assert "no notebook called three" in capsys.readouterr().err


def test_a_run_of_a_chapter_still_stops_at_an_error(book):
    nb = notebooks.read(book / "book" / "two.ipynb")
    from tqdm import tqdm

    with pytest.raises(Exception, match=r"ZeroDivisionError|ClaimError"):
        execute.run(nb, book / "book", tqdm(disable=True))
