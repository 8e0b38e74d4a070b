"""Figures show what the data say: intervals, places on the axis, frames of the slider."""

import base64
import io
import json
import re

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from PIL import Image
from scipy import stats

from utils import plot
from utils.slider import Slider

mpl.use("Agg")


@pytest.fixture
def ax():
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


def test_band_is_the_t_interval(ax):
    frame = pd.DataFrame({"x": [1, 1, 1, 2, 2, 2], "value": [1.0, 2, 6, 4, 4, 7]})
    plot.interval_line(ax, frame, "x")
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [3, 5])
    corners = ax.collections[0].get_paths()[0].vertices
    for place, values in ((1, [1.0, 2, 6]), (2, [4.0, 4, 7])):
        low, high = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
        y = corners[corners[:, 0] == place][:, 1]
        assert y.min() == pytest.approx(low)
        assert y.max() == pytest.approx(high)
    (line,), (band,) = ax.lines, ax.collections
    assert mpl.colors.same_color(band.get_facecolor()[0][:3], line.get_color())
    assert band.get_alpha() == 0.2 and band.get_linewidth() == 0


def test_a_line_is_drawn_as_asked(ax):
    frame = pd.DataFrame({"λ": [0, 0, 1, 1], "score": [1.0, 3, 5, 7]})
    style = {"label": "a", "color": "#123456", "marker": "s", "linestyle": "--"}
    plot.interval_line(ax, frame, "λ", value="score", **style)
    (line,) = ax.lines
    np.testing.assert_array_equal(line.get_xydata(), [[0, 2], [1, 6]])
    assert {name: getattr(line, f"get_{name}")() for name in style} == style
    assert mpl.colors.same_color(ax.collections[0].get_facecolor()[0][:3], "#123456")


def test_two_runs_have_the_wide_band_of_one_degree_of_freedom(ax):
    plot.interval_line(ax, pd.DataFrame({"x": [1, 1], "value": [0.0, 2.0]}), "x")
    corners = ax.collections[0].get_paths()[0].vertices
    assert corners[:, 1].max() == pytest.approx(1 + stats.t.ppf(0.975, 1))


def test_one_run_has_no_band(ax):
    plot.interval_line(ax, pd.DataFrame({"x": [1, 2], "value": [3.0, 4.0]}), "x")
    corners = ax.collections[0].get_paths()[0].vertices
    assert corners[:, 1].min() == 3 and corners[:, 1].max() == 4


def test_legend_says_what_the_band_is(ax):
    ax.plot([0, 1], label="line")
    plot.band_legend(ax, 7, "draws", frameon=False)
    assert not ax.get_legend().get_frame_on()
    assert ax.get_legend().get_title().get_text() == "band: 95 % interval, 7 draws"
    plot.band_legend(ax, 3, frameon=True)
    assert ax.get_legend().get_title().get_text() == "band: 95 % interval, 3 seeds"
    assert ax.get_legend().get_frame_on()


def test_learning_curves_draw_the_splits_in_their_colours(ax):
    history = pd.DataFrame(
        [(e, s, "loss", e + r) for e in (1, 2) for s in ("train", "test") for r in (0, 1)],
        columns=["epoch", "split", "metric", "value"],
    )
    plot.learning_curves(ax, history, "loss", splits=("train", "test"))
    assert [line.get_color() for line in ax.lines] == [plot.COLORS["train"], plot.COLORS["test"]]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss")
    assert [line.get_label() for line in ax.lines] == ["train", "test"]
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), [[1, 1.5], [2, 2.5]])
    have = re.escape("[('train', 'loss'), ('test', 'loss')]")
    message = rf"^learning_curves: no 'loss' on 'validation'; there are {have}$"
    with pytest.raises(ValueError, match=message):
        plot.learning_curves(ax, history, "loss")
    history = history.assign(metric="data_loss").replace("test", "validation")
    look = {"suffix": ", dropout", "linestyle": ":", "colors": {"train": "#111111"}}
    plot.learning_curves(ax, history, "data_loss", **look)
    assert ax.get_ylabel() == "data loss"
    assert [line.get_label() for line in ax.lines[-2:]] == ["train, dropout", "validation, dropout"]
    assert [line.get_linestyle() for line in ax.lines[-2:]] == [":", ":"]
    assert ax.lines[-2].get_color() == "#111111"


def test_boundary_lies_where_the_prediction_is_one_half(ax):
    x = np.array([[-1.0, 0], [1, 0]])
    plot.decision_boundary(ax, lambda p: 1 / (1 + np.exp(-9 * p[:, 0] + 2)), x, np.array([0, 1]))
    line = next(c for c in ax.collections if type(c).__name__ == "QuadContourSet")
    (path,) = line.get_paths()
    assert len(path) > 10 and line.levels.tolist() == [0.5]
    np.testing.assert_allclose(path.vertices[:, 0], 2 / 9, atol=0.02)
    assert mpl.colors.same_color(line.get_edgecolor(), "#222222")


def test_boundary_shows_the_whole_plane_and_all_points(ax):
    asked = []

    def predict(plane):
        asked.append(plane)
        return np.full(len(plane), 0.7, "float32")

    x, y = np.array([[-1.0, 0], [1, 0.5]]), np.array([0, 1])
    x_test, y_test = np.array([[0.0, 3], [2, 1], [0, -2]]), np.array([1, 0, 0])
    look = {"title": "panel", "resolution": 5}
    plot.decision_boundary(ax, predict, x, y, x_test=x_test, y_test=y_test, **look)
    (plane,) = asked
    assert plane.shape == (25, 2) and plane.dtype == np.float32
    # A margin of 0.35 around the points of both kinds, the first coordinate fastest.
    np.testing.assert_allclose(plane[0], [-1.35, -2.35], rtol=1e-6)
    np.testing.assert_allclose(plane[4], [2.35, -2.35], rtol=1e-6)
    np.testing.assert_allclose(plane[-1], [2.35, 3.35], rtol=1e-6)
    mesh, *points = ax.collections  # no line where the prediction never crosses one half
    # Pale, so that points stand out on it, and symmetric about one half.
    assert (mesh.get_cmap().name, mesh.get_clim()) == ("RdBu_r", (-0.4, 1.4))
    assert mesh.get_rasterized()
    np.testing.assert_array_equal(np.asarray(mesh.get_array()).ravel(), np.float32(0.7))
    wanted = [x_test[y_test == 0], x[:1], x_test[y_test == 1], x[1:]]
    for group, rows in zip(points, wanted, strict=True):
        np.testing.assert_array_equal(group.get_offsets(), rows)
    for group, color in zip(points, np.repeat(plot.CLASS_COLORS, 2), strict=True):
        assert mpl.colors.same_color(group.get_facecolor()[0][:3], color)
    sizes = [float(group.get_sizes()[0]) for group in points]
    assert sizes[0] == sizes[2] < sizes[1] == sizes[3], "training points are the large ones"
    # Not by colour alone: each class has a marker of its own.
    outlines = [group.get_paths()[0].vertices for group in points]
    assert len(outlines[0]) == len(outlines[1]) != len(outlines[2]) == len(outlines[3])
    assert ax.get_title() == "panel" and not len(ax.get_xticks()) and not len(ax.get_yticks())
    # Test points are pale, training points stand out by a white rim.
    for test, train in (points[:2], points[2:]):
        assert test.get_alpha() == 0.55 and test.get_linewidth() == 0
        assert mpl.colors.same_color(train.get_edgecolor()[0], "white")


def test_boundary_without_test_points(ax):
    x, y = np.array([[0.0, 0], [1, 1]]), np.array([0, 1])
    plot.decision_boundary(ax, lambda plane: plane[:, 0], x, y)
    assert len(ax.collections) == 4  # mesh, line, a group a class
    assert ax.collections[0].get_array().shape == (100, 100)
    assert ax.get_title() == ""


def test_image_grid_shows_every_image_once():
    plot.use_style()  # whose titles are bold and on the left; those of single images aren't
    images = np.random.default_rng(0).random((5, 4, 4))
    figure = plot.image_grid(images, list("abcde"), columns=3)
    shown = [ax.images[0].get_array() for ax in figure.axes if ax.images]
    np.testing.assert_array_equal(shown, images)
    assert [ax.get_title() for ax in figure.axes] == ["a", "b", "c", "d", "e", ""]
    assert {ax.title.get_fontweight() for ax in figure.axes[:5]} == {"normal"}
    assert not any(ax.axison for ax in figure.axes)
    for image in (ax.images[0] for ax in figure.axes if ax.images):
        assert (image.get_cmap().name, image.get_clim()) == ("gray_r", (0, 1))
        assert image.get_interpolation() == "nearest"
    np.testing.assert_allclose(figure.get_size_inches(), [0.95 * 3, 0.95 * 1.3 * 2])
    plt.close(figure)
    figure = plot.image_grid(np.zeros((9, 4, 4, 3)), size=0.5)
    np.testing.assert_allclose(figure.get_size_inches(), [0.5 * 8, 0.5 * 1.05 * 2])
    assert len(figure.axes) == 16
    plt.close(figure)


def test_slider_is_self_contained_and_repeatable():
    def draw(i):
        figure, ax = plt.subplots(figsize=(2, 1))
        ax.plot([0, i])
        return figure

    first, again = (
        Slider(draw, ["0", "</script>"], "λ", ["flat", "steep"], start=1) for _ in range(2)
    )
    page = first._repr_html_()
    assert page == again._repr_html_()
    assert first.frames[0] != first.frames[1]
    other = Slider(draw, ["0", "1"], "rate", ["flat", "steep"])._repr_html_()
    ids = [re.search(r'<div class="book-slider" id="(slider-[0-9a-f]{8})">', p)[1]
           for p in (page, other)]  # fmt: skip
    assert ids[0] != ids[1], "two sliders of one page don't share an id"
    assert page.endswith("\n  });\n})();</script></div>"), "nothing plays"
    assert page.count("</script>") == 1
    assert 'aria-valuetext="&lt;/script&gt;"' in page
    assert 'alt="steep"' in page
    assert "http" not in page.replace("http://www.w3.org", "")
    assert "<button" not in page and "<div>\n<label" in page
    player = Slider(draw, ["0", "1"], "step", ["a", "b"], frames_per_second=0.5)._repr_html_()
    assert player.count('<div><button type="button">Play</button>\n<label') == 1
    assert "}, 2000);" in player
    assert repr(first) == "Slider(λ: 0 … </script>)"
    # Frame 1 is shown; the range, the picture, its text and the reading agree on it.
    assert f'src="data:image/png;base64,{first.frames[1]}"' in page
    assert 'type="range" min="0" max="1" value="1"' in page
    assert '<p aria-live="polite">steep</p>' in page
    assert "&lt;/script&gt;</output>" in page
    frames = json.loads(re.search(r"= (\[\[.*\]\]);", page)[1].replace("<\\/", "</"))
    assert frames == [first.frames, ["0", "</script>"], ["flat", "steep"]]
    pixels = Image.open(io.BytesIO(base64.b64decode(first.frames[1])))
    assert pixels.size == (240, 120) and pixels.mode == "P"
    assert 'value="0"' in player and 'alt="a"' in player
    assert not plt.get_fignums()
    for values, alternatives, start in ((["0"], [], 0), (["0"], ["a"], 1), (["0"], ["a"], -1)):
        with pytest.raises(ValueError, match=r"^Slider: 1 values, . alternatives, start .*: give "):
            Slider(draw, values, "λ", alternatives, start)


def test_style_makes_repeatable_svg(tmp_path):
    plot.use_style()
    files = []
    for name in ("a.svg", "b.svg"):
        figure, ax = plt.subplots()
        ax.plot([1, 2], label="line")
        ax.legend()
        figure.savefig(tmp_path / name, metadata={"Date": None})
        plt.close(figure)
        files.append((tmp_path / name).read_bytes())
    assert files[0] == files[1]


def test_style_is_quiet_and_has_the_books_colours():
    plot.use_style()
    figure, ax = plt.subplots()
    lines = [ax.plot([0, 1])[0].get_color() for _ in plot.COLORS]
    assert lines == list(plot.COLORS.values())
    assert mpl.colors.same_color(figure.get_facecolor(), "white")
    shown = {side: spine.get_visible() for side, spine in ax.spines.items()}
    assert shown == {"left": True, "bottom": True, "top": False, "right": False}
    assert all(line.get_visible() for line in ax.get_xgridlines()) and ax.get_axisbelow()
    ax.set_title("what the figure says", loc=None)
    assert ax.get_title(loc="left") == "what the figure says"
    assert not ax.legend(["a"]).get_frame_on()
    assert figure.get_layout_engine() is not None
    plt.close(figure)


def test_outside_a_notebook_no_shell_is_set_up(monkeypatch):
    calls = []
    monkeypatch.setattr("IPython.get_ipython", lambda: None)
    monkeypatch.setattr(
        "matplotlib_inline.backend_inline.set_matplotlib_formats", lambda *a, **k: calls.append(a)
    )
    plot.use_style()
    assert calls == []


def test_in_a_notebook_figures_are_svg_without_a_date_and_cut_to_what_they_show():
    shell = InteractiveShell.instance()
    try:
        plot.use_style()
        figure = plt.figure(figsize=(10, 10))
        figure.add_axes([0.5, 0.5, 0.01, 0.01])
        shown, _ = shell.display_formatter.format(figure)
    finally:
        plt.close("all")
        InteractiveShell.clear_instance()
    assert set(shown) == {"text/plain", "image/svg+xml"}
    assert "<dc:date>" not in shown["image/svg+xml"]
    width = re.search(r'<svg [^>]*width="([\d.]+)pt"', shown["image/svg+xml"])[1]
    assert float(width) < 100
