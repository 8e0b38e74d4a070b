"""One look for all figures of the book.

Colours have fixed meanings (:data:`COLORS`) and can be told apart with colour-blind eyes (Okabe and
Ito, 2008). A band is always a 95 % interval over runs, and the legend says over how many.
"""

from __future__ import annotations

import base64
import html
import io
import json
import uuid
from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

COLORS = {
    "train": "#0072B2",
    "validation": "#E69F00",
    "test": "#D55E00",
    "no penalty": "#6E6E6E",
    "penalty": "#009E73",
    "other": "#8C4B8C",
}
CLASS_COLORS = ("#0072B2", "#D55E00")


def use_style() -> None:
    """Set fonts, sizes and colours; in a notebook also crisp SVG figures.

    Identical data give identical figure files: SVG ids and dates are fixed.
    """
    plt.rcParams.update(
        {
            "figure.figsize": (7.2, 3.6),
            "figure.facecolor": "white",
            "figure.constrained_layout.use": True,
            "savefig.dpi": 180,
            "font.size": 11,
            "axes.titlesize": 11.5,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": "#555555",
            "axes.grid": True,
            "axes.axisbelow": True,
            "axes.prop_cycle": plt.cycler(color=list(COLORS.values())),
            "grid.color": "#E3E3E3",
            "grid.linewidth": 0.8,
            "lines.linewidth": 1.8,
            "legend.frameon": False,
            "legend.fontsize": 10,
            "legend.title_fontsize": 9,
            "svg.hashsalt": "regularization-book",
            "svg.fonttype": "path",
        }
    )
    try:
        from IPython import get_ipython
        from matplotlib_inline.backend_inline import set_matplotlib_formats
    except ImportError:
        return
    if get_ipython() is not None:
        set_matplotlib_formats("svg", metadata={"Date": None})


def interval_line(
    ax: Axes,
    frame: pd.DataFrame,
    x: str,
    *,
    value: str = "value",
    label: str = "",
    color: str | None = None,
    marker: str | None = None,
    linestyle: str = "-",
    positions: Callable[[pd.Index], np.ndarray] | None = None,
) -> None:
    """Draw the mean over runs against ``x``, with its 95 % interval (Student's t) as a band.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    frame : pandas.DataFrame
        One row a run and value of ``x``.
    x, value : str
        Columns for the two axes.
    label, color, marker, linestyle : str
        As in ``ax.plot``.
    positions : callable, optional
        Places on the axis for the values of ``x``, see :func:`log_axis_with_zero`.
    """
    groups = frame.groupby(x)[value]
    mean, n = groups.mean(), groups.count()
    half = stats.t.ppf(0.975, np.maximum(n - 1, 1)) * groups.std().fillna(0) / np.sqrt(n)
    places = mean.index.to_numpy() if positions is None else positions(mean.index)
    (line,) = ax.plot(places, mean, label=label, color=color, marker=marker, linestyle=linestyle)
    ax.fill_between(places, mean - half, mean + half, color=line.get_color(), alpha=0.2, lw=0)


def band_legend(ax: Axes, n: int, over: str = "seeds", **options: object) -> None:
    """Add the legend, and say in it what the bands are.

    Parameters
    ----------
    ax : Axes
        Where the labelled lines are.
    n : int
        Number of runs behind each mean.
    over : str
        What was repeated: "seeds", "draws of the data", …
    **options
        Passed to ``ax.legend``.
    """
    legend = ax.legend(title=f"band: 95 % interval, {n} {over}", **options)
    legend.get_title().set_color("#555555")


def learning_curves(
    ax: Axes,
    history: pd.DataFrame,
    metric: str,
    *,
    splits: Sequence[str] = ("train", "validation"),
    suffix: str = "",
    linestyle: str = "-",
    colors: dict[str, str] | None = None,
) -> None:
    """Draw a metric against epochs, one line a split, each with its band over runs.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    history : pandas.DataFrame
        Tidy history with ``epoch``, ``split``, ``metric`` and ``value``, of one or more runs.
    metric : str
        Which metric to draw.
    splits : sequence of str
        Which splits to draw.
    suffix, linestyle : str
        Added to the labels; style of the lines.
    colors : dict, optional
        Colour of each split, where the fixed one isn't wanted.

    Raises
    ------
    ValueError
        When the history has no such metric or split.
    """
    for split in splits:
        rows = history[(history["metric"] == metric) & (history["split"] == split)]
        if rows.empty:
            have = history[["split", "metric"]].drop_duplicates().to_records(index=False).tolist()
            raise ValueError(f"learning_curves: no {metric!r} on {split!r}; there are {have}")
        color = (colors or COLORS).get(split)
        interval_line(ax, rows, "epoch", label=split + suffix, color=color, linestyle=linestyle)
    ax.set(xlabel="epoch", ylabel=metric.replace("_", " "))


def log_axis_with_zero(ax: Axes, values: Sequence[float], name: str) -> Callable:
    """Give an axis a logarithmic scale with a place for 0 at its left end.

    Parameters
    ----------
    ax : Axes
        Whose horizontal axis is set.
    values : sequence of float
        The values to be shown, >= 0.
    name : str
        Label of the axis.

    Returns
    -------
    callable
        Turns values into places on the axis.

    Raises
    ------
    ValueError
        When a value is negative or none is positive.
    """
    values = np.unique(np.asarray(values, float))
    if values[0] < 0 or values[-1] <= 0:
        raise ValueError(f"log_axis_with_zero: values must be >= 0 and not all 0, not {values}")
    positive = values[values > 0]
    zero_place = positive[0] / (positive[1] / positive[0] if len(positive) > 1 else 10)

    def places(index):
        index = np.asarray(index, float)
        return np.where(index == 0, zero_place, index)

    ax.set_xscale("log")
    ax.set_xlabel(name)
    if values[0] == 0:
        decades = 10.0 ** np.arange(
            np.ceil(np.log10(positive[0])), np.floor(np.log10(positive[-1])) + 1
        )
        labels = [rf"$10^{{{int(np.round(np.log10(d)))}}}$" for d in decades]
        ax.set_xticks([zero_place, *decades], ["0", *labels])
        ax.minorticks_off()
    return places


def decision_boundary(
    ax: Axes,
    predict: Callable[[np.ndarray], np.ndarray],
    x: np.ndarray,
    y: np.ndarray,
    *,
    x_test: np.ndarray | None = None,
    y_test: np.ndarray | None = None,
    title: str = "",
    resolution: int = 100,
) -> None:
    """Draw the predicted probability over the plane, its 0.5 line, and the points.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    predict : callable
        Turns rows of shape (n, 2) into probabilities of class 1, shape (n,).
    x, y : ndarray, shapes (n, 2) and (n,)
        Training points (large) and their classes.
    x_test, y_test : ndarray, optional
        Test points (small).
    title : str
        Title of the panel.
    resolution : int
        Points of the grid along each side.
    """
    everything = x if x_test is None else np.concatenate([x, x_test])
    low, high = everything.min(axis=0) - 0.35, everything.max(axis=0) + 0.35
    first, second = (np.linspace(low[i], high[i], resolution) for i in (0, 1))
    plane = np.stack(np.meshgrid(first, second), axis=-1).reshape(-1, 2).astype("float32")
    probability = predict(plane).reshape(resolution, resolution)
    ax.pcolormesh(
        first, second, probability, cmap="RdBu_r", vmin=-0.4, vmax=1.4, shading="auto",
        rasterized=True,
    )  # fmt: skip
    if probability.min() < 0.5 < probability.max():
        ax.contour(first, second, probability, levels=[0.5], colors="#222222", linewidths=1.6)
    markers = ("o", "^")
    for label, (color, marker) in enumerate(zip(CLASS_COLORS, markers, strict=True)):
        if x_test is not None:
            rows = x_test[y_test == label]
            ax.scatter(*rows.T, s=9, color=color, marker=marker, alpha=0.55, linewidths=0)
        rows = x[y == label]
        ax.scatter(*rows.T, s=42, color=color, marker=marker, edgecolors="white", linewidths=0.9)
    ax.set(title=title, xticks=[], yticks=[])


def image_grid(
    images: np.ndarray, titles: Sequence[str] | None = None, *, columns: int = 8, size: float = 0.95
) -> Figure:
    """Show images side by side.

    Parameters
    ----------
    images : ndarray, shape (n, height, width) or (n, height, width, 3)
        Values in 0 … 1; grey images are shown dark on white.
    titles : sequence of str, optional
        One title an image.
    columns : int
        Images in a row.
    size : float
        Side of an image, in inches.

    Returns
    -------
    Figure
        The figure, so that a title can be added.
    """
    rows = -(-len(images) // columns)
    height = size * (1.3 if titles is not None else 1.05)
    figure, axes = plt.subplots(rows, columns, figsize=(size * columns, height * rows))
    for i, ax in enumerate(np.atleast_1d(axes).flat):
        ax.axis("off")
        if i < len(images):
            ax.imshow(images[i], cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
            if titles is not None:
                ax.set_title(titles[i], fontsize=9, fontweight="normal", loc="center")
    return figure


# The text isn't read out while the frames run: it would never end.
PLAY = """
  const button = box.querySelector("button");
  let timer = null;
  function stop() {
    clearInterval(timer);
    timer = null;
    button.textContent = "Play";
    box.querySelector("p").setAttribute("aria-live", "polite");
  }
  function show(i) {
    range.value = i;
    range.dispatchEvent(new Event("input"));
  }
  button.addEventListener("click", function () {
    if (timer) return stop();
    button.textContent = "Pause";
    box.querySelector("p").setAttribute("aria-live", "off");
    if (range.value === range.max) show(0);
    timer = setInterval(function () {
      if (range.value === range.max) return stop();
      show(Number(range.value) + 1);
    }, PAUSE);
  });"""


class Slider:
    """Pictures behind a slider that works without a kernel, a server or a network.

    Parameters
    ----------
    draw : callable
        ``draw(i)`` returns the figure of frame ``i``; it is closed afterwards.
    values : sequence of str
        What the slider reads at each frame.
    label : str
        Name of the slider.
    alternatives : sequence of str
        A sentence for each frame that says what it shows, for those who don't see it.
    start : int
        Frame shown first; also the picture where scripts don't run.
    frames_per_second : float, optional
        Speed of a *Play* button; without it there is none.
    """

    def __init__(
        self,
        draw: Callable[[int], Figure],
        values: Sequence[str],
        label: str,
        alternatives: Sequence[str],
        start: int = 0,
        frames_per_second: float | None = None,
    ) -> None:
        if len(values) != len(alternatives) or not 0 <= start < len(values):
            raise ValueError(
                f"Slider: {len(values)} values, {len(alternatives)} alternatives, start {start}: "
                "give one alternative a value, and a start among them"
            )
        self.values, self.label, self.alternatives = list(values), label, list(alternatives)
        self.start, self.frames_per_second = start, frames_per_second
        self.frames = [_small_png(draw(i)) for i in range(len(values))]

    def __repr__(self) -> str:
        return f"Slider({self.label}: {self.values[0]} … {self.values[-1]})"

    def _repr_html_(self) -> str:
        # The id follows from the content, so that the same run gives the same page.
        key = "slider-" + uuid.uuid5(uuid.NAMESPACE_OID, self.label + self.frames[0]).hex[:8]
        first, last = self.start, len(self.values) - 1
        speed = self.frames_per_second
        button = '<button type="button">Play</button>' if speed else ""
        play = PLAY.replace("PAUSE", str(round(1000 / speed))) if speed else ""
        content = json.dumps([self.frames, self.values, self.alternatives]).replace("</", "<\\/")
        return f"""<div class="book-slider" id="{key}">
<img src="data:image/png;base64,{self.frames[first]}" alt="{html.escape(self.alternatives[first])}"
 style="max-width:100%;height:auto">
<div>{button}
<label for="{key}-range">{html.escape(self.label)}</label>
<input id="{key}-range" type="range" min="0" max="{last}" value="{first}" step="1"
 style="width:min(24rem,70%);vertical-align:middle"
 aria-valuetext="{html.escape(self.values[first])}">
<output for="{key}-range">{html.escape(self.values[first])}</output></div>
<p aria-live="polite">{html.escape(self.alternatives[first])}</p>
<script>(function () {{
  const box = document.getElementById("{key}");
  const [frames, values, alternatives] = {content};
  const range = box.querySelector("input");
  range.addEventListener("input", function () {{
    const i = Number(range.value);
    box.querySelector("img").src = "data:image/png;base64," + frames[i];
    box.querySelector("img").alt = alternatives[i];
    box.querySelector("output").textContent = values[i];
    box.querySelector("p").textContent = alternatives[i];
    range.setAttribute("aria-valuetext", values[i]);
  }});{play}
}})();</script></div>"""


def _small_png(figure: Figure, dpi: int = 120) -> str:
    """The figure as a PNG with 64 colours, base64-coded."""
    from PIL import Image  # comes with matplotlib

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    plt.close(figure)
    small = io.BytesIO()
    Image.open(buffer).convert("RGB").quantize(64).save(small, format="PNG", optimize=True)
    return base64.b64encode(small.getvalue()).decode()
