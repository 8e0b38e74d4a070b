"""Compile ``pyproject.toml`` into the pinned ``requirements.txt`` (``make lock``)."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from tools import notebooks

MARK = "# dependencies-sha256: "
HEADER = """\
# The pinned set for the site, the tests and Binder. Compiled from pyproject.toml: don't edit.
# After a change there: make lock            (UPGRADE=1 for the newest versions)
"""


def digest(root: Path = notebooks.ROOT) -> str:
    """SHA-256 of the tables of ``pyproject.toml`` that name dependencies."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    tables = {
        "requires-python": project["project"]["requires-python"],
        "dependencies": project["project"]["dependencies"],
        "groups": project["dependency-groups"],
    }
    return hashlib.sha256(json.dumps(tables, sort_keys=True).encode()).hexdigest()


def main(root: Path = notebooks.ROOT, *, upgrade: bool = False) -> int:
    """Write ``requirements.txt``; return the exit code."""
    if not shutil.which("uv"):
        print("make lock needs uv: pip install uv", file=sys.stderr)
        return 1
    target = root / "requirements.txt"
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "requirements.txt"
        if target.exists() and not upgrade:
            # uv keeps the versions it finds here where they still fit.
            shutil.copy(target, output)
        # One version a package for all Pythons and systems: the same book everywhere.
        compiled = subprocess.run(
            ["uv", "pip", "compile", "pyproject.toml", "--group", "dev", "--universal"]
            + ["--python-version", "3.11", "--fork-strategy", "fewest"]
            + ["--no-header", "--no-annotate", "--quiet", "--output-file", str(output)],
            cwd=root,
            check=False,
        )
        if compiled.returncode:
            return compiled.returncode
        pins = output.read_text(encoding="utf-8")
    notebooks.write_text(target, f"{HEADER}{MARK}{digest(root)}\n{pins}")
    print(f"requirements.txt: {len(pins.splitlines())} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main(upgrade="--upgrade" in sys.argv))
