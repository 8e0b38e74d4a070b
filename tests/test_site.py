"""The built site: complete, self-contained, and nothing shown raw. Needs `make book` first."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from bs4 import BeautifulSoup
from PIL import Image

from tools import browser, notebooks, outcomes, status
from tools.site import formulas, glossary, moved, numbers, pictures
from tools.site.address import site_address

SITE = notebooks.ROOT / "_build" / "html"
CHAPTERS = [path.stem for path in notebooks.book_notebooks()]
PAGES = [page.removeprefix("book/") for page in notebooks.book_pages()]
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


@pytest.mark.parametrize("name", PAGES)
def test_page_can_be_found_and_shared(name):
    page = parse(page_file(name))
    address = f"{site_address(notebooks.repository_url())}book/{name}.html"
    assert page.find("link", rel="canonical")["href"] == address
    assert address in (SITE / "sitemap.xml").read_text(encoding="utf-8")
    assert page.find("title").get_text().strip()
    about = {
        tag.get("property") or tag.get("name"): tag["content"]
        for tag in page.select("meta[content]")
    }
    assert len(about["description"]) > 40 and about["og:url"] == address
    card = about["og:image"].removeprefix(site_address(notebooks.repository_url()))
    assert (SITE / card).is_file() and about["og:title"]


@pytest.mark.parametrize("old", moved.MOVED)
def test_page_that_moved_leads_to_the_new_ones(old):
    file, new = SITE / f"{old}.html", moved.MOVED[old]
    page = parse(file)
    assert {link["href"] for link in page.select("a")} == {f"{Path(n).name}.html" for n in new}
    assert broken_links(page, file) == []
    assert page.select_one("meta[http-equiv=refresh]")["content"].endswith(page.a["href"])
    assert page.select_one("link[rel=canonical]")["href"].endswith(f"/{new[0]}.html")


@pytest.mark.parametrize("name", CHAPTERS)
def test_chapter_says_what_it_takes_and_offers_itself(name):
    bar = parse(page_file(name)).select_one("h1 + .chapter-bar")
    assert re.search(r"minutes to read.*minutes? to run", bar.get_text())
    colab, download = (a["href"] for a in bar.find_all("a"))
    assert colab.startswith("https://colab.") and colab.endswith(f"/book/{name}.ipynb")
    source = (notebooks.ROOT / "book" / f"{name}.ipynb").read_bytes()
    assert (SITE / "book" / download).resolve().read_bytes() == source


@pytest.mark.parametrize("name", CHAPTERS)
def test_first_use_of_a_term_leads_to_the_glossary(name):
    links = parse(page_file(name)).select("article a[href^='glossary.html#term-']")
    targets = [link["href"] for link in links]
    assert len(targets) >= 8 and len(set(targets)) == len(targets)
    assert not [link for link in links if link.find_parent(["h1", "h2", "h3", "code", "pre"])]


def test_index_lists_the_terms_where_they_are_used():
    page = parse(SITE / "genindex.html")
    entry = next(a for a in page.select("table.indextable a") if a.get_text() == "early stopping")
    links = [a["href"] for a in entry.find_parent("li").find_all("a")]
    assert "book/glossary.html#term-early-stopping" in links
    assert sum("#term-use-early-stopping" in link for link in links) >= 3
    assert "Early stopping" in [a.get_text() for a in entry.find_parent("li").find_all("a")]


def test_front_page_counts_chapters_hours_and_claims():
    claims = [
        v for path in notebooks.book_notebooks() for v in status.verdicts(notebooks.read(path))
    ]
    text = " ".join(parse(page_file("index")).find("article").get_text().split())
    pages = " ".join(page_file(name).read_text(encoding="utf-8") for name in CHAPTERS)
    minutes = [int(n) for n in re.findall(r"</em> about (\d+) minutes to read", pages)]
    assert len(minutes) == len(CHAPTERS)
    assert f"{len(CHAPTERS)} chapters, about {sum(minutes) / 60:.0f} hours to read" in text
    assert f"This book makes {len(claims)} claims" in text


@pytest.mark.parametrize(
    ("latex", "shown"),
    [
        (r"\lVert w \rVert^2", 'stretchy="false"'),
        (r"0.2 \pm 0.1", "<mo>±</mo>"),
        (r"\log p", 'form="prefix"'),
        (r"\text{if } p", "if\N{NO-BREAK SPACE}</mtext>"),
        (r"U \Lambda U^\top", 'mathvariant="normal">Λ'),
    ],
)
def test_formula_is_mended(latex, shown):
    assert shown in formulas.to_mathml(latex)


def test_formula_with_an_unknown_command_stops_the_build():
    with pytest.raises(ValueError, match=r"unknown command \\nosuch in the formula a"):
        formulas.to_mathml(r"a \nosuch b")


def test_picture_sizes(tmp_path):
    (tmp_path / "a.svg").write_text('<svg width="72pt" height="36pt" viewBox="0 0 1 1"/>')
    (tmp_path / "b.svg").write_text('<svg viewBox="0 0 1 1"/>')
    Image.new("RGB", (30, 20)).save(tmp_path / "c.png")
    sizes = [pictures.size(tmp_path / name) for name in ("a.svg", "b.svg", "c.png")]
    assert sizes == [(96, 48), None, (30, 20)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Adam and AdamW", {"Adam", "AdamW"}),
        ("an adam-like rule", set()),
        ("Bias, weight\ndecay", {"bias (of an estimator)", "weight decay"}),
        ("weight decays, biases", {"weight decay"}),
    ],
)
def test_terms_are_found_as_they_are_written(tmp_path, text, found):
    names = ("bias (of an estimator)", "Adam", "AdamW", "weight decay")
    page = tmp_path / "glossary.md"
    entries = "\n".join(f"{name}\n  Text.\n" for name in names)
    page.write_text(f"```{{glossary}}\n{entries}```\n")
    assert {name for name, pattern in glossary.terms(page).items() if pattern.search(text)} == found


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


@pytest.mark.skipif(browser.executable() is None, reason="no Chromium on the PATH to print with")
def test_the_guide_prints_on_one_sheet():
    with browser.chromium() as chromium:
        page = chromium.new_page()
        page.goto(page_file("guide").as_uri())
        printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page(?!s)", printed)) == 1


def test_a_share_that_isnt_whole_isnt_rounded_to_it(monkeypatch):
    monkeypatch.setattr(outcomes, "replicated", lambda root: (434, 435))
    assert numbers.substitutions(notebooks.ROOT)["replicated_share"] == "99.8"
