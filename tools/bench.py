"""Measure the engine's speed, side by side in one run: ``make bench``.

Each comparison runs its arms in turn, several times over, so that what else the machine does falls
on all of them. What counts is the ratio within a round. ``tools/bench.json`` keeps each part's
medians and ranges as soon as it is done; the status page shows them.
"""

from __future__ import annotations

import argparse
import datetime
import functools
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from tools import notebooks, status

PACKAGES = ("tensorflow", "keras", "numpy")
# JAX is no dependency of the book: `make bench` gives it an environment of its own.
JAX = Path(os.environ.get("JAX_PYTHON", notebooks.ROOT / ".venv-jax" / "bin" / "python"))


def seconds(action: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def rounds(arms: dict[str, Callable[[], float]], repetitions: int) -> dict[str, np.ndarray]:
    """Each arm's value in each round; an arm returns its own value, in whatever unit."""
    found = {name: [] for name in arms}
    for _ in tqdm(range(repetitions), leave=False):
        for name, arm in arms.items():
            found[name].append(arm())
    return {name: np.array(values) for name, values in found.items()}


def row(what: str, values: np.ndarray, unit: str) -> dict:
    """A line of the table: median and range over the rounds."""
    low, middle, high = (float(f"{v:.3g}") for v in np.quantile(values, [0, 0.5, 1]))
    return {"what": what, "median": middle, "low": low, "high": high, "unit": unit}


@functools.cache
def matrix_rate() -> float:
    """The machine's rate in matrix products of float32, in operations a second: best of ten."""
    import tensorflow as tf

    a = tf.random.normal((2048, 2048))
    product = tf.function(lambda: tf.matmul(a, a))
    product()
    return 2 * 2048**3 / min(seconds(lambda: product().numpy()) for _ in range(10))


def in_jax(study: dict[str, np.ndarray], epochs: int) -> dict:
    """What ``tools/bench_jax.py`` prints about a study, trained for so many epochs."""
    program = Path(__file__).with_name("bench_jax.py")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "study.npz")
        np.savez(file, **study)
        # With -P the modules beside the program don't hide others of their names.
        command = [str(JAX), "-P", str(program), str(file), str(epochs)]
        return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def same_training(study: dict[str, np.ndarray], curves: pd.DataFrame) -> None:
    """Say how far JAX's losses are from those of a stack that started from the same weights."""
    for epoch in (100, curves["epoch"].max()):
        ours = curves.query("metric == 'loss' and epoch == @epoch")["value"]
        off = abs(in_jax(study, epoch)["losses"] / ours - 1)
        middle, most = off.quantile([0.5, 1])
        print(f"JAX's losses after {epoch} epochs are off by {middle:.0e}, at most {most:.0e}")
        # Later, rounding parts the two, and Adam's epsilon, which each adds at another place.
        assert epoch > 100 or (off < 1e-3).all(), "JAX trains something else"


def moons(repetitions: int) -> list[dict]:
    """The study of the chapter on L1 and L2: 7 penalties × 10 seeds, 500 units, 4,000 epochs."""
    import keras

    from utils.data import load_moons
    from utils.stack import Stack, grid
    from utils.training import train

    data = load_moons()
    x, y, epochs = data.x_train, data.y_train, 4000
    runs = grid(l2=[0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1], seed=range(10))

    loss = keras.losses.BinaryCrossentropy(from_logits=True)

    def network() -> keras.Model:
        hidden = keras.layers.Dense(500, "relu", kernel_regularizer=keras.regularizers.L2(1e-3))
        return keras.Sequential([keras.Input((2,)), hidden, keras.layers.Dense(1)])

    def stack(models=70, units=500, rows=30, epochs=epochs, fits=1):
        """Seconds a model and epoch of each fit; the first one compiles."""
        few = load_moons(n_train=rows)
        nets = Stack(runs.iloc[:models], inputs=2, units=(units,), penalized_layers=[0])
        fit = functools.partial(nets.fit, few.x_train, few.y_train, epochs=epochs)
        fit = functools.partial(fit, record_every=epochs)
        return [seconds(fit) / (models * epochs) for _ in range(fits)]

    def plain():
        """One by one, as tutorials write it: an epoch of 30 rows is one step."""
        model = network()
        model.compile("adam", loss)
        fit = functools.partial(model.fit, x, y, batch_size=len(x), verbose=0)
        fit(epochs=2)
        return seconds(functools.partial(fit, epochs=200)) / 200

    def tuned():
        """One by one, with 500 epochs in each compiled call."""
        model = network()
        model.compile("adam", loss, steps_per_execution=500)
        many = np.tile(x, (500, 1)), np.tile(y, 500)
        fit = functools.partial(model.fit, *many, batch_size=len(x), shuffle=False, verbose=0)
        fit(epochs=1)
        return seconds(functools.partial(fit, epochs=8)) / 4000

    def harness():
        """One by one by `utils.training.train`: an epoch a compiled call, metrics included."""
        done = train(network, data, epochs=300, batch_size=len(x), loss="binary_crossentropy")
        return done.seconds / 300

    def jax():
        """As `stack`, twice from the same start, in a process of its own."""
        return [took / (len(runs) * epochs) for took in in_jax(study, epochs)["seconds"]]

    arms = {"stack": functools.partial(stack, fits=2)}
    if JAX.is_file():
        nets = Stack(runs, inputs=2, units=(500,), penalized_layers=[0])
        study = {"x": x, "y": y, "l2": runs["l2"]}
        study |= {f"kernel{layer}": kernel.numpy() for layer, kernel in enumerate(nets.kernels)}
        same_training(study, nets.fit(x, y, epochs=epochs, record_every=100))
        arms["jax"] = jax
    else:
        print(f"{JAX} isn't there (`make bench` makes it): the rows of JAX are left out")
    arms |= {"plain": plain, "tuned": tuned, "harness": harness}
    found = rounds(arms, repetitions)
    micro, (stacked, again) = 1e6, found["stack"].T
    in_one_jit = []
    if "jax" in found:
        rival, rival_again = found["jax"].T
        name = f"JAX {in_jax(study, 1)['version']}"
        in_one_jit = [
            row(f"… {name} (`vmap`, `scan`, one `jit`), against it", rival / stacked, "×"),
            row("… the same, both without compilation", rival_again / again, "×"),
        ]
    table = [
        row("moons, stack of 70: a model and epoch", micro * stacked, "µs"),
        row("… without compilation", micro * again, "µs"),
        row("… one by one, plain `fit`", micro * found["plain"], "µs"),
        row("… plain `fit` against the stack", found["plain"] / stacked, "×"),
        row("… one by one, tuned `steps_per_execution`, against it", found["tuned"] / stacked, "×"),
        row("… one by one, `utils.training.train`, against it", found["harness"] / stacked, "×"),
        *in_one_jit,
        # A step multiplies twice forward and three times backward (none into the inputs).
        row(
            "… share of the rate of matrix products",
            100 * 2 * 30 * (2 * 2 * 500 + 3 * 500) / stacked / matrix_rate(),
            "%",
        ),
    ]
    sizes = [
        *({"models": n} for n in (1, 10, 70)),
        *({"units": n} for n in (100, 500, 2000)),
        *({"rows": n} for n in (30, 100, 300)),
        *({"epochs": n} for n in (400, 4000, 16000)),
    ]
    for size in tqdm(sizes, leave=False):
        ((name, value),) = size.items()
        twice = np.concatenate([stack(**{"epochs": 1000} | size) for _ in range(2)])
        length = "" if name == "epochs" else " (1,000 epochs)"
        what = f"stack with {name} = {value:,}{length}: a model and epoch"
        table.append(row(what, micro * twice, "µs"))
    return table


def mnist(repetitions: int) -> list[dict]:
    """The case study's network, 5 × 500, batches of 128, 34,300 images: harness against `fit`."""
    import keras

    from utils.data import load_mnist
    from utils.training import train

    data = load_mnist(n_train=34_300)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def network() -> keras.Model:
        hidden = [keras.layers.Dense(500, "relu") for _ in range(5)]
        flat = [keras.Input((28, 28)), keras.layers.Flatten()]
        return keras.Sequential([*flat, *hidden, keras.layers.Dense(10)])

    class Clock(keras.callbacks.Callback):
        """Times of the epochs' ends."""

        def on_train_begin(self, logs=None):
            self.ends = []

        def on_epoch_end(self, epoch, logs=None):
            self.ends.append(time.perf_counter())

    def harness():
        clock = Clock()
        train(network, data, epochs=3, callbacks=[clock])
        return np.diff(clock.ends).mean()

    def plain():
        model, clock = network(), Clock()
        model.compile("adam", loss, metrics=["accuracy"])
        model.fit(data.x_train, data.y_train, 128, epochs=3, verbose=0, callbacks=[clock])
        return np.diff(clock.ends).mean()

    found = rounds({"harness": harness, "plain": plain}, repetitions)
    weights = 784 * 500 + 4 * 500 * 500 + 500 * 10
    # Forward, towards the weights, and towards the inputs (not for the first layer).
    operations = 2 * 34_300 * (3 * weights - 784 * 500)
    return [
        row("MNIST 5 × 500, harness: an epoch of 34,300 images", found["harness"], "s"),
        row("… plain `fit` against the harness", found["plain"] / found["harness"], "×"),
        row(
            "… share of the rate of matrix products",
            100 * operations / found["harness"] / matrix_rate(),
            "%",
        ),
        row("loading MNIST from the cache, in a new process", startup(), "s"),
    ]


def startup(repetitions: int = 3) -> np.ndarray:
    """Seconds that loading MNIST takes in processes of its own, imports not counted."""
    code = (
        "import time, utils.data as d; t = time.perf_counter(); "
        "d.load_mnist(); print(time.perf_counter() - t)"
    )
    command = [sys.executable, "-c", code]
    run = functools.partial(subprocess.run, command, capture_output=True, text=True, check=True)
    return np.array([float(run().stdout.splitlines()[-1]) for _ in range(repetitions)])


def augmentation(repetitions: int) -> list[dict]:
    """2,048 digits, like changes three ways."""
    import keras
    import tensorflow as tf

    from utils.augment import affine_jitter
    from utils.data import load_mnist

    images = load_mnist(n_train=2048).x_train[..., None]
    fill = {"fill_mode": "constant"}
    jitter = keras.Sequential(
        [
            keras.layers.RandomRotation(10 / 360, **fill),
            keras.layers.RandomTranslation(2 / 28, 2 / 28, **fill),
            keras.layers.RandomZoom(0.1, **fill),
            keras.layers.RandomShear(0.2, 0.0, **fill),
        ]
    )
    generator = tf.keras.preprocessing.image.ImageDataGenerator(
        rotation_range=10, width_shift_range=2.0, height_shift_range=2.0, zoom_range=0.1,
        shear_range=12, fill_mode="constant",
    ).flow(images, batch_size=2048)  # fmt: skip
    batch = tf.constant(images)
    in_keras = tf.function(lambda: jitter(batch, training=True))
    in_utils = tf.function(lambda: affine_jitter(batch, (0, 1), shear=0.2))
    in_keras(), in_utils()
    arms = {
        "utils": lambda: min(seconds(lambda: in_utils().numpy()) for _ in range(5)),
        "keras": lambda: min(seconds(lambda: in_keras().numpy()) for _ in range(5)),
        "generator": lambda: seconds(lambda: next(generator)),
    }
    found = rounds(arms, repetitions)
    return [
        row("`affine_jitter`, 2,048 digits", 1e3 * found["utils"], "ms"),
        row("… Keras's four layers against it", found["keras"] / found["utils"], "×"),
        row("… `ImageDataGenerator` against it", found["generator"] / found["utils"], "×"),
    ]


def site(repetitions: int) -> list[dict]:
    """The site, built from nothing."""
    program = Path(sys.executable).with_name("jupyter-book")
    build = [str(program), "build", str(notebooks.ROOT)]

    def cold():
        with tempfile.TemporaryDirectory() as folder:
            command = [*build, "--path-output", folder]
            return seconds(lambda: subprocess.run(command, capture_output=True, check=True))

    return [row("the site, from nothing", rounds({"site": cold}, repetitions)["site"], "s")]


PARTS = {"moons": moons, "mnist": mnist, "augmentation": augmentation, "site": site}


def main(arguments: list[str] | None = None, root: Path = notebooks.ROOT) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all when none is named")
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.parts if name not in PARTS]:
        print(f"no part is called {', '.join(unknown)}: {', '.join(PARTS)}", file=sys.stderr)
        return 1
    file = root / status.BENCH
    kept = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    for name in options.parts or PARTS:
        rows = PARTS[name](options.repetitions)
        for found in rows:
            print("{what}: {median:g} {unit} ({low:g} … {high:g})".format(**found))
        about = {
            "date": datetime.date.today().isoformat(),
            "repetitions": options.repetitions,
            "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
            "matrix products": f"{matrix_rate() / 1e9:.0f} billion operations a second",
            "versions": {"python": platform.python_version()} | {p: version(p) for p in PACKAGES},
        }
        kept[name] = {"about": about, "rows": rows}
        inorder = {part: kept[part] for part in PARTS if part in kept}
        notebooks.write_text(file, json.dumps(inorder, indent=1, ensure_ascii=False) + "\n")
    return status.main([], root)


if __name__ == "__main__":
    sys.exit(main())
