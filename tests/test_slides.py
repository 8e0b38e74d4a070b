"""Slides: a chapter's figures, formulas and first programs; nothing from elsewhere or cut off."""

import re

import nbformat
import pytest

from tools import browser, notebooks
from tools.slides import __main__ as slides


@pytest.fixture(scope="module")
def folder():
    assert slides.main() == 0
    return notebooks.ROOT / slides.FOLDER


@pytest.mark.parametrize("path", notebooks.book_notebooks(), ids=lambda p: p.stem)
def test_each_figure_and_each_first_program_has_a_slide(path):
    nb = notebooks.read(path)
    figures = [c for c in notebooks.code_cells(nb) if "figure" in c.metadata.get("mystnb", {})]
    cells = slides.slides(nb).cells
    made = [c.source for c in cells]
    assert sum("<img" in text for text in made) == len(figures) >= 3
    programs = [text for text in made if "```python" in text]
    headings = re.findall(
        r"(?m)^#+ (?:In Keras|From scratch)", "\n".join(c.source for c in nb.cells)
    )
    assert len(programs) >= len(headings) >= 1
    (remembered,) = [text for text in made if text.startswith("## What we can claim")]
    assert [line[:2] for line in remembered.splitlines() if line[:1].isdigit()] == [
        "1.",
        "2.",
        "3.",
    ]
    shown = [c.source for c in cells if c.metadata.slideshow.slide_type == "slide"]
    for slide, after in zip(shown, [*shown[1:], ""], strict=True):
        assert not slide.endswith(":") or "```python" in after, f"leads nowhere: {slide[-80:]}"
    assert made[0].startswith("# ") and any(t.startswith("## In one breath") for t in made)
    assert not any("Exercises" in text or "<details>" in text for text in made)


def test_text_after_the_first_paragraph_is_for_the_speaker():
    v = nbformat.v4
    nb = v.new_notebook(cells=[
        v.new_markdown_cell("# T\n\n**P**\n\n*You need* x"),
        v.new_markdown_cell("## See it\n\nFirst [link](a.ipynb).\n\nSecond."),
        v.new_markdown_cell("> **Careful.** Why."),
        v.new_markdown_cell("Hidden", metadata={"tags": ["no-slide"]}),
        v.new_markdown_cell("## Exercises\n\nOne."),
    ])  # fmt: skip
    made = [(c.metadata.slideshow.slide_type, c.source) for c in slides.slides(nb).cells]
    assert made == [
        ("slide", "# T\n\n**P**"),
        ("slide", "## See it\n\nFirst link."),
        ("notes", "Second."),
        ("slide", "> **Careful.** Why."),
    ]


@pytest.mark.skipif(browser.executable() is None, reason="no Chromium to look at the slides with")
def test_slides_in_a_browser(folder):
    with browser.chromium() as chromium:
        page = chromium.new_page(viewport={"width": 1280, "height": 720})
        outside, errors = [], []
        page.on(
            "request",
            lambda r: None if r.url.startswith(("file:", "data:")) else outside.append(r.url),
        )
        page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: errors.append(str(e)))
        for path in notebooks.book_notebooks():
            page.goto(f"file://{folder}/{path.stem}.html")
            page.wait_for_function("Reveal.isReady()")
            tall = page.evaluate(
                """() => Reveal.getSlides().map((slide, i) => {
                    Reveal.slide(i);
                    return [slide.scrollHeight, slide.innerText.slice(0, 50)];
                }).filter(([height]) => height > 720)"""
            )
            assert tall == [], f"{path.stem}: {tall}"
            shown = page.evaluate("document.querySelector('.slides').innerText")
            assert not re.search(r"\$[^$\n]+\$", shown), f"{path.stem}: a formula shows raw"
    assert outside == [] and errors == []
