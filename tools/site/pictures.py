"""Pictures that know their size before they are loaded, and are loaded when they come into view.

Without a size the text below a picture jumps when it arrives.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from PIL import Image
from sphinx.application import Sphinx

TAG = re.compile(r'<img\b[^>]*?\bsrc="(?P<source>[^"]*)"[^>]*?>')
FONTS = (
    "inter-latin-wght-normal",
    "source-serif-4-latin-wght-normal",
    "source-serif-4-latin-wght-italic",
    "source-code-pro-latin-wght-normal",
)
# A plain link would be an error on a page that is opened from disk, where fonts need no fetching.
FETCH_FONTS = """<script>
if (location.protocol.startsWith("http")) for (const href of %s) {
  const link = document.createElement("link");
  Object.assign(link, {rel: "preload", as: "font", type: "font/woff2", crossOrigin: "", href});
  document.head.append(link);
}
</script>"""


def size(file: Path) -> tuple[int, int] | None:
    """Width and height of a picture in CSS pixels, None where an SVG doesn't say."""
    if file.suffix == ".svg":
        head = file.read_text(encoding="utf-8")[:2000]
        sides = [
            re.search(rf'<svg\b[^>]*?\b{s}="([\d.]+)(pt|px)?"', head) for s in ("width", "height")
        ]
        if not all(sides):
            return None
        # 72 points and 96 pixels are an inch.
        width, height = (float(s[1]) * (4 / 3 if s[2] == "pt" else 1) for s in sides)
        return round(width), round(height)
    with Image.open(file) as picture:
        return picture.size


def _complete(app: Sphinx, page: str, _template: str, context: dict[str, Any], _doctree) -> None:
    """Add size and lazy loading to the pictures of a page, and fetch its fonts first."""
    files = {name: Path(app.srcdir, file) for file, (_, name) in app.env.images.items()}
    first = True

    def mend(match: re.Match[str]) -> str:
        nonlocal first
        tag, file = match.group(), files.get(match["source"].rsplit("/", 1)[-1])
        sides = size(file) if file and file.is_file() else None
        added = "" if sides is None else f' width="{sides[0]}" height="{sides[1]}"'
        if not first:
            added += ' loading="lazy"'
        first = False
        return f"<img{added}{tag[4:]}"

    context["body"] = TAG.sub(mend, context.get("body", ""))
    fonts = [*FONTS, "stix-two-math"] if "<math" in context["body"] else FONTS
    addresses = [f"{context['content_root']}_static/fonts/{font}.woff2" for font in fonts]
    context["metatags"] = context.get("metatags", "") + FETCH_FONTS % json.dumps(addresses)


def setup(app: Sphinx) -> None:
    """Do so when a page is written."""
    app.connect("html-page-context", _complete)
