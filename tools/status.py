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

from tools import figures, notebooks, outcomes

PAGE = Path("book", "status.md")
BENCH = Path("tools", "bench.json")
HEADER = """\
# Status

`make status` makes this page from the results that are stored in the notebooks, in the recorded
runs and in the replication; nothing is typed in. *Apart* are claims that new seeds can't change: on
one fixed draw, on a recorded run, on the machine's speed. A claim about real data is *not tested*
where a stand-in took its place.
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
    columns |= {"claims that hold": "--:", "of them apart": "--:", "not tested": "--:"}
    rows, versions = [], []
    for path in notebooks.book_notebooks(root):
        nb = notebooks.read(path)
        try:
            link = f"[{title(nb)}]({path.relative_to((root / PAGE).parent).as_posix()})"
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
        run = nb.metadata.get("book")
        if run is None:
            rows.append([link, "not run", "–", "–", "–", "–", "–"])
            versions.append("–")
            continue
        found = verdicts(nb)
        holds = sum(verdict.startswith("holds") for verdict in found)
        apart = holds - found.count("holds")
        untested = sum(verdict.startswith("not tested") for verdict in found)
        if holds + untested < len(found):
            raise ValueError(f"{path}: a claim in its table neither holds nor is untested")
        memory = f"{run['memory'] / 1024:.1f} GB" if run.get("memory") else "–"
        rows.append([link, f"{run['seconds']:.0f}", memory, run["data"], holds, apart, untested])
        versions.append(named(run["versions"]))
    different = set(versions) - {"–"}
    if len(different) > 1:
        rows = [[*row, used] for row, used in zip(rows, versions, strict=True)]
        return table(columns | {"versions": ":--"}, rows)
    return "".join(f"Versions: {used}.\n\n" for used in different) + table(columns, rows)


def replication(root: Path) -> str:
    """The part that ``make replicate`` found; empty where it never ran."""
    results = outcomes.replications(root)
    if not results:
        return ""
    columns = {"chapter": ":--", "claims": "--:", "held, by round": ":--"}
    columns |= {"in every round": "--:", "turned around": "--:"}
    rows, failed = [], ""
    for path in notebooks.book_notebooks(root):
        if path.stem not in results:
            continue
        nb, chapter = notebooks.read(path), results[path.stem]
        old = chapter["digest"] != notebooks.digest(nb, root)
        name = title(nb) + (" (an earlier version)" if old else "")
        rounds = {n: outcomes.repeated(entries) for n, entries in chapter["rounds"].items()}
        by_claim: dict[str, list[bool]] = {}
        for offset, entries in rounds.items():
            for entry in entries:
                by_claim.setdefault(entry["text"], []).append(outcomes.held(entry))
                if not outcomes.held(entry):
                    failed += f"- {name}, offset {offset}: {outcomes.failure(entry)}\n"
        by_round = ", ".join(str(sum(map(outcomes.held, entries))) for entries in rounds.values())
        always = sum(len(found) == len(rounds) and all(found) for found in by_claim.values())
        turned = sum(e.get("turned", False) for entries in rounds.values() for e in entries)
        rows.append([name, len(by_claim), by_round, always, turned])
    good, total = outcomes.replicated(root)
    return (
        "\n## On fresh seeds\n\n`make replicate` runs every chapter again with everything that is "
        "repeated drawn anew, and writes down what became of each claim that new seeds can change. "
        f"Of {total} outcomes {good} held ({100 * good / max(1, total):.1f} %).\n\n"
        + table(columns, rows)
        + (f"\nThese didn't:\n\n{failed}" if failed else "")
    )


def recorded_runs(root: Path) -> str:
    """The recorded runs' part of the page; empty when there are none."""
    columns = {"run": ":--", "command": ":--", "models": "--:", "seeds": "--:", "epochs": "--:"}
    columns |= {"date": ":--", "time": "--:", "versions": ":--", "machine": ":--"}
    rows = []
    for path in sorted((root / "utils" / "recorded").glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        about, runs = content["about"], content["runs"]
        minutes = sum(run["seconds"] for run in runs) / 60
        made = {key: sorted({run[key] for run in runs}) for key in ("date", "versions", "machine")}
        rows.append(
            [
                path.stem,
                f"`{about['command']}`",
                len(runs),
                len({run["seed"] for run in runs}),
                about["epochs"],
                " … ".join(dict.fromkeys([made["date"][0], made["date"][-1]])),
                f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h",
                "; ".join(made["versions"]),
                "; ".join(made["machine"]),
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
    parts = [part(root) for part in (chapters, replication, recorded_runs, speed)]
    return f"{HEADER}\n## Chapters\n\n{''.join(parts)}"


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
