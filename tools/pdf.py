"""Print the whole book from the built site: ``make pdf``.

The pages' articles are put into one document, in the book's order, with a cover and a table of
contents, and printed by the Chromium on this machine. Links between pages become links within the
document. It is printed again until the page numbers in the table of contents are right.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import yaml
from bs4 import BeautifulSoup, Tag
from pypdf import PdfReader

from tools import browser, notebooks
from tools.site.address import site_address

FILE = Path("_build", "regularization-book.pdf")
STYLES = ("styles/theme.css", "styles/pydata-sphinx-theme.css", "styles/sphinx-book-theme.css")
STYLES += ("pygments.css", "sphinx-design.min.css", "book.css")
# Buttons, what works on a screen only, and code that the site shows on request.
LEFT_OUT = (
    ".headerlink, .chapter-bar, .hero-buttons, script, button, .book-slider input, details.hide"
)
FOOTER = """<div style="font: 8pt sans-serif; width: 100%; text-align: center">
<span class="pageNumber"></span></div>"""


def article(page: str, pages: list[str], site: Path, address: str) -> Tag:
    """One page's article, as a part of the document.

    Its ids begin with the page's name, since pages have sections of the same name.
    """
    soup = BeautifulSoup((site / f"{page}.html").read_text(encoding="utf-8"), "html.parser")
    part = soup.select_one("article.bd-article")
    for element in part.select(LEFT_OUT):
        element.decompose()
    for element in part.select("details"):
        element["open"] = ""
    for element in part.select("[id]"):
        element["id"] = f"{page}--{element['id']}"
    for link in part.select("a[href]"):
        target, fragment = urldefrag(urljoin(f"https://site/{page}.html", link["href"]))
        inside = target.removeprefix("https://site/")
        if inside.removesuffix(".html") in pages:
            place = inside.removesuffix(".html")
            link["href"] = f"#{place}--{fragment}" if fragment else f"#{place}"
        elif inside != target:
            link["href"] = address + inside
    for image in part.select("img[src]"):
        if not image["src"].startswith("data:"):
            image["src"] = urljoin((site / f"{page}.html").as_uri(), image["src"])
        image.attrs.pop("loading", None)
    part.name, part["class"], part["id"] = "section", ["page"], page
    return part


def headings(part: Tag) -> list[tuple[int, str, str]]:
    """Level, id and text of the headings of levels 1 and 2."""
    found = []
    for heading in part.select("h1, h2"):
        holder = heading.find_parent("section", id=True)
        place = part["id"] if heading.name == "h1" else holder["id"]
        found.append((int(heading.name[1]), place, heading.get_text().strip()))
    return found


def document(root: Path, numbers: dict[str, int]) -> str:
    """The book as one HTML page, for any folder; ``numbers`` has the page of each id."""
    site = root / "_build" / "html"
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    address = site_address(config["repository"]["url"])
    front, *pages = notebooks.book_pages(root)
    parts = [article(page, [front, *pages], site, address) for page in [front, *pages]]
    soup = BeautifulSoup("", "html.parser")
    contents = soup.new_tag("nav", attrs={"class": "table-of-contents"})
    contents.append(soup.new_tag("h1", string="Contents"))
    outer = soup.new_tag("ol")
    contents.append(outer)
    for level, place, text in [h for part in parts[1:] for h in headings(part)]:
        item, link = soup.new_tag("li"), soup.new_tag("a", href=f"#{place}")
        link.append(soup.new_tag("span", string=text))
        link.append(soup.new_tag("span", string=str(numbers.get(place, ""))))
        item.append(link)
        if level == 1:
            outer.append(item)
            inner = soup.new_tag("ol")
            item.append(inner)
        else:
            inner.append(item)
    static = (site / "_static").as_uri()
    styles = "".join(f'<link rel="stylesheet" href="{static}/{name}">' for name in STYLES)
    own = (Path(__file__).with_suffix(".css")).read_text(encoding="utf-8")
    picture = parts[0].select_one(".hero img")
    return f"""<!doctype html>
<html lang="en" data-theme="light"><head><meta charset="utf-8"><title>{config["title"]}</title>
{styles}<style>{own}</style></head>
<body><main class="bd-content"><div class="bd-article">
<section class="cover"><img class="logo" src="{static}/logo.svg" alt="">
<h1>{config["title"]}</h1><p>{config["author"]}, {config["copyright"]}. {address}</p>
<img src="{picture["src"]}" alt="{picture["alt"]}"></section>
{contents}
{"".join(map(str, parts))}
</div></main></body></html>"""


def page_numbers(file: Path) -> dict[str, int]:
    """Number of the page on which each id stands."""
    reader = PdfReader(file)
    places = reader.named_destinations.items()
    return {
        name.lstrip("/"): reader.get_destination_page_number(place) + 1 for name, place in places
    }


def main(root: Path = notebooks.ROOT, target: Path | None = None) -> int:
    """Print the book to ``target``, the usual place by default; return the exit code."""
    target = target or root / FILE
    numbers: dict[str, int] = {}
    printed: dict[str, int] | None = None
    try:
        # Not in the site's folder: another command may read it meanwhile.
        with tempfile.TemporaryDirectory() as folder, browser.chromium() as chromium:
            source = Path(folder, "print.html")
            page = chromium.new_page()
            for _ in range(5):  # Three do. Numbers that never settle must not go on forever.
                if numbers == printed:
                    break
                printed = numbers
                notebooks.write_text(source, document(root, numbers))
                page.goto(source.as_uri(), wait_until="load")
                page.evaluate("document.fonts.ready")
                page.pdf(
                    path=target,
                    prefer_css_page_size=True,
                    scale=0.86,  # The site's sizes are made for a screen.
                    print_background=True,
                    display_header_footer=True,
                    header_template="<span></span>",
                    footer_template=FOOTER,
                    outline=True,
                    tagged=True,
                )
                numbers = page_numbers(target)
    except FileNotFoundError as error:
        print(f"make pdf: {error}", file=sys.stderr)
        return 1
    pages = len(PdfReader(target).pages)
    print(f"{target}: {pages} pages, {target.stat().st_size / 2**20:.1f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
