"""Write what follows from the stored results: ``book/status.md`` and the figures of Markdown pages.

The chapters' part comes from the notebooks' metadata (see ``tools.execute``) and from their tables
of claims, the others from the recorded runs and from ``tools.bench``. The same results give the
same page, byte by byte.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup

from tools import figures, notebooks

PAGE = Path("book", "status.md")
BENCH = Path("tools", "bench.json")
HEADER = """\
# Status

`make status` makes this page from the results that are stored in the notebooks and in the recorded
runs; nothing is typed in. A claim about real data is *not tested* where a stand-in took its place.
"""


def title(nb: nbformat.NotebookNode) -> str:
    """The notebook's first heading."""
    text = "\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown")
    heading = re.search(r"(?m)^# (.+)$", text)
    if heading is None:
        raise ValueError("no heading; start the first cell with `# Title`")
    return heading[1].strip()


def verdicts(nb: nbformat.NotebookNode) -> list[str]:
    """Verdicts of the claims in the notebook's table of claims, one a claim."""
    shown = [
        "".join(output.get("data", {}).get("text/html", ""))
        for cell in notebooks.code_cells(nb)
        for output in cell.get("outputs", [])
    ]
    rows = BeautifulSoup("".join(shown), "html.parser").select("table.claims tbody tr")
    return [row.find_all("td")[-1].get_text() for row in rows]


def named(versions: dict[str, str]) -> str:
    """Versions in one line, Python first."""
    names = sorted(versions, key=lambda name: (name != "python", name))
    return ", ".join(f"{name} {versions[name]}" for name in names)


def table(columns: dict[str, str], rows: list[list[object]]) -> str:
    """A Markdown table. ``columns`` has the alignment of each: ``:--`` or ``--:``."""
    lines = [list(columns), list(columns.values()), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def chapters(root: Path) -> str:
    """The chapters' part of the page."""
    columns = {"chapter": ":--", "seconds": "--:", "memory": "--:", "data": ":--"}
    columns |= {"claims that hold": "--:", "not tested": "--:"}
    rows, versions = [], []
    for path in notebooks.book_notebooks(root):
        nb = notebooks.read(path)
        try:
            link = f"[{title(nb)}]({path.relative_to((root / PAGE).parent).as_posix()})"
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
        run = nb.metadata.get("book")
        if run is None:
            rows.append([link, "not run", "–", "–", "–", "–"])
            versions.append("–")
            continue
        found = verdicts(nb)
        holds = found.count("holds")
        untested = sum(verdict.startswith("not tested") for verdict in found)
        if holds + untested < len(found):
            raise ValueError(f"{path}: a claim in its table neither holds nor is untested")
        memory = f"{run['memory'] / 1024:.1f} GB" if run.get("memory") else "–"
        rows.append([link, f"{run['seconds']:.0f}", memory, run["data"], holds, untested])
        versions.append(named(run["versions"]))
    different = set(versions) - {"–"}
    if len(different) > 1:
        rows = [[*row, used] for row, used in zip(rows, versions, strict=True)]
        return table(columns | {"versions": ":--"}, rows)
    return "".join(f"Versions: {used}.\n\n" for used in different) + table(columns, rows)


def recorded_runs(root: Path) -> str:
    """The recorded runs' part of the page; empty when there are none."""
    columns = {"run": ":--", "command": ":--", "models": "--:", "seeds": "--:", "epochs": "--:"}
    columns |= {"date": ":--", "time": "--:", "versions": ":--", "machine": ":--"}
    rows = []
    for path in sorted((root / "utils" / "recorded").glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        about = content["about"]
        minutes = about["seconds"] / 60
        rows.append(
            [
                path.stem,
                f"`{about['command']}`",
                len(content["results"]),
                about["settings"]["seeds"],
                about["settings"]["epochs"],
                about["date"],
                f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h",
                named(about["versions"]),
                about["machine"],
            ]
        )
    return f"\n## Recorded runs\n\n{table(columns, rows)}" if rows else ""


def speed(root: Path) -> str:
    """The part that ``make bench`` measured; empty where it never ran."""
    file = root / BENCH
    if not file.is_file():
        return ""
    columns = {"what": ":--", "median": "--:", "range": "--:", "unit": ":--"}
    text = (
        "\n## Speed\n\nMeasured by `make bench`. What is compared runs in turn; a ratio is taken "
        "within each round, and the tables have the median and the range of the rounds.\n"
    )
    for part, content in json.loads(file.read_text(encoding="utf-8")).items():
        about = content["about"]
        rows = [
            [r["what"], f"{r['median']:,g}", f"{r['low']:,g} … {r['high']:,g}", r["unit"]]
            for r in content["rows"]
        ]
        text += (
            f"\n**{part}** on {about['date']}: {about['repetitions']} rounds, {about['machine']}, "
            f"{about['matrix products']} in products of matrices; {named(about['versions'])}.\n\n"
            f"{table(columns, rows)}"
        )
    return text


def page(root: Path = notebooks.ROOT) -> str:
    """Text of the page.

    Raises
    ------
    ValueError
        When a notebook can't be read, has no title, or shows a claim that is contradicted.
    """
    return f"{HEADER}\n## Chapters\n\n{chapters(root)}{recorded_runs(root)}{speed(root)}"


def main(arguments: list[str] | None = None, root: Path = notebooks.ROOT) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.status", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether it is out of date")
    options = parser.parse_args(arguments)
    try:
        text, old = page(root), figures.outdated(root)
    except ValueError as error:
        print(f"{PAGE.as_posix()}: {error}", file=sys.stderr)
        return 1
    file = root / PAGE
    if not file.is_file() or file.read_text(encoding="utf-8") != text:
        old.append(PAGE.as_posix())
    if options.check:
        for name in old:
            print(f"{name} is out of date: run make status", file=sys.stderr)
        return 1 if old else 0
    figures.write(root)
    notebooks.write_text(file, text)
    for name in old:
        print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
