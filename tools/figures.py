"""Put the figures that Markdown pages show into ``book/_static/figures``.

A page names a figure by its file, ``_static/figures/fig-name.svg``; the notebook's figure of that
name is the only source; ``fig-name-first.svg`` is its first panel alone, for narrow places.
``replication.svg`` is drawn from the outcomes on fresh seeds. Run by `make status` and, after a
change of outputs, by `make execute`.
"""

from __future__ import annotations

import re
from pathlib import Path

from tools import notebooks, outcomes

FOLDER = Path("book", "_static", "figures")
COLORS = {True: "#009E73", False: "#D55E00"}  # held, or not; as in utils.plot


def wanted(root: Path = notebooks.ROOT) -> set[str]:
    """Names of the figures that the book's Markdown pages show."""
    pages = (root / "book").glob("*.md")
    texts = [page.read_text(encoding="utf-8") for page in pages]
    return {n for text in texts for n in re.findall(r"\(_static/figures/([\w-]+)\.svg\)", text)}


def replication(root: Path = notebooks.ROOT) -> str:
    """SVG with a column for each claim and a row for each round: whether it held."""
    cells, left, bottom = "", 0, 0
    for chapter in outcomes.replications(root).values():
        columns: dict[str, int] = {}
        for row, entries in enumerate(chapter["rounds"].values()):
            for entry in outcomes.repeated(entries):
                x = left + 6 * columns.setdefault(entry["text"], len(columns))
                color = COLORS[outcomes.held(entry)]
                cells += f'<rect x="{x}" y="{36 * row}" width="5" height="34" fill="{color}"/>\n'
            bottom = max(bottom, 36 * row + 34)
        left += 6 * len(columns) + 8  # a gap between chapters
    width = max(1, left - 9)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{bottom}" '
        f'viewBox="0 0 {width} {bottom}">\n{cells}</svg>\n'
    )


def first_panel(svg: str) -> str:
    """The figure without what stands to the right of its first axes.

    Raises
    ------
    ValueError
        When it isn't a figure of matplotlib with several axes.
    """
    second, end = svg.find('<g id="axes_2">'), svg.rfind("\n </g>")
    edge = re.search(r'id="axes_1">\s*<g id="patch_\d+">\s*<path d="M \S+ \S+ \nL (\S+) ', svg)
    box = re.search(r'width="\S+pt" height="(\S+)pt" viewBox="0 0 \S+ \S+"', svg)
    if second < 0 or not edge or not box:
        raise ValueError("first_panel: this isn't an SVG of matplotlib with several axes")
    width, height = float(edge[1]) + 12, box[1]  # room for half of the last tick's label
    cut = f'width="{width:g}pt" height="{height}pt" viewBox="0 0 {width:g} {height}"'
    return (svg[:second].rstrip() + svg[end:]).replace(box[0], cut, 1)


def figures(root: Path = notebooks.ROOT) -> dict[str, str]:
    """SVG of each wanted figure.

    Raises
    ------
    ValueError
        When no notebook has a figure of a wanted name; the message lists them.
    """
    names, found = wanted(root), {}
    for path in notebooks.book_notebooks(root):
        for cell in notebooks.code_cells(notebooks.read(path)):
            name = cell.metadata.get("mystnb", {}).get("figure", {}).get("name")
            for output in cell.outputs:
                svg = "".join(output.get("data", {}).get("image/svg+xml", "")).rstrip("\n") + "\n"
                if name in names and svg.strip():
                    found[name] = svg
                if f"{name}-first" in names and svg.strip():
                    found[f"{name}-first"] = first_panel(svg)
    if "replication" in names:
        found["replication"] = replication(root)
    if missing := sorted(names - set(found)):
        raise ValueError(f"no notebook has the figure {', '.join(missing)}; a page shows it")
    return found


def outdated(root: Path = notebooks.ROOT) -> list[str]:
    """Names of files that are missing, old, or shown by no page."""
    folder, current = root / FOLDER, figures(root)
    there = {file.stem: file.read_text(encoding="utf-8") for file in folder.glob("*.svg")}
    return sorted(n for n in {*there, *current} if there.get(n) != current.get(n))


def write(root: Path = notebooks.ROOT) -> None:
    """Bring the folder up to date."""
    current = figures(root)
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    for name in outdated(root):
        file = root / FOLDER / f"{name}.svg"
        if name in current:
            notebooks.write_text(file, current[name])
        else:
            file.unlink()
