"""The committed notebooks: readable everywhere, in date, and complete. Runs none of them."""

from __future__ import annotations

import ast
import collections
import copy
import functools
import re
from collections.abc import Callable

import nbformat
import pytest

from tools import notebooks, solutions

PATHS = notebooks.book_notebooks()
MAX_LINES, MAX_WIDTH, MAX_BYTES, MIN_ALT, MIN_EXERCISES, MIN_QUESTIONS = (
    25,
    100,
    3_000_000,
    40,
    6,
    3,
)

# What Colab or GitHub would show as it is typed.
MYST = {
    "directive": r"(?m)^\s*(?:`{3,}|~{3,}|:{3,})\s*\{",
    "colon fence": r"(?m)^\s*:{3,}",
    "role": r"\{[A-Za-z][\w:+.-]*\}`",
    "label": r"(?m)^\([\w-]+\)=\s*$",
    "substitution": r"\{\{",
    "attribute": r"\{[#.][\w-]+[^}]*\}",
    "comment": r"(?m)^%\s",
    "block break": r"(?m)^\+\+\+",
    "empty link": r"\[\]\(",
    "definition list": r"(?m)^:\s+\S",
    "footnote": r"\[\^[\w-]+\]",
    "equation outside dollars": r"\\begin\{",
}
CODE = r"(?ms)^(`{3,}|~{3,})[^`~{\n]*\n.*?^\1\s*$|(?<![`}])`[^`\n]+`"
MATH = r"(?s)\$\$.+?\$\$|\$[^$\n]+?\$"


def myst_syntax(nb: nbformat.NotebookNode) -> list[str]:
    problems = []
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            text = re.sub(MATH, "x", re.sub(CODE, "x", cell.source))
            found = [name for name, pattern in MYST.items() if re.search(pattern, text)]
            problems += [f"cell {cell.id}: MyST {name}" for name in found]
    return problems


def stale_outputs(nb: nbformat.NotebookNode) -> list[str]:
    return [] if notebooks.is_fresh(nb) else ["outputs are out of date: run `make execute`"]


def bad_execution(nb: nbformat.NotebookNode) -> list[str]:
    cells = notebooks.code_cells(nb)
    counts = [cell.execution_count for cell in cells]
    problems = []
    if counts != list(range(1, len(cells) + 1)):
        problems.append(f"not run from top to bottom: execution counts {counts}")
    for cell in cells:
        for output in cell.outputs:
            if output.output_type == "error":
                problems.append(f"cell {cell.id}: {output.ename}")
            if output.get("name") == "stderr":
                problems.append(f"cell {cell.id} writes to stderr: {output.text[:200]!r}")
    return problems


def wrong_setup_cell(nb: nbformat.NotebookNode) -> list[str]:
    first = notebooks.code_cells(nb)[0]
    problems = []
    if first.source != notebooks.setup_cell(notebooks.repository_url()):
        problems.append("the first code cell isn't tools.notebooks.setup_cell of _config.yml's url")
    if missing := {"setup", "hide-input"} - set(first.metadata.get("tags", [])):
        problems.append(f"the first code cell lacks the tags {sorted(missing)}")
    return problems


def long_code(nb: nbformat.NotebookNode) -> list[str]:
    problems = []
    for cell in notebooks.code_cells(nb)[1:]:
        lines = cell.source.splitlines()
        if not lines:
            problems.append(f"cell {cell.id} is empty")
        if len(lines) > MAX_LINES:
            problems.append(f"cell {cell.id} has {len(lines)} lines, more than {MAX_LINES}")
        if wide := [line for line in lines if len(line) > MAX_WIDTH]:
            problems.append(f"cell {cell.id}: over {MAX_WIDTH} characters: {wide[0]!r}")
    return problems


def undescribed_figures(nb: nbformat.NotebookNode) -> list[str]:
    problems, names = [], []
    for cell in notebooks.code_cells(nb):
        images = [o for o in cell.outputs if any(k.startswith("image/") for k in o.get("data", {}))]
        if not images:
            continue
        if len(images) > 1:
            problems.append(f"cell {cell.id} has {len(images)} images; a caption belongs to one")
        if any(output.output_type == "execute_result" for output in cell.outputs):
            problems.append(f"cell {cell.id} shows a value beside its figure: end it with ;")
        page = cell.metadata.get("mystnb", {})
        figure, alt = page.get("figure", {}), page.get("image", {}).get("alt", "")
        names.append(figure.get("name"))
        if not figure.get("caption") or not figure.get("name"):
            problems.append(f"cell {cell.id}: no mystnb.figure.caption or mystnb.figure.name")
        if len(alt) < MIN_ALT or re.fullmatch(r"\S+\.(png|svg|jpe?g)", alt):
            problems.append(f"cell {cell.id}: mystnb.image.alt doesn't say what the figure shows")
    if len(set(names)) < len(names):
        problems.append(f"two figures have the same name: {sorted(map(str, names))}")
    return problems


def stand_in_data(nb: nbformat.NotebookNode) -> list[str]:
    real = nb.metadata.get("book", {}).get("data") == "real"
    if real and notebooks.STAND_IN not in notebooks.output_text(nb):
        return []
    return [
        "the committed outputs don't come from the real data: run `make execute` with BOOK_DATA"
    ]


def no_claims_table(nb: nbformat.NotebookNode) -> list[str]:
    for cell in notebooks.code_cells(nb):
        shown = "".join(str(output.get("data", {}).get("text/html", "")) for output in cell.outputs)
        if "claims_table()" in cell.source and shown.count("<tr") > 1:
            return []
    return ["no cell shows claims_table() with at least one claim"]


def bad_quiz(nb: nbformat.NotebookNode) -> list[str]:
    """The site's script (book.js) makes questions of text in this form."""
    text = "\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown")
    text = text.partition("## Check yourself\n")[2].split("\n## ")[0]
    asked = re.split(r"(?m)^\*\*\d+\.\*\* ", text)[1:]
    problems = [] if len(asked) >= MIN_QUESTIONS else [f"{len(asked)} questions in the quiz"]
    for question in asked:
        options = re.findall(r"(?m)^- \*\*(\w)\.\*\* \S", question)
        answer = re.search(
            r"<details><summary>Answer</summary>\n\n\*\*(\w)\.\*\* .{40,}\n\n</details>", question
        )
        if not 2 < len(options) < 5 or options != list("ABCD"[: len(options)]):
            problems.append(f"options {options}: {question[:60]!r}")
        if answer is None or answer[1] not in options:
            problems.append(f"no answer among the options: {question[:60]!r}")
    return problems


def test_quizzes_dont_give_their_answers_away():
    right, longest, asked = collections.Counter(), 0, 0
    for path in PATHS:
        text = "\n".join(c.source for c in notebooks.read(path).cells if c.cell_type == "markdown")
        quiz = text.partition("## Check yourself\n")[2].split("\n## ")[0]
        for question in re.split(r"(?m)^\*\*\d+\.\*\* ", quiz)[1:]:
            options = dict(re.findall(r"(?m)^- \*\*(\w)\.\*\* (.+)", question))
            answer = re.search(r"</summary>\n\n\*\*(\w)", question)[1]
            right[answer] += 1
            longest += len(options[answer]) == max(map(len, options.values()))
            asked += 1
    assert asked >= 3 * len(PATHS)
    assert max(right.values()) < asked / 2 and longest < asked / 2


def few_exercises(nb: nbformat.NotebookNode) -> list[str]:
    text = "\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown")
    text = text.partition("\n## Exercises\n")[2]
    asked = re.split(r"(?m)^(?:\*\*Level \d\.\*\* )?\d+\\?\. ", text.split("\n## ")[0])[1:]
    problems = [] if len(asked) >= MIN_EXERCISES else [f"{len(asked)} exercises"]
    problems += [f"no level {n}" for n in (1, 2, 3) if f"**Level {n}.**" not in text]
    problems += [f"no solution: {a[:60]!r}" for a in asked if a.count("<details>") != 1]
    for code in solutions.solutions(text):
        try:
            ast.parse(code)
        except SyntaxError as error:
            problems.append(f"solution isn't Python: {error}")
    return problems


def _plain(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", title.replace("{", "").replace("}", "").lower()).strip()


@functools.cache
def bibliography_titles() -> frozenset[str]:
    text = (notebooks.ROOT / "book" / "references.bib").read_text(encoding="utf-8")
    return frozenset(
        _plain(title) for title in re.findall(r"(?m)^\s*title\s*=\s*\{(.*)\},?$", text)
    )


def missing_in_bibliography(nb: nbformat.NotebookNode) -> list[str]:
    """Titles (in italics) under "Further reading" that the bibliography hasn't."""
    text = "\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown")
    titles = re.findall(
        r"(?<!\*)\*([^*\n]{12,})\*(?!\*)", text.partition("\n## Further reading")[2]
    )
    return [
        f"not in references.bib: {title}"
        for title in titles
        if not any(known.startswith(_plain(title)) for known in bibliography_titles())
    ]


CHECKS: list[Callable[[nbformat.NotebookNode], list[str]]] = [
    myst_syntax,
    stale_outputs,
    bad_execution,
    wrong_setup_cell,
    long_code,
    undescribed_figures,
    stand_in_data,
    no_claims_table,
    bad_quiz,
    few_exercises,
    missing_in_bibliography,
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_notebook(path, check):
    assert check(notebooks.read(path)) == []


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_notebook_is_valid_and_small(path):
    nb = notebooks.read(path)
    nbformat.validate(nb)
    assert path.stat().st_size <= MAX_BYTES
    # Colab and Binder are small.
    assert nb.metadata["book"]["memory"] <= 4096


def test_figure_names_are_unique_in_the_book():
    names = [
        cell.metadata["mystnb"]["figure"]["name"]
        for path in PATHS
        for cell in notebooks.code_cells(notebooks.read(path))
        if "figure" in cell.metadata.get("mystnb", {})
    ]
    assert sorted(names) == sorted(set(names))


def test_every_notebook_is_in_the_table_of_contents():
    assert sorted(PATHS) == sorted((notebooks.ROOT / "book").glob("*.ipynb"))
    assert PATHS


# Each check has to see the fault that it is there for.


@pytest.fixture
def good():
    """A small notebook that passes all checks."""
    v = nbformat.v4
    page = {
        "figure": {"name": "fig-a", "caption": "Test error over the penalty."},
        "image": {"alt": "A line falls to a minimum at 0.001 and rises again to the right."},
    }
    image = v.new_output("display_data", {"image/png": "AA=="})
    table = v.new_output("execute_result", {"text/html": "<table><tr></tr><tr></tr></table>"})
    exercise = "\n\n{}. Why?\n\n<details><summary>Solution</summary>\n\nSo.\n\n</details>"
    numbers = ["**Level 1.** 1", "2\\", "**Level 2.** 3", "4\\", "**Level 3.** 5", "6\\"]
    question = (
        "\n\n**{}.** Why?\n\n- **A.** Since.\n- **B.** Not so.\n- **C.** Who knows.\n\n"
        "<details><summary>Answer</summary>\n\n"
        "**B.** Because it is as it is, here and now, and always.\n\n</details>"
    )
    quiz = "## Check yourself\n" + "".join(question.format(n) for n in (1, 2, 3))
    exercises = f"{quiz}\n\n## Exercises\n" + "".join(exercise.format(n) for n in numbers)
    nb = v.new_notebook(
        cells=[
            v.new_markdown_cell("# Title\n\n$a_{{1}}$, `{role}`, **bold**\n\n$$\\begin{aligned}$$"),
            v.new_code_cell(
                notebooks.setup_cell(notebooks.repository_url()),
                metadata={"tags": ["setup", "hide-input"]},
            ),
            v.new_code_cell("plot()", metadata={"mystnb": page}, outputs=[image]),
            v.new_code_cell("claims_table()", outputs=[table]),
            v.new_markdown_cell(exercises),
            v.new_markdown_cell(
                "# End\n\n## Further reading\n\n- Zou, Hastie (2005), *Regularization and variable "
                "selection via the elastic net*, JRSS B."
            ),
        ]
    )
    for count, cell in enumerate(notebooks.code_cells(nb), start=1):
        cell.execution_count = count
    nb.metadata["book"] = {"digest": notebooks.digest(nb), "data": "real"}
    return nb


def test_a_good_notebook_passes(good):
    assert [problem for check in CHECKS for problem in check(good)] == []


@pytest.mark.parametrize(
    "text",
    [
        "```{note}\nx\n```",
        ":::{tip}\nx\n:::",
        "see {cite}`a`",
        "see {numref}`fig-a`",
        "(label)=\n# Title",
        "{{ name }}",
        "text {.class}",
        "% comment",
        "+++",
        "[](other.md)",
        "term\n: meaning",
        "a[^1]",
        "\\begin{align}\na\n\\end{align}",
        "`code` and $x$ before {doc}`a`",
    ],
)
def test_myst_is_seen(good, text):
    good.cells[0].source = text
    assert myst_syntax(good)


def test_python_code_is_not_myst(good):
    good.cells[0].source = "```python\nd = {{1}}\n```\nand `{x}` with `f'{{y}}'`"
    assert myst_syntax(good) == []


def test_changed_code_is_seen(good):
    good.cells[2].source += "; changed"
    assert stale_outputs(good)


def _plant(nb: nbformat.NotebookNode, fault: str) -> None:
    cell = nb.cells[2]
    if fault == "order":
        cell.execution_count = 9
    elif fault == "error":
        cell.outputs.append(nbformat.v4.new_output("error", ename="ValueError", evalue=""))
    elif fault == "stderr":
        cell.outputs.append(nbformat.v4.new_output("stream", name="stderr", text="Warning"))
    elif fault == "url":
        nb.cells[1].source = nb.cells[1].source.replace("github.com", "example.org")
    elif fault == "tags":
        nb.cells[1].metadata["tags"] = []
    elif fault == "lines":
        cell.source = "x\n" * (MAX_LINES + 1)
    elif fault == "width":
        cell.source = "x" * (MAX_WIDTH + 1)
    elif fault == "alt":
        del cell.metadata["mystnb"]["image"]
    elif fault == "path as alt":
        cell.metadata["mystnb"]["image"]["alt"] = "_build/images/" + "0" * 40 + ".png"
    elif fault == "caption":
        del cell.metadata["mystnb"]["figure"]
    elif fault == "two images":
        cell.outputs *= 2
    elif fault == "same name":
        nb.cells.append(copy.deepcopy(cell))
    elif fault == "stand-in":
        text = f"{notebooks.STAND_IN}: digits"
        cell.outputs.append(nbformat.v4.new_output("stream", name="stdout", text=text))
    elif fault == "not real":
        nb.metadata["book"]["data"] = "stand-in"
    elif fault == "no claims":
        nb.cells[3].outputs = []
    elif fault == "two questions":
        nb.cells[4].source = nb.cells[4].source.replace("**2.** ", "")
    elif fault == "no such option":
        nb.cells[4].source = nb.cells[4].source.replace("**B.** Bec", "**D.** Bec", 1)
    elif fault == "no explanation":
        nb.cells[4].source = nb.cells[4].source.replace(
            "Because it is as it is, here and now", "So", 1
        )
    elif fault == "two options":
        nb.cells[4].source = nb.cells[4].source.replace("- **C.** Who knows.\n", "", 1)
    elif fault == "five exercises":
        nb.cells[4].source = nb.cells[4].source.rpartition("\n\n6")[0]
    elif fault == "no level":
        nb.cells[4].source = nb.cells[4].source.replace("Level 2", "Level 1")
    elif fault == "no solution":
        nb.cells[4].source = nb.cells[4].source.replace("<details><summary>S", "<summary>S", 1)
    elif fault == "unknown source":
        nb.cells[5].source = nb.cells[5].source.replace("elastic net", "elastic band")
    elif fault == "no Python":
        nb.cells[4].source = nb.cells[4].source.replace("So.", "```python\n1 +\n```", 1)


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("order", bad_execution),
        ("error", bad_execution),
        ("stderr", bad_execution),
        ("url", wrong_setup_cell),
        ("tags", wrong_setup_cell),
        ("lines", long_code),
        ("width", long_code),
        ("alt", undescribed_figures),
        ("path as alt", undescribed_figures),
        ("caption", undescribed_figures),
        ("two images", undescribed_figures),
        ("same name", undescribed_figures),
        ("stand-in", stand_in_data),
        ("not real", stand_in_data),
        ("no claims", no_claims_table),
        ("two questions", bad_quiz),
        ("no such option", bad_quiz),
        ("no explanation", bad_quiz),
        ("two options", bad_quiz),
        ("five exercises", few_exercises),
        ("no level", few_exercises),
        ("no solution", few_exercises),
        ("no Python", few_exercises),
        ("unknown source", missing_in_bibliography),
    ],
)
def test_planted_fault_is_seen(good, fault, check):
    assert check(good) == []
    _plant(good, fault)
    assert check(good) != []
