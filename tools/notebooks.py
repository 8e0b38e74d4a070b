"""What the tools and the tests share: which notebooks the book has, and whether they are fresh."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path

import nbformat
import yaml

from tools import syntax

ROOT = Path(__file__).resolve().parents[1]
STAND_IN = "STAND-IN DATA"  # utils.data prints this when the real data is missing.


def book_pages(root: Path = ROOT) -> list[str]:
    """Pages named in ``_toc.yml``, as it names them but without an ending, in the book's order."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))

    def files(entry: dict) -> list[str]:
        below = [*entry.get("parts", []), *entry.get("chapters", []), *entry.get("sections", [])]
        own = [entry[key] for key in ("root", "file") if key in entry]
        return own + [file for child in below for file in files(child)]

    return [file.removesuffix(".ipynb").removesuffix(".md") for file in files(toc)]


def book_notebooks(root: Path = ROOT) -> list[Path]:
    """Paths of the notebooks among the pages, in the book's order."""
    paths = [root / f"{page}.ipynb" for page in book_pages(root)]
    return [path for path in paths if path.is_file()]


def read(path: Path) -> nbformat.NotebookNode:
    """Read a notebook.

    Raises
    ------
    ValueError
        When the file isn't a notebook; the message names it.
    """
    try:
        return nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
    except (ValueError, nbformat.ValidationError) as error:
        raise ValueError(f"{path} is not a readable notebook: {error}") from error


def code_cells(nb: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """The notebook's code cells."""
    return [cell for cell in nb.cells if cell.cell_type == "code"]


def output_text(nb: nbformat.NotebookNode) -> str:
    """All text that the notebook's outputs show, streams and rich outputs alike."""
    texts = []
    for cell in code_cells(nb):
        for output in cell.get("outputs", []):
            texts.append(output.get("text", ""))
            texts += [v for k, v in output.get("data", {}).items() if k.startswith("text/")]
    return "\n".join("".join(text) for text in texts)


def digest(nb: nbformat.NotebookNode, root: Path = ROOT) -> str:
    """SHA-256 of everything that a notebook's outputs come from, apart from the data.

    That is its code cells (without the setup cell, which only finds ``utils``), the modules of
    ``utils`` that they import, also by way of others, and the ``utils/recorded/*.json`` that the
    cells name, as in ``load_recorded("mnist_full")``. Comments, formatting, line ends and the
    docstrings of ``utils`` don't count. Where a cell isn't Python, its text counts, and so does all
    of ``utils``.
    """
    own = [cell for cell in code_cells(nb) if "setup" not in cell.metadata.get("tags", [])]
    cells = [syntax.of_cell(cell.source) for cell in own]
    trees = [tree for _, tree in cells if tree is not None]
    everything = len(trees) < len(cells)
    used = syntax.strings(trees)  # of the cells: to a module "cifar10" is the data set

    files = syntax.modules(root, "utils")
    names = set(files) if everything else syntax.imports(trees)
    modules: dict[str, str] = {}
    while new := sorted(names & set(files) - set(modules)):
        for name in new:
            modules[name], tree = syntax.of_module(files[name])
            trees.append(tree)
            is_package = files[name].name == "__init__.py"
            names |= syntax.imports([tree], name if is_package else name.rpartition(".")[0])

    recorded = sorted((root / "utils" / "recorded").glob("*.json"))
    parts = [("cell", said.encode()) for said, _ in cells]
    parts += [(name, said.encode()) for name, said in sorted(modules.items())]
    parts += [
        (path.name, path.read_bytes().replace(b"\r\n", b"\n"))
        for path in recorded
        if everything or path.stem in used
    ]
    total = hashlib.sha256()
    for name, content in parts:
        # The length keeps two cells from reading like one.
        total.update(f"{name} {len(content)}\n".encode() + content)
    return total.hexdigest()


def is_fresh(nb: nbformat.NotebookNode, root: Path = ROOT) -> bool:
    """Whether the outputs belong to the code as it is now."""
    return nb.metadata.get("book", {}).get("digest") == digest(nb, root)


def repository_url(root: Path = ROOT) -> str:
    """The repository's address: ``repository.url`` of ``_config.yml``, its only source."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    return config["repository"]["url"]


def setup_cell(url: str) -> str:
    """Text of the first code cell of every notebook, for the repository at ``url``.

    It looks for this book's ``utils``, known by a string in its first file: first beside the
    notebook's folder, then on the path. Only where there is none (Colab), it installs one, perhaps
    into the user's own folder, which Python may not have on its path yet. An import of another
    package called ``utils`` is undone, so nothing needs a restart.
    """
    return f"""\
# Make this book's `utils` importable. Where it is missing, as on Colab, install it.
import os
import site
import sys
from pathlib import Path

url = "git+{url}"
for attempt in (1, 2):
    inits = [f"{{os.path.realpath(str(p))}}/utils/__init__.py" for p in ["..", *sys.path]]
    own = [i for i in inits if os.path.isfile(i) and b"regularization-book" in Path(i).read_bytes()]
    if not own and attempt == 1:
        %pip install -q --no-deps {{url}}
        sys.path.append(site.getusersitepackages())
        sys.path_importer_cache.clear()
assert own, f"pip could not install {{url}}; its message is above"
sys.path.insert(0, str(Path(own[0]).parents[1]))
if getattr(sys.modules.get("utils"), "__file__", None) != own[0]:
    for name in [m for m in sys.modules if m.partition(".")[0] == "utils"]:
        del sys.modules[name]"""


def write_text(path: Path, text: str) -> None:
    """Replace a file in one step, so that it is never half-written."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(name).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def select(names: list[str], root: Path = ROOT) -> list[Path]:
    """The book's notebooks, or those among them that are named.

    A name is ``overfitting``, ``overfitting.ipynb`` or ``book/overfitting.ipynb``.

    Raises
    ------
    ValueError
        When the book has no notebook of that name; the message lists those that there are.
    """
    notebooks = book_notebooks(root)
    if not names:
        return notebooks
    by_name = {path.stem: path for path in notebooks}
    wanted = [re.sub(r"\.ipynb$", "", Path(name).name) for name in names]
    if unknown := [name for name in wanted if name not in by_name]:
        raise ValueError(
            f"_toc.yml has no notebook called {', '.join(unknown)}; there are: {', '.join(by_name)}"
        )
    return [by_name[name] for name in wanted]
