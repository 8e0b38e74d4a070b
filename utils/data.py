"""Data sets: generated toys, and real MNIST and CIFAR-10 that are checked before use.

Real data are looked for in the folder ``$BOOK_DATA``, then in Keras's cache, then downloaded. Where
all of that fails, a stand-in of the same shape takes their place, says so, and has ``is_real``
False; claims about it are then shown as not tested.
"""

from __future__ import annotations

import functools
import hashlib
import os
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from utils.seeds import fixed, shifted

MNIST_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
MNIST_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
TIMEOUT = 30  # seconds without an answer before a download is given up
START = Path.cwd()  # what a relative BOOK_DATA is relative to, wherever a notebook goes later
FAILED: dict[Path, str] = {}  # downloads that failed, and why: each is tried once a process

# SHA-256 of the C-ordered bytes. CIFAR-10's test images are checked on the first 1,000.
SHA256 = {
    "mnist": {
        "x_train": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
        "y_train": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
        "x_test": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
        "y_test": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
    },
    "cifar10": {
        "x_train": "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
        "y_train": "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
        "x_test": "da362006b99671213d1a5d856cab2bedf64d40bad4501630ee60f4ceb2d3ec7f",
        "y_test": "636a087e604331a0b9dafc94b6e9ade0c9cec72c4400d12473ccdb3e264474c1",
    },
}
SHAPES = {"mnist": (28, 28), "cifar10": (32, 32, 3)}
# Rows there may be, and how many of them the digest covers.
ROWS = {
    "mnist": {"train": ((60_000,), 60_000), "test": ((10_000,), 10_000)},
    "cifar10": {"train": ((50_000,), 50_000), "test": ((1_000, 10_000), 1_000)},
}


class DataError(RuntimeError):
    """A data file or folder is there and can't be used as it is."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Three splits of a data set.

    Attributes
    ----------
    name : str
        What the arrays are; a stand-in says that it is one.
    is_real : bool
        Whether the arrays are what they are asked for as: False for a stand-in.
    x_train, x_validation, x_test : ndarray
        Inputs as float32, one row an example; images in 0 … 1.
    y_train, y_validation, y_test : ndarray
        Targets: int64 for classes, float32 for values.
    """

    name: str
    is_real: bool
    x_train: np.ndarray
    y_train: np.ndarray
    x_validation: np.ndarray
    y_validation: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray

    def __repr__(self) -> str:
        splits = ("train", "validation", "test")
        shapes = ", ".join(f"{split} {getattr(self, f'x_{split}').shape}" for split in splits)
        return f"Dataset({self.name}: {shapes})"


def load_moons(
    n_train: int = 30,
    n_validation: int = 0,
    n_test: int = 70,
    noise: float = 0.2,
    seed: int = fixed(1),
) -> Dataset:
    """Two interleaved half-moons; the defaults are the draw of the popular tutorial.

    Parameters
    ----------
    n_train, n_validation, n_test : int
        Rows of each split, taken in this order from one draw.
    noise : float
        Standard deviation of the Gaussian noise on both coordinates.
    seed : int
        Fixes the draw. The default draw, the popular tutorial's, is fixed: it doesn't move with
        ``BOOK_SEEDS``.

    Returns
    -------
    Dataset
        ``x`` of shape (n, 2), classes 0 and 1.

    Raises
    ------
    ValueError
        When a number is out of range.
    """
    from sklearn.datasets import make_moons

    total = _check("load_moons", n_train, n_validation, n_test, seed, noise=noise)
    x, y = make_moons(total, noise=noise, random_state=shifted(seed))
    name = f"moons, noise {noise:g}"
    return _split(name, x.astype("float32"), y.astype("int64"), n_train, n_validation)


def load_sequences(
    n_train: int = 64,
    n_validation: int = 200,
    n_test: int = 500,
    length: int = 24,
    noise: float = 0.2,
    seed: int = 0,
) -> Dataset:
    """Noisy sums of two sines of random period and phase; the target is the next value.

    Parameters
    ----------
    n_train, n_validation, n_test : int
        Series of each split.
    length : int
        Steps of each series.
    noise : float
        Standard deviation of the Gaussian noise on every value, the target's too.
    seed : int
        Fixes the draw.

    Returns
    -------
    Dataset
        ``x`` of shape (n, length, 1), ``y`` of shape (n,), float32.

    Raises
    ------
    ValueError
        When a number is out of range.
    """
    total = _check("load_sequences", n_train, n_validation, n_test, seed, length, noise)
    rng = np.random.default_rng(shifted(seed))
    steps = np.arange(length + 1)
    values = noise * rng.normal(size=(total, length + 1))
    for shortest, longest in ((4, 12), (12, 36)):
        period = rng.uniform(shortest, longest, (total, 1))
        phase = rng.uniform(0, 2 * np.pi, (total, 1))
        values += np.sin(2 * np.pi * steps / period + phase)
    values = values.astype("float32")
    name = f"sums of two sines, noise {noise:g}"
    return _split(name, values[:, :-1, None], values[:, -1], n_train, n_validation)


def load_mnist(
    n_train: int | None = None, n_validation: int = 0, n_test: int | None = None, seed: int = 0
) -> Dataset:
    """MNIST: grey images of handwritten digits (LeCun and others, 1998).

    Parameters
    ----------
    n_train : int, optional
        Training images. Default: all that aren't for validation.
    n_validation : int
        Validation images, the same for every ``n_train``.
    n_test : int, optional
        The first images of the test set. Default: all.
    seed : int
        Fixes which training images are taken; a smaller ``n_train`` takes the first of a larger.

    Returns
    -------
    Dataset
        ``x`` of shape (n, 28, 28), float32 in 0 … 1; digits as int64.

    Raises
    ------
    ValueError
        When more images are asked for than there are.
    DataError
        When a file is there that isn't MNIST, or can't be read.
    """
    return _load_images("mnist", "MNIST", n_train, n_validation, n_test, seed)


def load_cifar10(
    n_train: int | None = None, n_validation: int = 0, n_test: int | None = None, seed: int = 0
) -> Dataset:
    """CIFAR-10: colour images of ten kinds of things (Krizhevsky, 2009).

    Parameters
    ----------
    n_train, n_validation, seed
        As for :func:`load_mnist`.
    n_test : int, optional
        The first images of the test set. Default: 1,000. More can be asked for where the file
        has all 10,000, but only the first 1,000 are covered by the digest.

    Returns
    -------
    Dataset
        ``x`` of shape (n, 32, 32, 3), float32 in 0 … 1; classes as int64.

    Raises
    ------
    ValueError
        When more images are asked for than there are.
    DataError
        When a file is there that isn't CIFAR-10, or can't be read.
    """
    return _load_images("cifar10", "CIFAR-10", n_train, n_validation, n_test, seed)


def _check(where, n_train, n_validation, n_test, seed, length=1, noise=0.0):
    """Rows in all; an error names the first number that is out of range."""
    counts = {"n_train": n_train, "n_validation": n_validation, "n_test": n_test, "seed": seed}
    for name, value in {**counts, "length": length}.items():
        least = int(name in ("n_train", "length"))
        if value < least:
            raise ValueError(f"{where}: {name} must be at least {least}, not {value!r}")
    if not 0 <= noise < np.inf:
        raise ValueError(f"{where}: noise, a standard deviation, must be >= 0, not {noise!r}")
    return n_train + n_validation + n_test


def _split(name, x, y, n_train, n_validation):
    cuts = [n_train, n_train + n_validation]
    parts = zip(np.split(x, cuts), np.split(y, cuts), strict=True)
    return Dataset(name, True, *(array for pair in parts for array in pair))


def _load_images(key, name, n_train, n_validation, n_test, seed):
    where = f"load_{key}"
    (rows,), _ = ROWS[key]["train"]
    n_test = ROWS[key]["test"][1] if n_test is None else n_test
    least = 1 if n_train is None else n_train
    _check(where, least, n_validation, n_test, seed)
    if least + n_validation > rows:
        raise ValueError(
            f"{where}: n_train = {least:,} and n_validation = {n_validation:,} are more than the "
            f"{rows:,} images that {name} has for training; lower one of them"
        )
    arrays, why_not = _arrays(key)
    if n_test > (there := len(arrays["x_test"])):
        raise ValueError(f"{where}: n_test = {n_test:,} is more than the {there:,} at hand")
    if why_not:
        print(
            f"STAND-IN DATA in place of {name}: the download failed ({why_not}). For the real "
            f"thing go online and restart Python, or put {key}.npz into a folder and name that in "
            "the environment variable BOOK_DATA."
        )
        name = f"stand-in for {name}"
    order = np.random.default_rng(shifted(seed)).permutation(rows)
    validation = rows - n_validation
    train = order[: validation if n_train is None else n_train]
    splits = []
    for split, taken in (("train", train), ("train", order[validation:]), ("test", slice(n_test))):
        splits.append(arrays[f"x_{split}"][taken] / np.float32(255))
        splits.append(arrays[f"y_{split}"][taken].astype("int64"))
    return Dataset(name, not why_not, *splits)


def _arrays(key):
    """Raw arrays, and why they are a stand-in ('' when they are real)."""
    file = _cached(f"{key}.npz")
    if given := os.environ.get("BOOK_DATA"):
        folder = START / os.path.expanduser(given)
        if not folder.is_dir():
            problem = "is a file: name its folder" if folder.exists() else "isn't there: correct it"
            raise DataError(f"BOOK_DATA names {folder}, which {problem}, or unset the variable")
        file = folder / file.name if (folder / file.name).exists() else file
    if not file.exists() and file not in FAILED:
        before = socket.getdefaulttimeout()
        socket.setdefaulttimeout(TIMEOUT)  # Keras has none
        try:
            _download(key, file)
        except Exception as error:  # urllib, socket, tar, disk and Keras each have their own
            FAILED[file] = (str(error) or repr(error)).splitlines()[0]
        finally:
            socket.setdefaulttimeout(before)
    return (_read(key, file), "") if file.exists() else (_stand_in(key), FAILED[file])


def _cached(name):
    """A file's place in Keras's cache, by Keras's rules, without the seconds of its import."""
    home, given = os.path.expanduser("~"), os.environ.get("KERAS_HOME")
    file = Path(os.path.expanduser(given or "~/.keras"), "datasets", name)
    if given or os.access(home, os.W_OK) or file.exists():
        return file
    return Path(tempfile.gettempdir(), ".keras", "datasets", name)


def _download(key, file):
    """Fetch into a private folder and move in one step: other processes may do so at once."""
    import keras

    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".loading-") as private:
        if key == "mnist":
            url, sha = MNIST_URL, MNIST_SHA256
            new = keras.utils.get_file(file.name, url, file_hash=sha, cache_dir=private)
        else:  # from the archive in Keras's cache, which Keras downloads, checks and unpacks
            (x_train, y_train), (x_test, y_test) = keras.datasets.cifar10.load_data()
            labels = {"y_train": y_train.ravel(), "y_test": y_test.ravel()}
            new = Path(private, file.name)
            np.savez(new, x_train=x_train, x_test=x_test, **labels)
        _read.__wrapped__(key, new)  # only what is right gets there
        os.replace(new, file)


@functools.lru_cache(maxsize=2)
def _read(key, file):
    """Arrays of an .npz file, each of the right type, shape and digest."""
    try:
        with np.load(file, allow_pickle=False) as archive:
            arrays = {name: np.atleast_1d(archive[name]) for name in SHA256[key]}
    except Exception as e:  # a damaged archive has many: BadZipFile, zlib.error, struct.error …
        raise _wrong(file, f"the {key} arrays", f"{type(e).__name__}: {e}") from e
    for name, array in arrays.items():
        allowed, covered = ROWS[key][name[2:]]
        shapes = [(n, *(SHAPES[key] if name[0] == "x" else ())) for n in allowed]
        sha, right = hashlib.sha256(array[:covered].tobytes()).hexdigest(), SHA256[key][name]
        # The digest is of bytes alone, which int8 or a flat array can have, too.
        if array.dtype != np.uint8 or array.shape not in shapes or sha != right:
            expected = f"{name} as uint8 of shape {shapes[-1]}, SHA-256 {right[:12]}…"
            found = f"{array.dtype} of shape {array.shape}, SHA-256 {sha[:12]}…"
            raise _wrong(file, expected, found)
    return arrays


def _wrong(file, expected, found):
    return DataError(
        f"{file} is not what it should be: expected {expected}, found {found}. "
        "Delete or replace the file and run again."
    )


@functools.lru_cache(maxsize=2)
def _stand_in(key):
    """Handwritten digits of scikit-learn, in the shape and number of the real images."""
    from scipy.ndimage import zoom
    from sklearn.datasets import load_digits

    digits, rng, arrays = load_digits(), np.random.default_rng(0), {}
    large = zoom(digits.images / 16, (1, 2.5, 2.5), order=1, grid_mode=True, mode="grid-constant")
    large = (255 * large.clip(0, 1)).astype("uint8")
    for split, rows in (("train", range(1437)), ("test", range(1437, 1797))):
        n = ROWS[key][split][0][-1]
        pick = rng.choice(rows, n)
        x = np.zeros((n, *SHAPES[key][:2]), "uint8")
        for image, digit, top, left in zip(x, pick, *rng.integers(2, 7, (2, n)), strict=True):
            image[top : top + 20, left : left + 20] = large[digit]
        if key == "cifar10":  # each in a colour of its own
            x = x[..., None] // rng.integers(1, 4, (n, 1, 1, 3), "uint8")
        arrays |= {f"x_{split}": x, f"y_{split}": digits.target[pick].astype("uint8")}
    return arrays
