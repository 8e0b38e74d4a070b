"""Pages that moved: their old addresses lead on to the new ones."""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx

MOVED = {"book/batch_norm_and_optimizers": ("book/batch_normalization", "book/optimizers")}

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url={first}">
<link rel="canonical" href="{address}">
<title>Moved: {title}</title>
</head>
<body>
<p>This page is now {links}.</p>
</body>
</html>
"""


def _lead_on(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.format != "html":
        return
    for old, new in MOVED.items():
        names = [f"{Path(page).name}.html" for page in new]
        titles = [app.env.titles[page].astext() for page in new]
        links = [f'<a href="{n}">{t}</a>' for n, t in zip(names, titles, strict=True)]
        text = PAGE.format(
            first=names[0],
            address=f"{app.config.html_baseurl}{new[0]}.html",
            title=titles[0],
            links=" and ".join(links),
        )
        Path(app.outdir, f"{old}.html").write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Write them when the pages are there."""
    app.connect("build-finished", _lead_on)
