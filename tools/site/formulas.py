"""Formulas as MathML, made when the site is built.

Browsers lay MathML out themselves: no script runs, nothing moves after the page has appeared, and
screen readers know how to read it. latex2mathml converts; what it gets wrong is mended here.
"""

from __future__ import annotations

from xml.etree import ElementTree

import latex2mathml.converter
from docutils import nodes
from sphinx.application import Sphinx

NAMESPACE = "http://www.w3.org/1998/Math/MathML"
FUNCTIONS = {"log", "ln", "exp", "tanh", "sin", "cos"}
NO_SPACE = {"|", "‖", "/"}


def to_mathml(latex: str, display: str = "inline") -> str:
    """A formula as MathML.

    Parameters
    ----------
    latex : str
        As it stands between the dollar signs.
    display : {"inline", "block"}
        Within a line, or on lines of its own.

    Raises
    ------
    ValueError
        When a command is unknown. latex2mathml would print its name.
    """
    ElementTree.register_namespace("", NAMESPACE)
    formula = ElementTree.fromstring(latex2mathml.converter.convert(latex, display=display))
    formula.set("alttext", latex)
    for element in formula.iter():
        _mend(element, latex)
    return ElementTree.tostring(formula, encoding="unicode")


def _mend(element, latex):
    kind, text = element.tag.removeprefix(f"{{{NAMESPACE}}}"), element.text or ""
    if text.startswith("\\"):
        raise ValueError(f"unknown command {text} in the formula {latex}")
    if kind == "mi" and text == "±":
        element.tag = f"{{{NAMESPACE}}}mo"
    elif kind == "mi" and text in FUNCTIONS:
        element.tag = f"{{{NAMESPACE}}}mo"
        element.attrib.update(form="prefix", lspace="0", rspace="0.17em")
    elif kind == "mi" and len(text) == 1 and "Α" <= text <= "Ω":
        element.set("mathvariant", "normal")  # TeX has capital Greek letters upright.
    elif kind == "mtext":
        element.text = text.replace(" ", "\N{NO-BREAK SPACE}")  # Others vanish at its ends.
    elif kind == "mo" and text in NO_SPACE:
        # Browsers can't tell an opening bar from a closing one, and stretch both.
        element.attrib.update(stretchy="false", lspace="0", rspace="0")


def _visit_inline(translator, node):
    translator.body.append(to_mathml(node.astext()))
    raise nodes.SkipNode


def _visit_block(translator, node):
    formula = to_mathml(node.astext(), display="block")
    translator.body.append(f'<div class="math">{formula}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Make it the site's way to write formulas: ``html_math_renderer: mathml``."""
    app.add_html_math_renderer("mathml", (_visit_inline, None), (_visit_block, None))
