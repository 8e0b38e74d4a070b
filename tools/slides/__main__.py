"""Slides for each chapter, from its notebook: headings, figures, claims and the summary.

What becomes a slide: the promise, each section's heading with its first paragraph, each figure with
its message, each warning, the table of claims, and "In one breath". The rest of the text goes to
the speaker's notes. A cell tagged ``no-slide`` is left out. nbconvert writes reveal.js from that;
everything a slide needs lies in ``_slides/``, so it works without a network.
"""

from __future__ import annotations

import base64
import html
import re
import shutil
import sys
from pathlib import Path

import nbformat
from nbconvert import SlidesExporter

from tools import notebooks
from tools.site.formulas import to_mathml

FOLDER = Path("_slides")
HERE = Path(__file__).resolve().parent
STATIC = notebooks.ROOT / "book" / "_static"
ASSETS = (
    *(HERE / "reveal").iterdir(),
    HERE / "slides.css",
    STATIC / "fonts" / "inter-latin-wght-normal.woff2",
    STATIC / "fonts" / "source-serif-4-latin-wght-normal.woff2",
    STATIC / "fonts" / "stix-two-math.woff2",
)
LEFT_OUT = ("Check yourself", "Exercises", "Further reading", "Level")


def sections(markdown: str) -> list[tuple[str, str]]:
    """Heading and text of each part of a Markdown cell; the first part may have no heading."""
    parts = re.split(r"(?m)^(#{1,3} .+)$", markdown)
    pairs = [("", parts[0])] if parts[0].strip() else []
    return pairs + list(zip(parts[1::2], parts[2::2], strict=True))


def with_formulas(markdown: str) -> str:
    """The same Markdown with MathML in place of what stands between dollar signs."""

    def convert(match):
        if match["code"]:
            return match["code"]
        if match["block"]:
            return to_mathml(match["block"].strip(), display="block")
        return to_mathml(match["inline"])

    pattern = r"(?s)(?P<code>`[^`]*`)|\$\$(?P<block>.+?)\$\$|\$(?P<inline>[^$]+?)\$"
    return re.sub(pattern, convert, markdown)


def picture(cell: nbformat.NotebookNode) -> str | None:
    """A figure cell's picture with its message, None for a cell without."""
    about = cell.metadata.get("mystnb", {})
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        for kind in ("image/svg+xml", "image/png"):
            if kind in data and "figure" in about:
                text = "".join(data[kind])
                raw = base64.b64encode(text.encode()).decode() if "svg" in kind else text.strip()
                alt = html.escape(about["image"]["alt"])
                message = f'<p class="message">{html.escape(about["figure"]["caption"])}</p>'
                return f'<img src="data:{kind};base64,{raw}" alt="{alt}">\n{message}'
    return None


def claims(cell: nbformat.NotebookNode) -> str | None:
    """The table of claims that a cell shows, None for another cell."""
    if "claims_table()" not in cell.source:
        return None
    tables = [o["data"]["text/html"] for o in cell.outputs if "text/html" in o.get("data", {})]
    return f'<div class="scroll">{"".join(tables[0])}</div>' if tables else None


def slides(nb: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A notebook of Markdown cells, each marked as a slide or as notes to it."""
    cells: list[nbformat.NotebookNode] = []

    def add(kind: str, text: str) -> None:
        if text.strip() and (cells or kind == "slide"):
            cell = nbformat.v4.new_markdown_cell(with_formulas(text.strip()))
            cell.metadata["slideshow"] = {"slide_type": kind}
            cells.append(cell)

    leaving_out = False
    for cell in nb.cells:
        if "no-slide" in cell.metadata.get("tags", []):
            continue
        if cell.cell_type == "code":
            shown = picture(cell) or claims(cell)
            if shown and not leaving_out:
                add("slide", shown)
            continue
        for heading, text in sections(cell.source):
            if heading:
                leaving_out = heading.lstrip("# ").startswith(LEFT_OUT)
            if leaving_out:
                continue
            text = re.sub(r"(?s)<details>.*?</details>|^```.*?^```", "", text)
            # A chapter's links lead to notebooks, which aren't here.
            text = re.sub(r"\[([^]]+)\]\((?!https?:)[^)]*\)", r"\1", text).strip()
            if heading.startswith("# "):
                add("slide", f"{heading}\n\n{text.partition('*You need*')[0]}")
            elif "In one breath" in heading:
                add("slide", f"## In one breath\n\n{text}")
            elif heading:
                first, _, rest = text.partition("\n\n")
                add("slide", f"## {heading.lstrip('# ')}\n\n{first}")
                add("notes", rest)
            elif text.startswith("> **"):
                add("slide", text)
            else:
                add("notes", text)
    title = cells[0].source.splitlines()[0].lstrip("# ")
    return nbformat.v4.new_notebook(cells=cells, metadata={"title": title})


def main(root: Path = notebooks.ROOT) -> int:
    """Write the slides of all chapters."""
    folder = root / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "assets").mkdir(parents=True)
    for asset in ASSETS:
        shutil.copyfile(asset, folder / "assets" / asset.name)
    exporter = SlidesExporter(
        template_name="book_slides", extra_template_basedirs=[str(HERE / "template")]
    )
    for path in notebooks.book_notebooks(root):
        page, _ = exporter.from_notebook_node(slides(notebooks.read(path)))
        notebooks.write_text(folder / f"{path.stem}.html", page)
    print(f"{len(notebooks.book_notebooks(root))} chapters in {FOLDER}/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
