"""What code says, apart from how it is written: for the digest that tells if outputs are fresh."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from importlib.util import resolve_name
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager


def plain(node: object) -> str:
    """A syntax tree as text, the same in all versions of Python.

    `ast.dump` differs, since newer versions know more fields. Here empty fields are left out.
    """
    if isinstance(node, ast.JoinedStr):  # Python 3.12 ends f"{x:<{n}}" with an empty string.
        node = ast.JoinedStr([part for part in node.values if getattr(part, "value", None) != ""])
    if isinstance(node, ast.AST):
        fields = [(name, value) for name, value in ast.iter_fields(node) if value not in (None, [])]
        return f"{type(node).__name__}({', '.join(f'{n}={plain(value)}' for n, value in fields)})"
    if isinstance(node, list):
        return f"[{', '.join(map(plain, node))}]"
    return ascii(node)  # `repr` escapes what the version's Unicode doesn't know.


def of_cell(source: str) -> tuple[str, ast.Module | None]:
    """What a code cell says, and its tree: without comments, line magics as calls.

    Where it isn't Python, that is its text, and no tree.
    """
    source = source.replace("\r\n", "\n")
    if not source.lstrip().startswith("%%"):  # To IPython, the rest of such a cell is one string.
        try:
            code = TransformerManager().transform_cell(source)
            tree = ast.parse(code)
        except SyntaxError:
            pass
        else:
            return plain(tree) + (";" if _is_quiet(code, tree) else ""), tree
    return source, None


def _is_quiet(code: str, tree: ast.Module) -> bool:
    """Whether a semicolon at the end keeps the last value from being shown."""
    if not tree.body:
        return False
    last = tree.body[-1]
    line = code.split("\n")[last.end_lineno - 1].encode()
    return line[last.end_col_offset :].lstrip().startswith(b";")


def of_module(file: Path) -> tuple[str, ast.Module]:
    """What a module says, and its tree: without comments and docstrings."""
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    for node in ast.walk(tree):
        documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
    return plain(tree), tree


def imports(trees: Iterable[ast.Module], package: str = "") -> set[str]:
    """Dotted names of all modules that code in ``package`` may import, within functions too."""
    found = set()
    for node in _nodes(trees):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            name = resolve_name("." * node.level + (node.module or ""), package)
            # Each of the names may be a module of its own.
            found |= {name, *(f"{name}.{alias.name}" for alias in node.names)}
    # An import runs the packages around the module, too.
    parts = [name.split(".") for name in found]
    return {".".join(p[:end]) for p in parts for end in range(1, len(p) + 1)}


def strings(trees: Iterable[ast.Module]) -> set[str]:
    """All string constants."""
    constants = [node.value for node in _nodes(trees) if isinstance(node, ast.Constant)]
    return {value for value in constants if isinstance(value, str)}


def _nodes(trees: Iterable[ast.Module]) -> list[ast.AST]:
    return [node for tree in trees for node in ast.walk(tree)]


def modules(root: Path, package: str) -> dict[str, Path]:
    """Files of a package's modules, by dotted name; no copies that an editor keeps."""
    files = [path.relative_to(root) for path in (root / package).rglob("*.py")]
    return {
        ".".join(file.with_suffix("").parts).removesuffix(".__init__"): root / file
        for file in files
        if not {".ipynb_checkpoints", "__pycache__"} & set(file.parts)
    }
