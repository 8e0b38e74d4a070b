"""Figures show what the data say: intervals, places on the axis, frames of the slider."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from utils import plot

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


def test_legend_says_what_the_band_is(ax):
    ax.plot([0, 1], label="line")
    plot.band_legend(ax, 7, "draws")
    assert ax.get_legend().get_title().get_text() == "band: 95 % interval, 7 draws"


def test_learning_curves_draw_the_splits_in_their_colours(ax):
    history = pd.DataFrame(
        [(e, s, "loss", e + r) for e in (1, 2) for s in ("train", "test") for r in (0, 1)],
        columns=["epoch", "split", "metric", "value"],
    )
    plot.learning_curves(ax, history, "loss", splits=("train", "test"))
    assert [line.get_color() for line in ax.lines] == [plot.COLORS["train"], plot.COLORS["test"]]
    with pytest.raises(ValueError, match="no 'loss' on 'validation'"):
        plot.learning_curves(ax, history, "loss")


def test_zero_has_a_place_on_a_log_axis(ax):
    places = plot.log_axis_with_zero(ax, [0, 1e-3, 1e-2, 1e-1], "λ")
    np.testing.assert_allclose(places([0, 1e-3, 1e-1]), [1e-4, 1e-3, 1e-1])
    assert ax.get_xticklabels()[0].get_text() == "0"
    for values in ([-1, 1], [0, 0]):
        with pytest.raises(ValueError, match="must be >= 0 and not all 0"):
            plot.log_axis_with_zero(ax, values, "λ")


def test_boundary_lies_where_the_prediction_is_one_half(ax):
    x = np.array([[-1.0, 0], [1, 0]])
    plot.decision_boundary(ax, lambda p: 1 / (1 + np.exp(-9 * p[:, 0] + 2)), x, np.array([0, 1]))
    line = next(c for c in ax.collections if type(c).__name__ == "QuadContourSet")
    np.testing.assert_allclose(line.get_paths()[0].vertices[:, 0], 2 / 9, atol=0.02)


def test_image_grid_shows_every_image_once():
    images = np.random.default_rng(0).random((5, 4, 4))
    figure = plot.image_grid(images, list("abcde"), columns=3)
    shown = [ax.images[0].get_array() for ax in figure.axes if ax.images]
    np.testing.assert_array_equal(shown, images)
    plt.close(figure)


def test_slider_is_self_contained_and_repeatable():
    def draw(i):
        figure, ax = plt.subplots(figsize=(2, 1))
        ax.plot([0, i])
        return figure

    first, again = (
        plot.Slider(draw, ["0", "</script>"], "λ", ["flat", "steep"], start=1) for _ in range(2)
    )
    page = first._repr_html_()
    assert page == again._repr_html_()
    assert page.count("</script>") == 1
    assert 'aria-valuetext="&lt;/script&gt;"' in page
    assert 'alt="steep"' in page
    assert "http" not in page.replace("http://www.w3.org", "")
    assert "<button" not in page
    player = plot.Slider(draw, ["0", "1"], "step", ["a", "b"], frames_per_second=4)._repr_html_()
    assert player.count("<button") == 1
    assert "}, 250);" in player
    assert not plt.get_fignums()
    with pytest.raises(ValueError, match="one alternative a value"):
        plot.Slider(draw, ["0"], "λ", [])


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
