"""Data are what they say: right arrays, a clear error, or a stand-in that calls itself one."""

import io
import multiprocessing
import os
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.datasets import make_moons

import utils.data as data
from tests.conftest import SMALL, digests, leftovers, offline
from utils.data import DataError, load, load_cifar10, load_mnist, load_moons, load_polynomial


def test_default_moons_are_the_published_draw():
    x, y = make_moons(100, noise=0.2, random_state=1)
    moons = load_moons()
    np.testing.assert_array_equal(moons.x_train, x[:30].astype("float32"))
    np.testing.assert_array_equal(moons.y_test, y[30:])
    assert moons.is_real and len(moons.x_validation) == 0


@pytest.mark.parametrize(
    ("name", "sizes", "x", "y", "spread"),
    [
        ("polynomial", (20, 0, 1000), [0.10005, 0.47810], [-0.82578, -1.23711], 0.81181),
        ("sequences", (64, 200, 500), [0.89883, 1.57374], [0.17600, -0.30761], 1.02285),
    ],
)
def test_default_draws_are_those_of_the_chapters(name, sizes, x, y, spread):
    """Their numbers rest on these draws; another one would change all of them."""
    toy = load(name)
    splits = (toy.y_train, toy.y_validation, toy.y_test)
    assert tuple(map(len, splits)) == sizes
    np.testing.assert_allclose(toy.x_train.ravel()[:2], x, atol=2e-5)
    np.testing.assert_allclose(toy.y_train[:2], y, atol=2e-5)
    assert toy.y_test.std() == pytest.approx(spread, abs=2e-5)


@pytest.mark.parametrize("name", ["moons", "polynomial", "sequences"])
def test_toys_have_the_sizes_asked_for_and_repeat(name):
    first, again, other = (
        load(name, n_train=7, n_validation=5, n_test=3, seed=s) for s in (4, 4, 5)
    )
    for split, n in (("train", 7), ("validation", 5), ("test", 3)):
        assert len(getattr(first, f"x_{split}")) == len(getattr(first, f"y_{split}")) == n
    np.testing.assert_array_equal(first.x_train, again.x_train)
    assert not np.array_equal(first.x_train, other.x_train)
    assert first.x_train.dtype == np.float32
    assert first.y_train.dtype == (np.int64 if name == "moons" else np.float32)


@pytest.mark.parametrize(
    ("name", "noise", "title"),
    [
        ("moons", 0.25, "moons, noise 0.25"),
        ("polynomial", 0.0, "cubic, noise 0"),
        ("sequences", 1, "sums of two sines, noise 1"),
    ],
)
def test_a_data_set_says_what_it_is(name, noise, title):
    toy = load(name, n_train=7, n_validation=5, n_test=3, noise=noise)
    assert toy.name == title and toy.is_real
    tail = toy.x_train.shape[1:]
    shapes = ", ".join(
        f"{split} {(n, *tail)}" for split, n in (("train", 7), ("validation", 5), ("test", 3))
    )
    assert repr(toy) == f"Dataset({title}: {shapes})"


def test_polynomial_noise_is_what_it_says():
    toy = load_polynomial(n_train=20_000, noise=0.3)
    rest = toy.y_train - data.polynomial_target(toy.x_train[:, 0])
    assert rest.std() == pytest.approx(0.3, rel=0.03)
    assert toy.x_train.min() < -0.99 and toy.x_train.max() < 1
    few = load_polynomial(n_train=20, n_test=5)
    np.testing.assert_array_equal(few.x_train, toy.x_train[:20])


def test_sequences_have_the_length_and_shape():
    with pytest.raises(ValueError, match=r"^load_sequences: length must be at least 1, not 0$"):
        data.load_sequences(length=0)
    series = data.load_sequences(n_train=4, length=9, noise=0)
    assert series.x_train.shape == (4, 9, 1)
    assert data.load_sequences(length=1).x_train.shape == (64, 1, 1)
    assert np.abs(series.x_train).max() <= 2


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
    assert len(load_mnist(n_validation=8).x_train) == 42


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_train": 45, "n_validation": 10}, "55 images are asked for, MNIST has 50"),
        ({"n_validation": 50}, "n_train must be an integer >= 1"),
        ({"n_train": 0}, "n_train must be an integer >= 1, not 0"),
        ({"n_train": 2.5}, "n_train must be an integer"),
        ({"n_train": True}, "n_train must be an integer"),
        ({"n_test": 21}, "n_test = 21 images are asked for, there are 20"),
        ({"n_train": 5, "n_validation": -1}, "n_validation must be an integer >= 0, not -1"),
        ({"n_test": -1}, "n_test must be an integer >= 0, not -1"),
        ({"n_train": 5, "seed": -1}, "seed must be an integer >= 0"),
    ],
)
def test_bad_sizes_are_named(small, options, message):
    with pytest.raises(ValueError, match=f"^load_mnist: .*{message}"):
        load_mnist(**options)


@pytest.mark.parametrize("name", ["moons", "polynomial", "sequences"])
@pytest.mark.parametrize(
    "option",
    [
        {"noise": -0.1},
        {"noise": float("nan")},
        {"noise": float("inf")},
        {"n_train": 0},
        {"n_validation": -1},
        {"n_test": -1},
        {"seed": 1.5},
    ],
)
def test_bad_toy_options_are_named(name, option):
    with pytest.raises(ValueError, match=f"load_{name}: {next(iter(option))}"):
        load(name, **option)


def test_unknown_name_lists_the_known():
    with pytest.raises(ValueError, match=r"'minst' is unknown; there are moons, .*mnist"):
        load("minst")


def test_every_truncation_is_an_error(small):
    whole = small.read_bytes()
    for end in np.linspace(0, len(whole) - 1, 25).astype(int):
        small.write_bytes(whole[:end])
        with pytest.raises(
            DataError, match=r"mnist\.npz is not what it should be.*Delete or replace"
        ):
            load_mnist()


def test_flipped_bits_never_give_a_wrong_array(small):
    whole = bytearray(small.read_bytes())
    expected = load_mnist().x_train
    for place in np.random.default_rng(0).integers(0, len(whole), 60):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(place % 8)
        small.write_bytes(damaged)
        os.utime(small, ns=(int(place), int(place)))
        try:
            np.testing.assert_array_equal(load_mnist().x_train, expected)
        except DataError as error:
            assert "mnist.npz" in str(error)


def test_a_file_that_changes_is_read_again(small):
    whole, moment = small.read_bytes(), 10**18
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 1
    for content, later in ((bytes(damaged), 1), (whole[:-1], 0)):  # the size stays, the time stays
        small.write_bytes(whole)
        os.utime(small, ns=(moment, moment))
        assert load_mnist(n_train=10).is_real
        small.write_bytes(content)
        os.utime(small, ns=(moment, moment + later * 10**9))
        with pytest.raises(DataError):
            load_mnist(n_train=10)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x_test": None}, "no x_test.npy"),
        ({"x_train": SMALL["x_train"][:40]}, r"expected x_train .* found uint8 of shape \(40"),
        ({"x_train": SMALL["x_train"] / 255}, "found float64"),
        (
            {"y_train": SMALL["y_train"][::-1]},
            r"expected y_train with the SHA-256 [0-9a-f]{12}…, found [0-9a-f]{12}…\.",
        ),
        ({"y_train": np.array([{"a": 1}] * 50, object)}, "pickle"),
    ],
)
def test_wrong_content_is_named(small, change, message):
    arrays = {k: v for k, v in {**SMALL, **change}.items() if v is not None}
    np.savez(small, **arrays)
    with pytest.raises(DataError, match=message):
        load_mnist()


def test_a_zip_bomb_is_not_unpacked(small):
    with zipfile.ZipFile(small, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in SMALL:
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                for _ in range(100):
                    member.write(bytes(1_000_000))
    with pytest.raises(DataError, match="at most 250 MB"):
        load_mnist()


def test_missing_folder_is_an_error(small, monkeypatch):
    monkeypatch.setenv("BOOK_DATA", str(small.parent / "nowhere"))
    message = "names the folder .*nowhere, which isn't there; correct the variable or unset"
    with pytest.raises(DataError, match=message):
        load_mnist()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs file modes that bind")
def test_unreadable_file_is_an_error(small):
    small.chmod(0)
    with pytest.raises(DataError, match="no permission"):
        load_mnist()


def test_permission_error_is_explained(small, monkeypatch):
    def denied(*args):
        raise PermissionError(13, "denied")

    monkeypatch.setattr(data, "_read", denied)
    with pytest.raises(DataError, match="no permission; change its mode"):
        load_mnist()


def test_folder_without_the_file_goes_on_to_the_cache(small):
    cache = small.parent / "keras" / "datasets"
    cache.mkdir(parents=True)
    small.rename(cache / "mnist.npz")
    assert load_mnist().is_real


def test_without_keras_home_the_cache_is_where_keras_has_it(small, monkeypatch):
    home = small.parent / "home"
    cache = home / ".keras" / "datasets"
    cache.mkdir(parents=True)
    small.rename(cache / "mnist.npz")
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setattr(Path, "home", lambda: home)
    assert load_mnist().is_real


def test_no_network_gives_a_stand_in_that_says_so(small, capsys):
    small.unlink()
    stand_in = load_mnist(n_train=10)
    assert not stand_in.is_real
    assert stand_in.name == "stand-in for MNIST"
    printed = capsys.readouterr().out
    assert "STAND-IN DATA in place of MNIST: the download failed (no network)" in printed
    assert "BOOK_DATA" in printed
    assert stand_in.x_train.shape == (10, 28, 28)
    assert set(np.unique(load_mnist().y_train)) <= set(range(10))
    assert leftovers(small) == []


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError("first line\nsecond line"), "first line"),
        (TimeoutError(), "TimeoutError"),
        (ValueError("math domain error"), "the file that came is empty"),
    ],
)
def test_a_stand_in_gives_the_reason_in_a_line(small, monkeypatch, capsys, error, reason):
    def fails(*args, **options):
        raise error

    small.unlink()
    monkeypatch.setattr(keras.utils, "get_file", fails)
    assert not load_mnist(n_train=10).is_real
    assert f"MNIST: the download failed ({reason}). For the real" in capsys.readouterr().out


def serve(small, monkeypatch):
    content = small.read_bytes()
    small.unlink()

    def fetch(name, origin, file_hash, cache_dir):
        target = Path(cache_dir) / "datasets" / name
        target.parent.mkdir()
        target.write_bytes(content)
        return str(target)

    monkeypatch.setattr(keras.utils, "get_file", fetch)


def test_a_download_lands_in_the_cache(small, monkeypatch, capsys):
    serve(small, monkeypatch)
    assert load_mnist(n_train=10).is_real
    assert leftovers(small) == ["mnist.npz"]
    monkeypatch.setattr(keras.utils, "get_file", offline)
    assert load_mnist(n_train=10).is_real
    assert capsys.readouterr().out == ""


def test_an_interrupted_download_leaves_nothing(small, monkeypatch):
    small.unlink()

    def dies(name, origin, file_hash, cache_dir):
        (Path(cache_dir) / name).write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(keras.utils, "get_file", dies)
    with pytest.raises(KeyboardInterrupt):
        load_mnist()
    assert leftovers(small) == []


def _load_in_child(_):
    return float(load_mnist(n_train=5).x_train.sum())


@pytest.mark.skipif(os.name == "nt", reason="needs fork")
def test_processes_at_once_get_the_same_arrays(small, monkeypatch):
    serve(small, monkeypatch)
    with multiprocessing.get_context("fork").Pool(4) as pool:
        sums = pool.map(_load_in_child, range(8))
    assert len(set(sums)) == 1
    assert leftovers(small) == ["mnist.npz"]


def test_binary_cifar10_is_read_without_pickle(tmp_path, monkeypatch):
    import tarfile

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (6, 4, 32, 32, 3), "uint8")
    labels = rng.integers(0, 10, (6, 4), "uint8")
    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    with tarfile.open(tmp_path / "cifar.tar.gz", "w:gz") as tar:
        for name, x, y in zip(names, images, labels, strict=True):
            raw = np.concatenate([y[:, None], x.transpose(0, 3, 1, 2).reshape(4, -1)], axis=1)
            info = tarfile.TarInfo(f"cifar-10-batches-bin/{name}.bin")
            info.size = raw.size
            tar.addfile(info, io.BytesIO(raw.tobytes()))
    expected = {
        "x_train": images[:5].reshape(20, 32, 32, 3),
        "y_train": labels[:5].ravel(),
        "x_test": images[5],
        "y_test": labels[5],
    }
    monkeypatch.setitem(data.SHA256, "cifar10", digests(expected))
    monkeypatch.setitem(data.ROWS, "cifar10", {"train": ((20,), 20), "test": ((4,), 4)})
    with np.load(data._converted_cifar10(tmp_path / "cifar.tar.gz")) as arrays:
        for name, array in expected.items():
            np.testing.assert_array_equal(arrays[name], array)


def test_cifar10_stand_in_has_the_real_shape(small, capsys):
    data._stand_in.cache_clear()
    stand_in = load_cifar10(n_train=100, n_test=10)
    assert stand_in.x_train.shape == (100, 32, 32, 3) and len(stand_in.x_test) == 10
    assert not stand_in.is_real
    assert "STAND-IN DATA in place of CIFAR-10" in capsys.readouterr().out


def test_digest_tells_arrays_apart():
    x = np.arange(6, dtype="float32")
    others = [x.reshape(2, 3), x.astype("float64"), x + 1]
    assert len({data.digest(a) for a in [x, *others]}) == 4
    assert data.digest(x) == data.digest(x.copy())
    assert data.digest(x.reshape(2, 3).T) == data.digest(x.reshape(2, 3).T.copy())


@pytest.mark.skipif("BOOK_DATA" not in os.environ, reason="BOOK_DATA isn't set: no real data")
def test_the_real_data_load():
    mnist, cifar = load_mnist(n_train=10), load_cifar10(n_train=10)
    assert mnist.is_real and mnist.x_test.shape == (10_000, 28, 28)
    assert cifar.is_real and cifar.x_train.shape == (10, 32, 32, 3)
