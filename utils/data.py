"""Data sets: generated toys, and real MNIST and CIFAR-10 that are checked before use.

Real data are looked for in the folder ``$BOOK_DATA``, then in Keras's cache, then downloaded. Where
all of that fails, a stand-in of the same shape takes their place, says so, and has ``is_real``
False; claims about it are then shown as not tested.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import socket
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED

import numpy as np

MNIST_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
MNIST_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
CIFAR10_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
CIFAR10_MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
TIMEOUT = 30  # seconds without an answer before a download is given up

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
        shapes = ", ".join(
            f"{f.name[2:]} {getattr(self, f.name).shape}"
            for f in fields(self)
            if f.name.startswith("x_")
        )
        return f"Dataset({self.name}: {shapes})"


def load_moons(
    n_train: int = 30,
    n_validation: int = 0,
    n_test: int = 70,
    noise: float = 0.2,
    seed: int = 1,
) -> Dataset:
    """Two interleaved half-moons; the defaults are the draw of the popular tutorial.

    Parameters
    ----------
    n_train, n_validation, n_test : int
        Rows of each split, taken in this order from one draw.
    noise : float
        Standard deviation of the Gaussian noise on both coordinates.
    seed : int
        Fixes the draw.

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

    total = _checked_toy("load_moons", n_train, n_validation, n_test, noise, seed)
    x, y = make_moons(total, noise=noise, random_state=seed)
    name = f"moons, noise {noise:g}"
    return _split(name, x.astype("float32"), y.astype("int64"), n_train, n_validation)


def polynomial_target(x: np.ndarray) -> np.ndarray:
    """The noiseless curve of :func:`load_polynomial`: 4x³ + x² − 3x − ½.

    Parameters
    ----------
    x : ndarray
        Places.

    Returns
    -------
    ndarray
        Values, of the same shape.
    """
    return 4 * x**3 + x**2 - 3 * x - 0.5


def load_polynomial(
    n_train: int = 20,
    n_validation: int = 0,
    n_test: int = 1000,
    noise: float = 0.3,
    seed: int = 0,
) -> Dataset:
    """Noisy points of a cubic, at uniform places in −1 … 1.

    Parameters
    ----------
    n_train, n_validation, n_test : int
        Rows of each split. The training rows don't depend on how many others there are.
    noise : float
        Standard deviation of the Gaussian noise on the target.
    seed : int
        Fixes the draw.

    Returns
    -------
    Dataset
        ``x`` of shape (n, 1), ``y`` of shape (n,), float32.

    Raises
    ------
    ValueError
        When a number is out of range.
    """
    total = _checked_toy("load_polynomial", n_train, n_validation, n_test, noise, seed)
    # One row a line of random numbers, so that more rows leave the first ones as they are.
    uniform, normal = np.random.default_rng(seed).normal(size=(total, 2)).T
    from scipy.stats import norm

    x = 2 * norm.cdf(uniform) - 1
    y = polynomial_target(x) + noise * normal
    name = f"cubic, noise {noise:g}"
    return _split(name, x[:, None].astype("float32"), y.astype("float32"), n_train, n_validation)


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
    total = _checked_toy("load_sequences", n_train, n_validation, n_test, noise, seed)
    if length < 1:
        raise ValueError(f"load_sequences: length must be at least 1, not {length}")
    rng = np.random.default_rng(seed)
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
    n_train, n_validation, n_test, seed
        As for :func:`load_mnist`.

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


LOADERS: dict[str, Callable[..., Dataset]] = {
    "moons": load_moons,
    "polynomial": load_polynomial,
    "sequences": load_sequences,
    "mnist": load_mnist,
    "cifar10": load_cifar10,
}


def load(name: str, **options: object) -> Dataset:
    """Load a data set by its name.

    Parameters
    ----------
    name : {"moons", "polynomial", "sequences", "mnist", "cifar10"}
        Which one.
    **options
        Passed to its loader.

    Returns
    -------
    Dataset
        The data set.

    Raises
    ------
    ValueError
        When the name is unknown.
    """
    if name not in LOADERS:
        raise ValueError(f"load: data set {name!r} is unknown; there are {', '.join(LOADERS)}")
    return LOADERS[name](**options)


def digest(array: np.ndarray) -> str:
    """SHA-256 of an array: its type, its shape and its C-ordered bytes.

    Parameters
    ----------
    array : ndarray
        Any array of numbers.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    header = f"{array.dtype.str} {array.shape} ".encode()
    return hashlib.sha256(header + np.ascontiguousarray(array).tobytes()).hexdigest()


def _checked_toy(where, n_train, n_validation, n_test, noise, seed):
    _check_sizes(where, n_train=n_train, n_validation=n_validation, n_test=n_test, seed=seed)
    if not 0 <= noise < np.inf:
        raise ValueError(f"{where}: noise is a standard deviation and must be >= 0, not {noise}")
    return n_train + n_validation + n_test


def _check_sizes(where, **numbers):
    for name, value in numbers.items():
        least = 1 if name == "n_train" else 0
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            raise ValueError(f"{where}: {name} must be an integer >= {least}, not {value!r}")


def _split(name, x, y, n_train, n_validation):
    cuts = [n_train, n_train + n_validation]
    parts = zip(np.split(x, cuts), np.split(y, cuts), strict=True)
    return Dataset(name, True, *(array for pair in parts for array in pair))


def _load_images(key, name, n_train, n_validation, n_test, seed):
    where = f"load_{key}"
    try:
        arrays, why_not = _arrays(key)
    except PermissionError as e:  # of a file, or of a folder that can't be looked into
        raise DataError(f"{e.filename} can't be read: no permission; change its mode") from e
    rows, test_rows = len(arrays["x_train"]), len(arrays["x_test"])
    n_train = rows - n_validation if n_train is None else n_train
    n_test = test_rows if n_test is None else n_test
    _check_sizes(where, n_train=n_train, n_validation=n_validation, n_test=n_test, seed=seed)
    if n_train + n_validation > rows:
        raise ValueError(
            f"{where}: n_train + n_validation = {n_train + n_validation:,} images are asked for, "
            f"{name} has {rows:,} for training; lower one of them"
        )
    if n_test > test_rows:
        raise ValueError(
            f"{where}: n_test = {n_test:,} images are asked for, there are {test_rows:,} at hand"
        )
    if why_not:
        print(
            f"STAND-IN DATA in place of {name}: {why_not}. For the real thing go online, or put "
            f"{key}.npz into a folder and name it in the environment variable BOOK_DATA."
        )
        name = f"stand-in for {name}"
    order = np.random.default_rng(seed).permutation(rows)
    taken = {"train": order[:n_train], "validation": order[rows - n_validation :]}
    splits = []
    for split in ("train", "validation"):
        splits += [arrays["x_train"][taken[split]], arrays["y_train"][taken[split]]]
    splits += [arrays["x_test"][:n_test], arrays["y_test"][:n_test]]
    scaled = [
        a / np.float32(255) if i % 2 == 0 else a.astype("int64") for i, a in enumerate(splits)
    ]
    return Dataset(name, not why_not, *scaled)


def _arrays(key):
    """Raw arrays, and why they are a stand-in ('' when they are real)."""
    folder = os.environ.get("BOOK_DATA")
    if folder:
        if not Path(folder).is_dir():
            raise DataError(
                f"BOOK_DATA names the folder {folder}, which isn't there; "
                "correct the variable or unset it"
            )
        if (Path(folder) / f"{key}.npz").exists():
            return _read_cached(key, Path(folder) / f"{key}.npz"), ""
    cache = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "datasets"
    if (cache / f"{key}.npz").exists():
        return _read_cached(key, cache / f"{key}.npz"), ""
    if key == "cifar10" and any(cache.glob("cifar-10-batches-py*/**/data_batch_1")):
        return _keras_cifar10(cache), ""
    try:
        _download(key, cache)
    except DownloadError as error:
        return _stand_in(key), str(error)
    return _read_cached(key, cache / f"{key}.npz"), ""


def _read_cached(key, file):
    state = file.stat()
    return _read(key, file, state.st_mtime_ns, state.st_size)


@functools.lru_cache(maxsize=4)
def _read(key, file, _changed, _size):
    """Arrays of an .npz file, every byte checked. Cached until the file changes."""
    members = [f"{member}.npy" for member in SHA256[key]]
    try:
        with zipfile.ZipFile(file) as archive:
            there = {info.filename: info for info in archive.infolist()}
            if missing := sorted(set(members) - set(there)):
                expected = f"the members {', '.join(members)}"
                raise DataError(_wrong(file, expected, f"no {missing[0]}"))
            # Looked at before anything is unpacked: a small archive can hold a huge file, and
            # methods other than deflate unpack more than the size that is claimed.
            if (size := sum(there[m].file_size for m in members)) > 250e6:
                raise DataError(_wrong(file, "at most 250 MB of arrays", f"{size:,} B"))
            if {there[m].compress_type for m in members} - {ZIP_STORED, ZIP_DEFLATED}:
                raise DataError(_wrong(file, "members stored or deflated", "another method"))
            # Not by np.load, which takes a member x_train for x_train.npy.
            arrays = {}
            for name, member in zip(SHA256[key], members, strict=True):
                with archive.open(member) as content:
                    arrays[name] = np.lib.format.read_array(content, allow_pickle=False)
    except (DataError, PermissionError):
        raise
    except Exception as e:  # a damaged archive has many: BadZipFile, zlib.error, struct.error …
        raise DataError(_wrong(file, f"the {key} arrays", f"{type(e).__name__}: {e}")) from e
    return _verified(key, arrays, file)


def _verified(key, arrays, file):
    for name, array in arrays.items():
        kind, split = name.split("_")
        allowed, covered = ROWS[key][split]
        shape = SHAPES[key] if kind == "x" else ()
        # The digest is of bytes alone, which int8 or a flat array can have, too.
        if array.dtype != np.uint8 or array.shape not in [(n, *shape) for n in allowed]:
            expected = f"{name} as uint8 of shape {(allowed[-1], *shape)}"
            raise DataError(_wrong(file, expected, f"{array.dtype} of shape {array.shape}"))
        found = hashlib.sha256(np.ascontiguousarray(array[:covered]).tobytes()).hexdigest()
        if found != SHA256[key][name]:
            expected = f"{name} with the SHA-256 {SHA256[key][name][:12]}…"
            raise DataError(_wrong(file, expected, f"{found[:12]}…"))
        array.setflags(write=False)
    return arrays


def _wrong(file, expected, found):
    return (
        f"{file} is not what it should be: expected {expected}, found {found}. "
        "Delete or replace the file and run again."
    )


def _keras_cifar10(cache):
    import keras

    place = f"{cache}/cifar-10-batches-py*"
    try:
        with _timeout():  # where its archive is missing, Keras downloads it
            (x_train, y_train), (x_test, y_test) = keras.datasets.cifar10.load_data()
        arrays = {"x_train": x_train, "y_train": y_train[:, 0].astype("uint8"),
                  "x_test": x_test, "y_test": y_test[:, 0].astype("uint8")}  # fmt: skip
    except Exception as error:
        raise DataError(_wrong(place, "CIFAR-10 as Keras keeps it", repr(error))) from error
    return _verified("cifar10", arrays, place)


class DownloadError(RuntimeError):
    """The data couldn't be fetched."""


def _download(key, cache):
    """Fetch into a private folder, check, and move into the cache in one step.

    Another process may do the same at the same time: the last move wins, with the same content.
    """
    import keras

    url, checksum = (MNIST_URL, MNIST_SHA256) if key == "mnist" else (CIFAR10_URL, CIFAR10_MD5)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix=".loading-") as private, _timeout():
            file = Path(keras.utils.get_file(
                url.rsplit("/", 1)[1], url, file_hash=checksum, cache_dir=private))  # fmt: skip
            if key == "cifar10":
                file = _converted_cifar10(file)
            os.replace(file, cache / f"{key}.npz")
    except Exception as error:  # urllib, socket, tar, disk and Keras each have their own
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        if reason == "math domain error":  # what Keras 3.13 makes of a download of 0 bytes
            reason = "the file that came is empty"
        raise DownloadError(f"the download failed ({reason})") from error


@contextlib.contextmanager
def _timeout() -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _converted_cifar10(archive):
    """The binary version as .npz, checked: records of a label byte and 3 × 32 × 32 pixel bytes."""
    records = {}
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            if member.isfile() and member.name.endswith(".bin"):
                raw = np.frombuffer(tar.extractfile(member).read(), "uint8").reshape(-1, 3073)
                records[Path(member.name).stem] = raw
    train = np.concatenate([records[f"data_batch_{i}"] for i in range(1, 6)])
    arrays = {}
    for split, rows in (("train", train), ("test", records["test_batch"])):
        arrays[f"x_{split}"] = rows[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        arrays[f"y_{split}"] = rows[:, 0]
    file = archive.with_name("cifar10.npz")
    np.savez(file, **_verified("cifar10", arrays, archive.name))
    return file


@functools.lru_cache(maxsize=2)
def _stand_in(key):
    """Ten classes of images in the shape and number of the real ones."""
    rng = np.random.default_rng(0)
    if key == "mnist":
        from scipy.ndimage import zoom
        from sklearn.datasets import load_digits

        digits = load_digits()
        small = zoom(
            digits.images / 16, (1, 2.5, 2.5), order=1, grid_mode=True, mode="grid-constant"
        )
        sources = {"train": np.arange(1437), "test": np.arange(1437, 1797)}
    arrays = {}
    for split, (allowed, _) in ROWS[key].items():
        n = allowed[-1]
        if key == "mnist":
            pick = rng.choice(sources[split], n)
            x = np.zeros((n, 28, 28), "uint8")
            dy, dx = rng.integers(2, 7, (2, n))
            for i in range(n):
                x[i, dy[i] : dy[i] + 20, dx[i] : dx[i] + 20] = 255 * small[pick[i]].clip(0, 1)
            y = digits.target[pick]
        else:
            y = rng.integers(0, 10, n)
            grid = np.arange(32, dtype="float32") / 32
            angle = (np.pi * y / 10)[:, None, None].astype("float32")
            waves = np.cos(angle) * grid[:, None] + np.sin(angle) * grid[None, :]
            phase = rng.random((n, 1, 1), "float32")
            grating = np.sin(2 * np.pi * (4 * waves + phase))[..., None]
            tint = np.array([np.roll([1, 0.6, 0.3], k) for k in range(10)], "float32")[y]
            noise = rng.normal(0, 30, (n, 32, 32, 3)).astype("float32")
            x = (128 + 60 * grating * tint[:, None, None] + noise).clip(0, 255).astype("uint8")
        arrays[f"x_{split}"], arrays[f"y_{split}"] = x, y.astype("uint8")
    return arrays
