"""Pictures behind a slider that works without a kernel, a server or a network."""

from __future__ import annotations

import base64
import html
import io
import json
import uuid
from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

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
