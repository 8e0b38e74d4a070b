"""The built site: complete, self-contained, and nothing shown raw. Needs `make book` first."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from bs4 import BeautifulSoup

from tools import notebooks

SITE = notebooks.ROOT / "_build" / "html"
CHAPTERS = [path.stem for path in notebooks.book_notebooks()]
PAGES = [
    "index",
    *CHAPTERS,
    "guide",
    "assignments",
    "teaching",
    "status",
    "glossary",
    "api",
    "bibliography",
]
OUTSIDE = re.compile(r"(?:https?:)?//", re.IGNORECASE)
IN_CSS = r"(?:url\(|@import)\s*[\"']?((?!url\()[^\"')\s]+)"
LOADING = {"script": "src", "img": "src", "iframe": "src", "source": "src", "object": "data"}
RELATIONS = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "modulepreload"}


def page_file(name: str) -> Path:
    return SITE / "book" / f"{name}.html"


@functools.cache
def parse(file: Path) -> BeautifulSoup:
    if not file.is_file():
        pytest.fail(f"{file} is missing: run `make book` first")
    return BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")


@functools.cache
def anchors(file: Path) -> frozenset[str]:
    return frozenset(tag["id"] for tag in parse(file).find_all(id=True))


# The checks take the parsed page, so that the tests below can show them a bad one.


def broken_links(page: BeautifulSoup, file: Path) -> list[str]:
    broken = []
    for tag in page.find_all(["a", "link", "script", "img", "source"]):
        target = tag.get("href") or tag.get("src")
        if not target or re.match(r"[a-z][a-z0-9+.-]*:|//", target, re.IGNORECASE):
            continue
        target, fragment = urldefrag(target)
        other = (file.parent / unquote(target.split("?")[0])).resolve() if target else file
        if not other.is_file():
            broken.append(f"{tag.name}: {target}")
        elif fragment and other.suffix == ".html":
            ids = anchors(other) if target else {t["id"] for t in page.find_all(id=True)}
            if unquote(fragment) not in ids:
                broken.append(f"no #{fragment} in {other.name}")
    return broken


def images_without_text(page: BeautifulSoup) -> list[str]:
    article = page.find("article") or page
    alts = [image.get("alt", "") for image in article.find_all("img")]
    return [alt for alt in alts if not alt.strip() or re.search(r"\.(png|svg|jpe?g)$", alt)]


def raw_syntax(page: BeautifulSoup) -> list[str]:
    article = BeautifulSoup(str(page.find("article") or page), "html.parser")
    for tag in article.select("pre, code, script, style, .math, dt.sig, dl.py strong"):
        tag.decompose()
    pattern = r"```|:::|\{[a-z][\w:-]*\}[`\s]|\{\{|\}\}|(?<!\\)\$\$|\*\*\w"
    return re.findall(pattern, article.get_text())


def outside_requests(page: BeautifulSoup) -> list[str]:
    found = []
    for name, attribute in LOADING.items():
        found += [tag[attribute] for tag in page.find_all(name) if tag.get(attribute)]
    for tag in page.find_all("link"):
        if RELATIONS & set(tag.get("rel", [])):
            found.append(tag["href"])
    found += [a for tag in page.find_all("style") for a in re.findall(IN_CSS, tag.string or "")]
    return [address for address in found if OUTSIDE.match(address)]


@pytest.mark.parametrize("name", PAGES)
def test_page(name):
    file = page_file(name)
    page = parse(file)
    assert page.find("h1") is not None
    assert broken_links(page, file) == []
    assert images_without_text(page) == []
    assert raw_syntax(page) == []
    assert outside_requests(page) == []


def test_front_page_is_at_the_root():
    root = (SITE / "index.html").read_text(encoding="utf-8")
    assert "book/index.html" in root


@pytest.mark.parametrize("name", CHAPTERS)
def test_launch_buttons_and_figures(name):
    page = parse(page_file(name))
    repository = notebooks.repository_url().removeprefix("https://github.com/")
    links = {a["href"] for a in page.find_all("a", href=True)}
    address = f"https://colab.research.google.com/github/{repository}/blob/main/book/{name}.ipynb"
    assert address in links
    assert any(link.startswith(f"https://mybinder.org/v2/gh/{repository}/main") for link in links)
    nb = notebooks.read(notebooks.ROOT / "book" / f"{name}.ipynb")
    named = [c.metadata.get("mystnb", {}).get("figure", {}) for c in notebooks.code_cells(nb)]
    names = {figure["name"] for figure in named if figure}
    assert names <= {figure.get("id") for figure in page.find_all("figure")}


def test_stylesheets_load_nothing_from_outside():
    sheets = [*(SITE / "_static").rglob("*.css")]
    assert sheets
    for sheet in sheets:
        text = sheet.read_text(encoding="utf-8", errors="replace")
        assert [a for a in re.findall(IN_CSS, text) if OUTSIDE.match(a)] == [], sheet.name


def test_api_page_describes_every_public_name():
    page = parse(page_file("api"))
    described = {tag["id"] for tag in page.find_all("dt", id=True)}
    defined = re.compile(r"(?m)^(?:def|class) ([A-Za-z]\w*)")
    files = [*(notebooks.ROOT / "utils").glob("[!_]*.py")]
    files.append(notebooks.ROOT / "utils" / "recorded" / "__init__.py")
    for file in files:
        module = "utils.recorded" if file.stem == "__init__" else f"utils.{file.stem}"
        public = {f"{module}.{name}" for name in defined.findall(file.read_text(encoding="utf-8"))}
        assert public <= described


@pytest.mark.parametrize(
    ("check", "html"),
    [
        (images_without_text, "<article><img src='a.png'></article>"),
        (images_without_text, "<article><img src='a.png' alt='../_images/a.png'></article>"),
        (raw_syntax, "<article><p>see {cite}`x`</p></article>"),
        (raw_syntax, "<article><p>:::{note}</p></article>"),
        (raw_syntax, "<article><p>$$ x $$</p></article>"),
        (outside_requests, "<script src='https://cdn.example.org/a.js'></script>"),
        (outside_requests, "<link rel='stylesheet' href='//cdn.example.org/a.css'>"),
        (outside_requests, "<style>@import url(https://example.org/a.css)</style>"),
    ],
)
def test_planted_fault_is_seen(check, html):
    assert check(BeautifulSoup(html, "html.parser")) != []


def test_broken_link_is_seen(tmp_path):
    file = tmp_path / "a.html"
    file.write_text("<p id='here'>text</p>")
    good = "<a href='#here'>x</a><a href='a.html#here'>x</a><a href='https://example.org'>x</a>"
    page = BeautifulSoup(good + "<p id='here'></p>", "html.parser")
    assert broken_links(page, file) == []
    bad = "<a href='b.html'>x</a><a href='#there'>x</a><img src='c.png'><a href='a.html#no'>x</a>"
    assert len(broken_links(BeautifulSoup(bad, "html.parser"), file)) == 4


@pytest.fixture
def browse(tmp_path):
    """Runs a headless Chromium on a page of the site; returns what it prints."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    browser = next(filter(None, map(shutil.which, names)), None)
    if browser is None:
        pytest.skip("no Chromium on the PATH: not checked in a browser")
    command = [browser, "--headless=new", "--disable-gpu", f"--user-data-dir={tmp_path}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--no-sandbox")
    command.append("--virtual-time-budget=20000")

    def run(name: str, *options: str) -> bytes:
        address = page_file(name).as_uri()
        done = subprocess.run(
            [*command, *options, address], capture_output=True, timeout=180, check=True
        )
        return done.stdout

    return run


def test_equations_render_in_a_browser(browse):
    name = "overfitting"
    page = BeautifulSoup(browse(name, "--dump-dom"), "html.parser")
    written = len(parse(page_file(name)).select("article .math"))
    assert written > 0
    # Two equations in one element are possible; an element without any isn't.
    assert len(page.select("article .math mjx-container")) >= written
    assert not page.select("article mjx-merror, article [data-mml-node=merror]")


def test_the_guide_prints_on_one_sheet(browse, tmp_path):
    file = tmp_path / "guide.pdf"
    browse("guide", "--no-pdf-header-footer", f"--print-to-pdf={file}")
    assert len(re.findall(rb"/Type\s*/Page(?!s)", file.read_bytes())) == 1
