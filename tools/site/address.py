"""Where the site stands: canonical links, the sitemap and cards for other sites come from it.

The repository's address in ``_config.yml`` is the only source, as for everything else.
"""

from __future__ import annotations

import re

from sphinx.application import Sphinx
from sphinx.config import Config


def site_address(repository: str) -> str:
    """Address of the pages that GitHub serves for a repository.

    Raises
    ------
    ValueError
        When it isn't the address of a repository there.
    """
    match = re.fullmatch(r"https://github\.com/([^/]+)/([^/]+)", repository)
    if match is None:
        raise ValueError(
            f"repository.url in _config.yml is no address of a repository: {repository}"
        )
    owner, name = match.groups()
    site = f"{owner.lower()}.github.io"
    # A repository that is named like the site is the site.
    return f"https://{site}/" if name.lower() == site else f"https://{site}/{name}/"


def _set(_app: Sphinx, config: Config) -> None:
    address = site_address(config.html_theme_options["repository_url"])
    config.html_baseurl = config.ogp_site_url = address
    config.ogp_image = f"{address}_static/card.png"


def setup(app: Sphinx) -> None:
    """Set it before other extensions ask."""
    app.connect("config-inited", _set, priority=100)
