"""Every page of the site in a browser: complete without a network, accessible, light."""

from __future__ import annotations

import functools
import gzip
import http.server
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from tools import browser as local
from tools import notebooks

SITE = notebooks.ROOT / "_build" / "html"
PAGES = [f"{page}.html" for page in [*notebooks.book_pages(), "genindex", "search"]]
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WIDTHS = {"desktop": 1440, "tablet": 820, "phone": 390}

pytestmark = pytest.mark.skipif(
    local.executable() is None, reason="no Chromium on the PATH to look with"
)


class Compressing(http.server.SimpleHTTPRequestHandler):
    """Serves files as hosts of static pages do: text is compressed."""

    def do_GET(self):
        file = Path(self.translate_path(self.path))
        if file.suffix not in (".html", ".css", ".js", ".svg", ".json"):
            return super().do_GET()
        if not file.is_file():
            return self.send_error(404)
        body = gzip.compress(file.read_bytes(), 6)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(file)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        return None

    def log_message(self, *_):
        pass


@contextmanager
def serving(folder):
    """Address of a static server with what is in a folder."""
    handler = functools.partial(Compressing, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_address[1]}"
        httpd.shutdown()


@pytest.fixture(scope="module")
def server():
    with serving(SITE) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    with local.chromium() as chromium:
        yield chromium


class Visit:
    """A page that is open in the browser, and what happened meanwhile."""

    def __init__(self, browser, address, **context):
        self.context = browser.new_context(**context)
        self.page = self.context.new_page()
        self.page.on("request", lambda r: self._request(r.url))
        self.page.on("requestfinished", self._finished)
        self.page.on("requestfailed", lambda r: self.errors.append(f"failed: {r.url}"))
        self.page.on("response", self._response)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda e: self.errors.append(str(e)))
        self.page.add_init_script(MEASURE)
        self.go(address)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()

    def go(self, address):
        self.outside: list[str] = []
        self.errors: list[str] = []
        self.size = 0
        # The scheme and, for a server, its host.
        http = address.startswith("http")
        self.own = "/".join(address.split("/")[:3]) + "/" if http else address.split(":")[0] + ":"
        self.page.goto(address, wait_until="load")

    def _request(self, url):
        if not url.startswith((self.own, "data:", "blob:")):
            self.outside.append(url)

    def _finished(self, request):
        if request.url.startswith("http"):
            self.size += request.sizes()["responseBodySize"]

    def _response(self, response):
        if response.status >= 400:
            self.errors.append(f"{response.status}: {response.url}")

    def _console(self, message):
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def see_all(self):
        """Scroll to the end, so that pictures that load late have loaded."""
        self.page.evaluate(
            """async () => {
                for (let y = 0; y < document.body.scrollHeight; y += 2000) {
                    scrollTo(0, y);
                    await new Promise(requestAnimationFrame);
                }
                await Promise.all([...document.images].map(
                    i => i.complete || new Promise(r => { i.onload = i.onerror = r; })));
                scrollTo(0, 0);
            }"""
        )


MEASURE = """
window.shift = 0;
new PerformanceObserver(list => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
}).observe({type: "layout-shift", buffered: true});
"""


@pytest.fixture(scope="module")
def from_disk(browser):
    """A visit that goes from page to page: most of what a visit takes is to begin it."""
    with Visit(browser, "about:blank", viewport={"width": 1440, "height": 900}) as visit:
        yield visit


@pytest.mark.parametrize("name", PAGES)
def test_page_works_from_disk(from_disk, name):
    from_disk.go((SITE / name).as_uri())
    from_disk.see_all()
    assert from_disk.page.evaluate(MISSING_IMAGES) == []
    assert from_disk.page.evaluate(UNRENDERED_FORMULAS) == []
    assert from_disk.outside == [] and from_disk.errors == []
    from_disk.go("about:blank")


@pytest.mark.parametrize("name", PAGES)
def test_page_is_light_stands_still_and_is_accessible(browser, server, name):
    with Visit(browser, f"{server}/{name}", viewport={"width": 1440, "height": 900}) as visit:
        visit.page.wait_for_timeout(200)
        shift = visit.page.evaluate("window.shift")
        visit.see_all()
        assert visit.size <= 1.5 * 2**20, f"{visit.size / 2**20:.2f} MiB"
        assert shift < 0.01
        visit.page.emulate_media(reduced_motion="reduce", color_scheme="light")
        assert too_wide(visit.page, "desktop") == []
        visit.page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        visit.page.evaluate("document.documentElement.dataset.theme = 'dark'")
        for device in ("tablet", "phone", "desktop"):
            assert too_wide(visit.page, device) == [], device
        visit.page.evaluate(LEAVE_OUT_REPEATED_CODE)
        for theme in ("dark", "light"):
            visit.page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
            assert barriers(visit.page) == [], theme
        assert visit.outside == [] and visit.errors == []


def barriers(page):
    """What axe-core finds against WCAG 2.2 AA, with some of the places."""
    options = {"runOnly": WCAG, "resultTypes": ["violations"], "preload": False}
    found = Axe().run(page, options=options)
    return [
        (violation["id"], node["target"], node["failureSummary"][:300])
        for violation in found.response["violations"]
        for node in violation["nodes"][:4]
    ]


def too_wide(page, device):
    """What sticks out of the window to the right and can't be scrolled to."""
    page.set_viewport_size({"width": WIDTHS[device], "height": 844})
    return page.evaluate(STICKING_OUT)


# axe-core is most of what these tests take, and most of that is code: thousands of words in a dozen
# colours. So of the words in a block that look alike, one keeps its element, which axe then sees.
LEAVE_OUT_REPEATED_CODE = """() => {
    const repeated = [];
    for (const block of document.querySelectorAll("pre, dt")) {
        const seen = new Set();
        for (const word of block.querySelectorAll("span")) {
            const {color, backgroundColor, font, opacity, textShadow} = getComputedStyle(word);
            const look = [word.className, word.parentElement.className,
                          color, backgroundColor, font, opacity, textShadow].join();
            if (word.children.length || word.attributes.length > 1) continue;
            if (seen.has(look)) repeated.push(word);
            seen.add(look);
        }
    }
    // Only now, since each change makes the browser work out all styles again.
    for (const word of repeated) word.replaceWith(word.textContent);
    document.body.normalize();
}"""
MISSING_IMAGES = "[...document.images].filter(i => !i.naturalWidth).map(i => i.src)"
UNRENDERED_FORMULAS = """
[...document.querySelectorAll("article .math")].filter(m => !m.querySelector("math"))
    .concat([...document.querySelectorAll("article merror")]).map(m => m.textContent)
"""
STICKING_OUT = """() => {
    const width = document.documentElement.clientWidth;
    const scrolls = element => {
        for (let e = element; e && e !== document.body; e = e.parentElement)
            if (["auto", "scroll", "hidden"].includes(getComputedStyle(e).overflowX)) return true;
        return false;
    };
    const found = [...document.querySelectorAll("article *, footer *")]
        .filter(e => e.getBoundingClientRect().right > width + 1 && !scrolls(e));
    return found.map(e => e.outerHTML.slice(0, 120)).slice(0, 5);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_theme_follows_the_system(browser, scheme):
    address = (SITE / "book/index.html").as_uri()
    with Visit(browser, address, color_scheme=scheme) as visit:
        assert visit.page.evaluate("document.documentElement.dataset.theme") == scheme


@pytest.mark.parametrize("way", ["disk", "server"])
def test_text_is_set_in_the_books_fonts(browser, server, way):
    root = SITE.as_uri() if way == "disk" else server
    with Visit(browser, f"{root}/book/l1_l2.html") as visit:
        visit.page.wait_for_timeout(300)
        devtools = visit.context.new_cdp_session(visit.page)
        for domain in ("DOM", "CSS"):
            devtools.send(f"{domain}.enable")
        document = devtools.send("DOM.getDocument")["root"]["nodeId"]
        used = []
        for selector in ("article h1", "article section > p", "article p em"):
            query = {"nodeId": document, "selector": selector}
            node = devtools.send("DOM.querySelector", query)["nodeId"]
            fonts = devtools.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
            used.append(fonts[0]["familyName"].partition(" 4")[0])
        assert used == ["Inter", "Source Serif", "Source Serif"]


SLIDERS = {
    "l1_l2": "Strength λ",
    "dropout": "Dropout rate",
    "data_augmentation": "Strength",
    "early_stopping": "Patience",
    "optimizers": "step",
}


@pytest.mark.parametrize("name", SLIDERS)
def test_slider_works_by_keyboard_and_tells_what_it_shows(browser, name):
    address = (SITE / f"book/{name}.html").as_uri()
    phone = {"width": 390, "height": 844}
    with Visit(browser, address, viewport=phone, color_scheme="dark") as visit:
        box = visit.page.locator(".book-slider")
        assert len(box.evaluate("e => e.outerHTML")) < 400 * 1024
        slider = box.get_by_role("slider", name=SLIDERS[name])

        def shown():
            image, text = box.locator("img"), box.locator("p").text_content()
            assert image.get_attribute("alt") == text and len(text) > 40
            assert slider.get_attribute("aria-valuetext") == box.locator("output").text_content()
            return image.get_attribute("src"), text

        slider.focus()
        visit.page.keyboard.press("Home")
        first = shown()
        visit.page.keyboard.press("ArrowRight")
        assert first[0] != shown()[0] and first[1] != shown()[1]
        # The picture stands on the page's own ground, which the dark theme turns round.
        ground = "e => getComputedStyle(e.closest('.output')).backgroundColor"
        assert box.evaluate(ground) == "rgba(0, 0, 0, 0)"
        assert slider.bounding_box()["height"] >= 24 and slider.bounding_box()["width"] > 200
        assert visit.errors == []


def test_quiz_answers_at_once_and_by_keyboard(browser):
    with Visit(browser, (SITE / "book/dropout.html").as_uri()) as visit:
        first = visit.page.locator("fieldset.quiz").first
        choices, status = first.locator("input"), first.locator("[role=status]")
        assert status.text_content() == "" and not first.locator("details").get_attribute("open")
        right = first.locator("details p strong").first.text_content()[0]
        seen = []
        choices.nth(0).focus()
        for _ in range(3):  # round to the first option again
            visit.page.keyboard.press("ArrowDown")
            letter = first.locator("input:checked").get_attribute("value")
            kind, says = ("right", "Right.") if letter == right else ("wrong", f"Not {letter}.")
            assert status.text_content().startswith(says)
            assert first.locator("label.right, label.wrong").count() == 1
            assert first.locator(f"label.{kind} input").get_attribute("value") == letter
            assert first.locator("details p").first.is_visible()
            seen.append(letter)
        assert seen == ["B", "C", "A"]
        # Choosing in one question touches no other.
        visit.page.locator("fieldset.quiz").nth(1).locator("input").nth(1).check()
        assert first.locator("input:checked").get_attribute("value") == "A"
        assert visit.errors == []


def test_search_finds_what_a_notebook_says(browser, server):
    with Visit(browser, f"{server}/search.html?q=patience") as visit:
        visit.page.wait_for_selector("#search-results li a")
        hits = visit.page.locator("#search-results li a").all_text_contents()
        assert any("Early stopping" in hit for hit in hits), hits
        assert visit.outside == [] and visit.errors == []


def test_faults_are_seen(browser, tmp_path):
    """What the tests above look for, planted in a page."""
    page = """<!doctype html><html lang="en"><title>t</title><body><article><h1>t</h1>
        <img src="none.png" alt=""><img src="http://localhost:9/x.png" alt="x">
        <p style="color: #bbb; background: #fff">pale</p><span class="math">\\(x\\)</span>
        <style>pre span:last-child { color: #bbb }</style><pre style="background: #fff"><span
        class="k">if</span> <span class="k">else</span> <span class="k">pale</span></pre>
        <p style="width: 3000px">wide</p><script>console.error("no"); setTimeout(() =>
        document.querySelector("h1").style.marginTop = "300px", 100)</script>
        </article></body></html>"""
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "t.html").write_text(page, encoding="utf-8")
    with serving(tmp_path) as server:
        for address in ((tmp_path / "book/t.html").as_uri(), f"{server}/book/t.html"):
            with Visit(browser, address) as visit:
                visit.page.wait_for_timeout(300)
                assert visit.page.evaluate("window.shift") > 0.01
                assert visit.outside == ["http://localhost:9/x.png"]
                assert "no" in visit.errors and any("none.png" in e for e in visit.errors)
                visit.page.evaluate(LEAVE_OUT_REPEATED_CODE)
                assert visit.page.locator("pre span").all_text_contents() == ["if", "pale"]
                rules = [rule for rule, *_ in barriers(visit.page)]
                assert rules.count("color-contrast") == 2
                assert len(visit.page.evaluate(MISSING_IMAGES)) == 2
                assert visit.page.evaluate(UNRENDERED_FORMULAS) == ["\\(x\\)"]
                assert too_wide(visit.page, "phone") != []
