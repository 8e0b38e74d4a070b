"""Data are what they say: right arrays, a clear error, or a stand-in that calls itself one."""

import hashlib
import io
import os
import pickle
import re
import socket
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
from keras.utils import get_file  # before the fixture `small` takes the network away
from sklearn.datasets import make_moons

from tests.conftest import SMALL, digests, leftovers, offline
from utils import data, seeds
from utils.data import DataError, load_cifar10, load_mnist


def load(name, **options):
    return getattr(data, f"load_{name}")(**options)


TOYS = pytest.mark.parametrize("name", ["moons", "sequences"])
X, Y = SMALL["x_train"], SMALL["y_train"]


def same(one, other):
    """Whether two data sets have the same arrays."""
    names = [f"{kind}_{split}" for kind in "xy" for split in ("train", "validation", "test")]
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


def assert_right(found, arrays=SMALL, n_test=None):
    order = np.random.default_rng(0).permutation(len(arrays["x_train"]))
    for split, rows in (("train", order), ("test", slice(n_test))):
        images = arrays[f"x_{split}"][rows] / np.float32(255)
        np.testing.assert_array_equal(getattr(found, f"x_{split}"), images)
        np.testing.assert_array_equal(getattr(found, f"y_{split}"), arrays[f"y_{split}"][rows])
    assert found.is_real


# Toys


def test_default_moons_are_the_published_draw(monkeypatch):
    x, y = make_moons(100, noise=0.2, random_state=1)
    for offset in (0, 5):  # which BOOK_SEEDS doesn't move
        monkeypatch.setattr(seeds, "OFFSET", offset)
        moons = load("moons")
        np.testing.assert_array_equal(moons.x_train, x[:30].astype("float32"))
        np.testing.assert_array_equal(moons.y_test, y[30:])
        assert moons.is_real and len(moons.x_validation) == 0


@pytest.mark.parametrize(
    ("name", "sizes", "x", "y", "spread"),
    [
        ("sequences", [64, 200, 500], 0.89883, 0.17600, 1.02285),
    ],
)
def test_default_draws_are_those_of_the_chapters(name, sizes, x, y, spread):
    """Their numbers rest on these draws; another one would change all of them."""
    toy = load(name)
    assert [len(y) for y in (toy.y_train, toy.y_validation, toy.y_test)] == sizes
    got = [toy.x_train.flat[0], toy.y_train[0], toy.y_test.std()]
    np.testing.assert_allclose(got, [x, y, spread], atol=2e-5)


@TOYS
def test_toys_have_the_sizes_asked_for_and_repeat(name):
    sizes = {"n_train": 7, "n_validation": 5, "n_test": 3}
    first, again, other = (load(name, **sizes, seed=s) for s in (4, 4, 5))
    for split, n in (("train", 7), ("validation", 5), ("test", 3)):
        assert len(getattr(first, f"x_{split}")) == len(getattr(first, f"y_{split}")) == n
    assert same(first, again) and not same(first, other)
    assert first.x_train.dtype == np.float32
    assert first.y_train.dtype == (np.int64 if name == "moons" else np.float32)


@pytest.mark.parametrize("name", ["moons", "sequences", "mnist"])
def test_book_seeds_shift_every_draw(small, monkeypatch, name):
    unshifted = load(name, seed=7)
    monkeypatch.setattr(seeds, "OFFSET", 3)
    assert same(load(name, seed=4), unshifted) and not same(load(name, seed=7), unshifted)


def test_a_data_set_says_what_it_is():
    found = repr(load("moons", n_train=7, n_validation=5, n_test=3, noise=0.25))
    shapes = "train (7, 2), validation (5, 2), test (3, 2)"
    assert found == f"Dataset(moons, noise 0.25: {shapes})"
    assert load("sequences", noise=1).name == "sums of two sines, noise 1"


def test_sequences_have_the_length_and_shape():
    series = load("sequences", n_train=4, length=9, noise=0)
    assert series.x_train.shape == (4, 9, 1) and np.abs(series.x_train).max() <= 2
    assert load("sequences", length=1).x_train.shape == (64, 1, 1)
    with pytest.raises(ValueError, match=r"^load_sequences: length must be at least 1, not 0"):
        load("sequences", length=0)


@TOYS
@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("noise", value) for value in (-0.1, float("nan"), float("inf"))),
        ("n_train", 0),
        ("n_validation", -1),
        ("n_test", -1),
        ("seed", -1),
    ],
)
def test_bad_toy_options_are_named(name, option, value):
    with pytest.raises(ValueError, match=f"^load_{name}: {option}.* not {value!r}$"):
        load(name, **{option: value})


# Images


def test_splits_are_disjoint_nested_and_scaled(small):
    few, more = (load_mnist(n_train=n, n_validation=10, n_test=5, seed=3) for n in (10, 40))
    np.testing.assert_array_equal(few.x_train, more.x_train[:10])
    np.testing.assert_array_equal(few.x_validation, more.x_validation)
    rows = np.concatenate([more.x_train, more.x_validation]).reshape(50, -1)
    assert len(np.unique(rows, axis=0)) == 50
    np.testing.assert_array_equal(few.x_test, SMALL["x_test"][:5] / np.float32(255))
    assert few.x_train.dtype == np.float32 and few.y_train.dtype == np.int64
    assert not np.array_equal(few.x_train, load_mnist(n_train=10, n_validation=10, seed=4).x_train)
    assert few.is_real and few.name == "MNIST"
    rest = load_mnist(n_validation=8)
    assert (len(rest.x_train), len(rest.x_validation)) == (42, 8)
    for array in (rest.x_train, rest.y_train, rest.x_test, rest.y_test):
        array[:] = 0  # they are the reader's own
    assert_right(load_mnist())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_train": 45, "n_validation": 10}, "n_train = 45 and n_validation = 10 are more"),
        ({"n_validation": 50}, "n_validation = 50 are more than the 50 images that MNIST has"),
        ({"n_validation": 70_000}, "n_validation = 70,000 are more than the 50 images"),
        ({"n_test": 21}, "n_test = 21 is more than the 20 at hand"),
        ({"n_test": -1}, "n_test must be at least 0, not -1"),
    ],
)
def test_bad_sizes_are_named(small, options, message):
    with pytest.raises(ValueError, match=f"^load_mnist: .*{message}"):
        load_mnist(**options)


# Files


def refusal(file, content, loader=load_mnist):
    """What the error says about a file with this content; "" where the arrays are right."""
    file.write_bytes(content)
    data._read.cache_clear()
    try:
        assert_right(loader())
    except DataError as error:
        message = str(error)
        assert message.startswith(f"{file} is not what it should be: expected ")
        assert message.endswith(". Delete or replace the file and run again.")
        assert message.count(", found ") == 1
        return message
    return ""


def written(savez=np.savez, **change):
    """The file with some arrays changed, or left out where there's None."""
    stream = io.BytesIO()
    savez(stream, **{k: v for k, v in {**SMALL, **change}.items() if v is not None})
    return stream.getvalue()


def bit_flipped(content, place, bit=0):
    damaged = bytearray(content)
    damaged[place] ^= 1 << int(bit)
    return damaged


@pytest.mark.parametrize("savez", [np.savez, np.savez_compressed])
def test_a_damaged_file_is_refused_or_gives_the_right_arrays(small, savez):
    whole = written(savez)
    assert not refusal(small, whole)
    for end in np.linspace(0, len(whole) - 1, 15).astype(int):
        assert refusal(small, whole[:end])
    # Most bytes are pixels: half of the places are in the headers and in the directory.
    structure = np.r_[0:180, whole.index(b"PK\x01\x02") : len(whole)]
    rng = np.random.default_rng(0)
    places = [*rng.choice(structure, 40, replace=False), *rng.integers(180, len(whole), 40)]
    refused = [bool(refusal(small, bit_flipped(whole, p, rng.integers(8)))) for p in places]
    # Others are without effect, such as those in the date of a member.
    assert sum(refused) > 48 and sum(refused[40:]) >= 39


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x_test": None}, "KeyError: .*x_test"),
        ({"x_train": X / 255}, r"x_train as uint8 of shape \(50, 28, 28\), .* found float64"),
        ({"y_train": np.array([{"a": 1}] * 50, object)}, "pickle"),
        # The same bytes as the right ones, taken for something else.
        ({"x_train": X.view("int8")}, "found int8"),
        ({"x_train": X.reshape(50, 784)}, r"found uint8 of shape \(50, 784\)"),
        ({"y_train": Y[::-1]}, "expected y_train .*SHA-256 [0-9a-f]{12}…, found .*SHA-256 .{12}…"),
        ({"x_train": X.swapaxes(1, 2)}, "SHA-256"),
        ({"x_train": np.concatenate([X, X[:1]])}, r"found uint8 of shape \(51"),
        ({"y_test": np.uint8(3)}, r"found uint8 of shape \(1,\)"),
    ],
)
def test_wrong_arrays_are_refused(small, change, message):
    assert re.search(message, refusal(small, written(**change)))
    with pytest.raises(DataError):
        load_mnist()
    small.write_bytes(written(more=np.ones(3), x_train=np.asfortranarray(X)))  # and run again
    assert_right(load_mnist())


class Harm:
    """Creates a folder when it is unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (self.marker,)


@pytest.mark.parametrize("folder", ["", "keras/datasets"])
def test_odd_files_are_refused_and_nothing_is_unpickled(small, folder):
    file = small.parent / folder / "mnist.npz"
    file.parent.mkdir(parents=True, exist_ok=True)
    small.unlink()
    harm, one_array, raw = Harm(small.parent / "harm"), io.BytesIO(), io.BytesIO()
    np.save(one_array, X)
    with zipfile.ZipFile(raw, "w") as archive:
        for name, array in SMALL.items():
            archive.writestr(f"{name}.npy", array.tobytes())
    for content in [
        b"",
        b"<!DOCTYPE html><title>Sign in</title>",
        one_array.getvalue(),
        raw.getvalue(),
        pickle.dumps(harm),
        written(x_train=np.array([harm], object)),
        written(y_test=np.array([(1, harm)], "u1,O")),
    ]:
        assert refusal(file, content)
    assert not harm.marker.exists()
    pickle.loads(pickle.dumps(harm))  # which does harm
    assert harm.marker.is_dir()


# Folders


@pytest.mark.parametrize(
    ("name", "problem"),
    [("nowhere", "isn't there: correct it"), ("mnist.npz", "is a file: name its folder")],
)
def test_a_folder_that_isnt_one_is_an_error(small, monkeypatch, name, problem):
    monkeypatch.setenv("BOOK_DATA", str(small.parent / name))
    with pytest.raises(DataError, match=f"^BOOK_DATA names .*{name}, which {problem}, or unset"):
        load_mnist()


def test_a_folder_can_be_relative_to_the_start_or_to_home(small, monkeypatch):
    assert data.START.is_absolute()
    (small.parent / "elsewhere").mkdir()
    monkeypatch.chdir(small.parent / "elsewhere")  # later than the start
    monkeypatch.setattr(data, "START", small.parents[1])
    monkeypatch.setenv("HOME", str(small.parents[1]))
    monkeypatch.setenv("USERPROFILE", str(small.parents[1]))
    for given in (small.parent.name, f"./{small.parent.name}/", f"~/{small.parent.name}"):
        monkeypatch.setenv("BOOK_DATA", given)
        assert_right(load_mnist())


@pytest.mark.parametrize("home", ["writable", "read-only", "read-only with the file", "unknown"])
def test_the_cache_is_where_keras_has_it(small, monkeypatch, home):
    """As in keras.config: ~/.keras, or a temporary folder where there can't be one."""
    folders = {name: small.parent / name / ".keras" / "datasets" for name in ("home", "temp")}
    used = folders["home" if home in ("writable", "read-only with the file") else "temp"]
    used.mkdir(parents=True)
    small.rename(used / "mnist.npz")
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("HOME", str(small.parent / "home"))
    monkeypatch.setenv("USERPROFILE", str(small.parent / "home"))
    monkeypatch.setattr(data.tempfile, "tempdir", str(small.parent / "temp"))
    if home.startswith("read-only"):
        monkeypatch.setattr(os, "access", lambda path, mode: str(path) != os.environ["HOME"])
    if home == "unknown":  # to the system: nothing is expanded
        monkeypatch.setattr(os.path, "expanduser", lambda path: path)
        monkeypatch.setenv("BOOK_DATA", "")
    assert_right(load_mnist())


# Downloads


def reason(small, capsys, loader=load_mnist, title="MNIST"):
    """Why there is a stand-in; it says that it is one, and nothing is left in the cache."""
    found = loader(n_train=10)
    assert not found.is_real and found.name == f"stand-in for {title}"
    assert leftovers(small) == []
    printed = capsys.readouterr().out
    said = re.search(
        rf"^STAND-IN DATA in place of {title}: the download failed \((.+)\)\.", printed, re.M
    )
    assert "BOOK_DATA" in printed
    return said[1]


@pytest.fixture
def served(small, monkeypatch):
    """A file that Keras's own `get_file` downloads, in place of MNIST's."""
    file = small.with_name("served.npz")
    small.rename(file)
    monkeypatch.setattr(keras.utils, "get_file", get_file)
    monkeypatch.setattr(data, "MNIST_URL", file.as_uri())
    monkeypatch.setattr(data, "MNIST_SHA256", hashlib.sha256(file.read_bytes()).hexdigest())
    return file


def test_a_download_lands_in_the_cache_when_it_is_right(small, served, monkeypatch, capsys):
    right = served.read_bytes()
    for content in (written(x_train=X[::-1]), right[:-1]):
        served.write_bytes(content)
        assert "file hash does not match" in reason(small, capsys)
        data.FAILED.clear()
    served.write_bytes(right)
    for fetch in (get_file, offline):  # the second time, there's no need of it
        monkeypatch.setattr(keras.utils, "get_file", fetch)
        data._read.cache_clear()
        assert_right(load_mnist())
        assert leftovers(small) == ["mnist.npz"] and "STAND-IN" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "text"),
    [(OSError("first line\nsecond line"), "first line"), (TimeoutError(), "TimeoutError()")],
)
def test_a_download_fails_once_a_process_and_says_why(small, monkeypatch, capsys, error, text):
    calls, content = [], small.read_bytes()

    def fails(name, origin, file_hash, cache_dir):
        Path(cache_dir, name).write_bytes(b"half")
        calls.append((name, socket.getdefaulttimeout()))
        raise error

    small.unlink()
    monkeypatch.setattr(keras.utils, "get_file", fails)
    for _ in range(3):
        assert reason(small, capsys) == text
    assert calls == [("mnist.npz", data.TIMEOUT)] and socket.getdefaulttimeout() is None
    small.write_bytes(content)  # as the message advises
    assert_right(load_mnist())


def test_an_interrupted_download_leaves_nothing_and_can_be_repeated(small, served, monkeypatch):
    def dies(name, origin, file_hash, cache_dir):
        Path(cache_dir, name).write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupted:
        interrupted.setattr(keras.utils, "get_file", dies)
        with pytest.raises(KeyboardInterrupt):
            load_mnist()
    assert leftovers(small) == [] and socket.getdefaulttimeout() is None
    assert_right(load_mnist())


def test_two_processes_download_at_once(small, served, monkeypatch):
    inodes = []

    def second_is_faster(*args, **options):
        mine = get_file(*args, **options)
        inodes.append(os.stat(mine).st_ino)
        place = small.parent / "keras" / "datasets"
        assert not (place / "mnist.npz").exists()  # until it is whole
        (place / ".loading-of-a-killed-process").mkdir()
        (place / "mnist.npz").write_bytes(served.read_bytes())
        return mine

    monkeypatch.setattr(keras.utils, "get_file", second_is_faster)
    assert_right(load_mnist())
    moved = small.parent / "keras" / "datasets" / "mnist.npz"
    assert inodes == [moved.stat().st_ino]  # in one step, not written again
    assert sorted(leftovers(small)) == [".loading-of-a-killed-process", "mnist.npz"]


# CIFAR-10, of which Keras keeps a copy of its own kind

RNG = np.random.default_rng(4)
COLOUR = {
    "x_train": RNG.integers(0, 256, (20, 32, 32, 3), "uint8"),
    "y_train": RNG.integers(0, 10, 20, "uint8"),
    "x_test": RNG.integers(0, 256, (8, 32, 32, 3), "uint8"),
    "y_test": RNG.integers(0, 10, 8, "uint8"),
}


@pytest.fixture
def colour(small, monkeypatch):
    """Keras has a miniature of CIFAR-10, of whose 8 test images 4 have a digest."""
    covered = {name: a[:4] if "test" in name else a for name, a in COLOUR.items()}
    monkeypatch.setitem(data.SHA256, "cifar10", digests(covered))
    monkeypatch.setitem(data.ROWS, "cifar10", {"train": ((20,), 20), "test": ((4, 8), 4)})

    def kept(**change):
        x_train, y_train, x_test, y_test = ({**COLOUR, **change}[name] for name in COLOUR)
        pairs = (x_train, y_train[:, None]), (x_test, y_test[:, None])
        monkeypatch.setattr(keras.datasets.cifar10, "load_data", lambda: pairs)

    kept()
    return kept


def test_keras_own_cifar10_is_converted_once(small, colour, monkeypatch):
    assert_right(load_cifar10(), COLOUR, n_test=4)
    assert leftovers(small) == ["cifar10.npz"]
    monkeypatch.setattr(keras.datasets.cifar10, "load_data", offline)
    data._read.cache_clear()
    assert_right(load_cifar10(n_test=8), COLOUR)


def test_other_arrays_from_keras_arent_kept(small, colour, capsys):
    colour(x_train=COLOUR["x_train"][::-1])
    assert "expected x_train as uint8" in reason(small, capsys, load_cifar10, "CIFAR-10")


def test_the_default_test_images_dont_depend_on_the_file(small, colour):
    file = small.with_name("cifar10.npz")
    for there in (8, 4):
        few = {name: a[:there] if "test" in name else a for name, a in COLOUR.items()}
        np.savez(file, **few)
        data._read.cache_clear()
        assert_right(load_cifar10(), COLOUR, n_test=4)
        assert_right(load_cifar10(n_test=there), few)
        message = rf"^load_cifar10: n_test = {there + 1} is more than the {there} at hand$"
        with pytest.raises(ValueError, match=message):
            load_cifar10(n_test=there + 1)


def test_damage_beyond_the_digest_is_found_by_the_archive(small, colour):
    np.savez(small.with_name("cifar10.npz"), **COLOUR)
    whole, last = small.with_name("cifar10.npz").read_bytes(), COLOUR["x_test"][4:].tobytes()
    for place in whole.index(last) + np.array([0, 1000, len(last) - 1]):
        content = bit_flipped(whole, place)
        assert "CRC" in refusal(small.with_name("cifar10.npz"), content, load_cifar10)


def test_a_stand_in_has_the_real_shape_and_classes(small, colour, monkeypatch):
    small.unlink()
    monkeypatch.setattr(keras.datasets.cifar10, "load_data", offline)
    for found, tail in ((load_mnist(), (28, 28)), (load_cifar10(n_test=8), (32, 32, 3))):
        assert not found.is_real and found.x_train.shape[1:] == found.x_test.shape[1:] == tail
        assert len(np.unique(found.x_train, axis=0)) > 0.9 * len(found.x_train)
        assert set(found.y_train) <= set(range(10)) and len(set(found.y_train)) > 5


@pytest.mark.skipif("BOOK_DATA" not in os.environ, reason="BOOK_DATA isn't set: no real data")
def test_the_real_data_load():
    mnist, cifar = load_mnist(n_train=10), load_cifar10(n_train=10)
    assert mnist.is_real and mnist.x_test.shape == (10_000, 28, 28)
    assert cifar.is_real and cifar.x_train.shape == (10, 32, 32, 3)
    assert cifar.x_test.shape == (1_000, 32, 32, 3)
