"""Point the book at another repository: ``make repository URL=https://github.com/you/book``.

The address's source is ``repository.url`` in ``_config.yml``. It is repeated where a file has to
stand alone: in the setup cells of notebooks, the README, pages with links and ``pyproject.toml``.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import nbformat

from tools import notebooks
from tools.site.address import site_address

ADDRESS = re.compile(r"https://(github|gitlab)\.com/[A-Za-z0-9][\w.-]*/[A-Za-z0-9_][\w.-]*")
PAGES = ("_config.yml", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "CITATION.cff")
PAGES += ("pyproject.toml", ".github/ISSUE_TEMPLATE/config.yml")
PAGES += ("book/index.md", "book/assignments.md", "book/teaching.md")
STUDENT = "book/assignments/student/*.ipynb"


def validated(url: str) -> str:
    """The address without a final slash or ``.git``.

    Raises
    ------
    ValueError
        When it isn't the address of a repository on GitHub or GitLab.
    """
    url = url.strip().removesuffix("/").removesuffix(".git")
    if not ADDRESS.fullmatch(url):
        raise ValueError(
            f"{url!r} is not the address of a repository. Give one like this: "
            "make repository URL=https://github.com/you/book"
        )
    return url


def retarget(text: str, old: str, new: str) -> str:
    """Replace the address and what is made of it: the site's, ``owner/name`` in buttons."""
    old_name, new_name = (re.sub(r"^https://[^/]+/", "", url) for url in (old, new))
    # Not within a longer name: .../book must not touch .../book-two.
    text = re.sub(re.escape(old) + r"(?![\w-]|\.(?!git\b)\w)", new, text)
    text = text.replace(site_address(old), site_address(new))
    services = r"((?:colab\.research\.google\.com/github|mybinder\.org/v2/gh)/)"
    return re.sub(services + re.escape(old_name) + r"(?![\w-])", rf"\g<1>{new_name}", text)


def retarget_notebook(path: Path, old: str, new: str, root: Path) -> str:
    """Text of a notebook whose setup cell names the new address.

    Only the two strings change, so the file's formatting stays. If its outputs belonged to its
    code, they still do: the digest is renewed.
    """
    text = path.read_text(encoding="utf-8")
    nb = notebooks.read(path)
    fresh = notebooks.is_fresh(nb, root)
    text = retarget(text, old, new)
    if fresh:
        changed = nbformat.reads(text, as_version=4)
        text = text.replace(
            json.dumps(nb.metadata["book"]["digest"]), json.dumps(notebooks.digest(changed, root))
        )
    return text


def main(arguments: list[str] | None = None, root: Path = notebooks.ROOT) -> int:
    """Run the command; return its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        new = validated(arguments[0] if arguments else "")
        old = notebooks.repository_url(root)
        # All new texts first, so that a bad file stops the change before it starts.
        pages = [root / page for page in PAGES if (root / page).is_file()]
        pages += sorted(root.glob(STUDENT))
        texts = {path: retarget(path.read_text(encoding="utf-8"), old, new) for path in pages}
        for path in notebooks.book_notebooks(root):
            texts[path] = retarget_notebook(path, old, new, root)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    for path, text in texts.items():
        if path.read_text(encoding="utf-8") != text:
            notebooks.write_text(path, text)
            print(f"changed {path.relative_to(root).as_posix()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
