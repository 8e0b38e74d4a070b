"""Order of the tests, and a summary that says what ran and on which data."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import notebooks


def is_notebook(nodeid: str) -> bool:
    """Whether a test is the run of a notebook (collected by nbmake)."""
    return nodeid.partition("::")[0].endswith(".ipynb")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long notebooks first, so that no worker is left with one at the end."""

    def seconds(item: pytest.Item) -> float:
        return notebooks.read(item.path).metadata.get("book", {}).get("seconds", 0)

    chapters = sorted((i for i in items if is_notebook(i.nodeid)), key=seconds, reverse=True)
    # Without this, a full run in which nbmake leaves the notebooks out would pass.
    if config.option.nbmake and not chapters:
        raise pytest.UsageError("--nbmake was asked for, but no notebook was collected")
    others = [item for item in items if not is_notebook(item.nodeid)]
    # xdist deals out pairs at the start: the longest notebook is paired with a short test.
    items[:] = chapters[:1] + others[:1] + chapters[1:] + others[1:]


def used_data() -> list[str]:
    """What the loaders of the notebooks' real data sets say, one line a data set."""
    from utils.data import load

    code = "".join(
        cell.source
        for path in notebooks.book_notebooks()
        for cell in notebooks.code_cells(notebooks.read(path))
    )
    lines = []
    for name, title in [("mnist", "MNIST"), ("cifar10", "CIFAR-10")]:
        if f"load_{name}(" in code:
            is_real = load(name).is_real
            lines.append(
                f"{title}: {'real' if is_real else 'stand-in, claims about it not tested'}"
            )
    return lines


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what ran. Only the full run (`make test`) executes notebooks and asks for the data."""
    passed = [report.nodeid for report in terminalreporter.stats.get("passed", [])]
    ran = [nodeid for nodeid in passed if is_notebook(nodeid)]
    if not ran:
        return
    failed = terminalreporter.stats.get("failed", []) + terminalreporter.stats.get("error", [])
    skipped = terminalreporter.stats.get("skipped", [])
    terminalreporter.section("the book")
    names = ", ".join(sorted(Path(nodeid.split("::")[0]).stem for nodeid in ran))
    terminalreporter.line(f"notebooks that ran: {len(ran)} ({names})")
    terminalreporter.line(f"other tests that passed: {len(passed) - len(ran)}")
    terminalreporter.line(f"failed: {len(failed)}, skipped: {len(skipped)}")
    for line in used_data():
        terminalreporter.line(f"data: {line}")
