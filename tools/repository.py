"""Point the book at another repository: ``make repository URL=https://github.com/you/book``.

The address's source is ``repository.url`` in ``_config.yml``. It is repeated where a file has to
stand alone: in the setup cells of notebooks, the README, pages with links and ``pyproject.toml``.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tools import notebooks
from tools.site.address import site_address

ADDRESS = re.compile(r"https://github\.com/[A-Za-z0-9][\w.-]*/[A-Za-z0-9_][\w.-]*")
PAGES = ("_config.yml", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "CITATION.cff")
PAGES += ("pyproject.toml", ".github/ISSUE_TEMPLATE/config.yml")
PAGES += ("book/index.md", "book/assignments.md", "book/teaching.md")
STUDENT = "book/assignments/student/*.ipynb"


def validated(url: str) -> str:
    """The address without a final slash or ``.git``.

    Raises
    ------
    ValueError
        When it isn't the address of a repository on GitHub, from where Colab and Binder open
        notebooks.
    """
    url = url.strip().removesuffix("/").removesuffix(".git")
    if not ADDRESS.fullmatch(url):
        raise ValueError(
            f"{url!r} is not the address of a repository on GitHub, from where Colab and Binder "
            "open notebooks. Give one like this: "
            "make repository URL=https://github.com/you/book"
        )
    return url


def retarget(text: str, old: str, new: str) -> str:
    """Replace the address and what is made of it: the site's, ``owner/name`` in buttons."""
    old_name, new_name = (re.sub(r"^https://[^/]+/", "", url) for url in (old, new))
    # Not within a longer name: .../book must not touch .../book-two.
    end = r"(?![\w-]|\.(?!git\b)\w)"
    folders = [url.rpartition("/")[2] for url in (old, new)]
    clone = re.escape(f"git clone {old} && cd {folders[0]}") + end
    text = re.sub(clone, f"git clone {new} && cd {folders[1]}", text)
    text = re.sub(re.escape(old) + end, new, text)
    text = text.replace(site_address(old), site_address(new))
    services = r"((?:colab\.research\.google\.com/github|mybinder\.org/v2/gh)/)"
    return re.sub(services + re.escape(old_name) + r"(?![\w-])", rf"\g<1>{new_name}", text)


def main(arguments: list[str] | None = None, root: Path = notebooks.ROOT) -> int:
    """Run the command; return its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        new = validated(arguments[0] if arguments else "")
        old = notebooks.repository_url(root)
        # All new texts first, so that a bad file stops the change before it starts.
        pages = [root / page for page in PAGES if (root / page).is_file()]
        pages += [*sorted(root.glob(STUDENT)), *notebooks.book_notebooks(root)]
        texts = {path: retarget(path.read_text(encoding="utf-8"), old, new) for path in pages}
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
