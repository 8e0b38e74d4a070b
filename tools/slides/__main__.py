"""Slides for each chapter, from its notebook: headings, formulas, code, figures, the summary.

What becomes a slide: the promise, each section's heading with its first paragraph and what that
leads in (a formula, a list, a program, an answer), the first program of "In Keras" and of "From
scratch", each figure with its message, each warning, what to remember, and "In one breath". The
rest of the text goes to the speaker's notes. A cell tagged ``no-slide`` is left out. nbconvert
writes reveal.js from that; everything a slide needs lies in ``_slides/``, so it works without a
network.
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
WITH_CODE = ("In Keras", "In scikit-learn", "From scratch")


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


def lead(text: str) -> tuple[str, str]:
    """A section's first paragraph, with the formula or list that it leads in, and the rest."""
    first, *rest = text.split("\n\n")
    shown = [first]
    while rest and (shown[-1].rstrip().endswith(":") or rest[0].startswith("$$")):
        shown.append(rest.pop(0))
    return "\n\n".join(shown), "\n\n".join(rest)


def slides(nb: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A notebook of Markdown cells, each marked as a slide or as notes to it."""
    cells: list[nbformat.NotebookNode] = []

    def add(kind: str, text: str, formulas: bool = True) -> None:
        if text.strip() and (cells or kind == "slide"):
            text = with_formulas(text.strip()) if formulas else text
            cells.append(nbformat.v4.new_markdown_cell(text))
            cells[-1].metadata["slideshow"] = {"slide_type": kind}

    leaving_out, program = False, ""
    waits = None  # A slide whose text leads in what isn't there yet.
    for cell in nb.cells:
        tags = set(cell.metadata.get("tags", []))
        if "no-slide" in tags:
            continue
        if cell.cell_type == "code" and not leaving_out:
            shown = picture(cell)
            if (program or waits) and not tags & {"setup", "hide-input"}:
                code = f"```python\n{cell.source}\n```"
                add("slide", f"## {program}\n\n{code}" if program else code, formulas=False)
                program, waits = "", None
            if shown:
                add("slide", shown)
                waits = None
            continue
        for heading, text in sections(cell.source) if cell.cell_type != "code" else ():
            name = heading.lstrip("# ")
            if heading:
                leaving_out = name.startswith(LEFT_OUT)
                program = name if name.startswith(WITH_CODE) else ""
            if leaving_out:
                continue
            text = re.sub(r"(?s)<details>.*?</details>|^```.*?^```", "", text)
            # A chapter's links lead to notebooks, which aren't here.
            text = re.sub(r"\[([^]]+)\]\((?!https?:)[^)]*\)", r"\1", text).strip()
            first, rest = lead(text)
            if heading.startswith("# "):
                add("slide", f"{heading}\n\n{text.partition('*You need*')[0]}")
            elif name == "In one breath":
                add("slide", f"## {name}\n\n{text}")
            elif heading:
                add("slide", f"## {name}\n\n{first}")
                waits = cells[-1] if first.endswith(":") else None
                add("notes", rest)
            elif warning := re.match(r"> \*\*.*\n?(?:>.*\n?)*", text):
                add("slide", warning.group())
                add("notes", text[warning.end() :])
            elif waits:  # The answer to what a hidden cell measures.
                waits.source += "\n\n" + with_formulas(first)
                waits = None
                add("notes", rest)
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
