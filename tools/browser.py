"""The Chromium on this machine, driven by Playwright, to print the book and to test the site."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def executable() -> str | None:
    """Path of a browser: one on the PATH, or the one that Playwright installed; None without."""
    from playwright.sync_api import sync_playwright

    if found := next(filter(None, map(shutil.which, NAMES)), None):
        return found
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).is_file() else None


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser, closed in the end.

    Raises
    ------
    FileNotFoundError
        When there is none.
    """
    from playwright.sync_api import sync_playwright

    path = executable()
    if path is None:
        raise FileNotFoundError(
            f"no browser on the PATH ({', '.join(NAMES)}), and none of Playwright's; for instance: "
            "apt install chromium, or playwright install chromium"
        )
    # Chromium's own sandbox refuses to work for root, as in a container.
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=[*FLAGS, *(["--no-sandbox"] if root else [])]
        )
        yield browser
        browser.close()
