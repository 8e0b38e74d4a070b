"""One look for all figures of the book.

Colours have fixed meanings (:data:`COLORS`) and can be told apart with colour-blind eyes (Okabe and
Ito, 2008). A band is always a 95 % interval over runs, and the legend says over how many.
"""

from __future__ import annotations

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
    """
    groups = frame.groupby(x)[value]
    mean, n = groups.mean(), groups.count()
    half = stats.t.ppf(0.975, np.maximum(n - 1, 1)) * groups.std().fillna(0) / np.sqrt(n)
    (line,) = ax.plot(
        mean.index, mean, label=label, color=color, marker=marker, linestyle=linestyle
    )
    ax.fill_between(mean.index, mean - half, mean + half, color=line.get_color(), alpha=0.2, lw=0)


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
