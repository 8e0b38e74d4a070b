"""Copies of the notebooks in which the solutions of the exercises run too.

A solution stands in Markdown, in a ``<details>`` block, where nothing would run it. `make test`
runs these copies: each solution is a code cell after its text, as a reader would paste it.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import nbformat

from tools import notebooks

# Not within _build, whose notebooks nbmake leaves out.
FOLDER = Path("_solved")


def solutions(markdown: str) -> list[str]:
    """The Python blocks within ``<details>`` of a Markdown text."""
    details = re.findall(r"(?s)<details>.*?</details>", markdown)
    return [code for text in details for code in re.findall(r"(?ms)^```python\n(.*?)^```", text)]


def solved(nb: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook without outputs, with each solution as a code cell after its Markdown cell."""
    copy = nbformat.v4.new_notebook(metadata=nb.metadata)
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell = nbformat.v4.new_code_cell(cell.source, metadata=cell.metadata, id=cell.id)
        copy.cells.append(cell)
        if cell.cell_type == "markdown":
            for number, code in enumerate(solutions(cell.source), start=1):
                name = f"{cell.id}-solution-{number}"
                copy.cells.append(nbformat.v4.new_code_cell(code, id=name))
    return copy


def main(root: Path = notebooks.ROOT) -> int:
    """Write the copies of all notebooks of the book."""
    folder = root / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in notebooks.book_notebooks(root):
        nbformat.write(solved(notebooks.read(path)), folder / path.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
