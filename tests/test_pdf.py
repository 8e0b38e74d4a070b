"""The printed book: complete, and its contents and links lead somewhere."""

import re

import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader

from tools import browser, notebooks, pdf

pytestmark = pytest.mark.skipif(
    browser.executable() is None, reason="no Chromium on the PATH to print with"
)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    assert (notebooks.ROOT / "_build" / "html").is_dir(), "run `make book` first"
    file = tmp_path_factory.mktemp("pdf") / "book.pdf"
    assert pdf.main(target=file) == 0
    return file


@pytest.fixture(scope="module")
def book(file):
    return PdfReader(file)


def links(page):
    return [a.get_object() for a in page.get("/Annots", [])]


def test_links_and_contents(book, file):
    places = book.named_destinations
    inside, outside = [], []
    for page in book.pages:
        for link in links(page):
            if "/Dest" in link:
                inside.append(link["/Dest"])
            else:
                outside.append(link["/A"]["/URI"])
    assert len(inside) > 300 and set(inside) <= set(places)
    assert outside and [uri for uri in outside if not uri.startswith("https://")] == []

    first = next(n for n, page in enumerate(book.pages) if "Contents" in page.extract_text())
    numbers = pdf.page_numbers(file)
    contents = book.pages[first : numbers[notebooks.book_pages()[1]] - 1]
    listed = re.findall(r"(?m)(\d+)\s*$", "\n".join(page.extract_text() for page in contents))
    assert {str(numbers[page]) for page in notebooks.book_pages()[1:]} <= set(listed)


def test_every_page_of_the_site_is_there(book):
    outline = {entry.title for entry in book.outline if not isinstance(entry, list)}
    for name in notebooks.book_pages():
        site = notebooks.ROOT / "_build/html" / f"{name}.html"
        page = BeautifulSoup(site.read_text(encoding="utf-8"), "html.parser")
        assert (
            page.select_one("article h1").find(string=True).strip() in outline or name == "book/api"
        )
    assert 100 < len(book.pages) < 400
    assert not (notebooks.ROOT / "_build/html/print.html").exists()
    assert book.metadata.title == "Regularization in Deep Learning"
