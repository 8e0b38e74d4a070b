"""Faults of files, disks, networks and processes: a clear error or the right arrays, never others.

Where nothing can be had, the error is the reason that a stand-in gives, which says that it is one.
"""

import contextlib
import errno
import hashlib
import http.server
import io
import json
import os
import pickle
import re
import socket
import subprocess
import sys
import tarfile
import threading
import time
import tracemalloc
import urllib.request
import zipfile
import zlib
from pathlib import Path

import keras
import numpy as np
import pytest
from keras.utils import get_file  # before the fixture `small` takes the network away

import utils.data as data
from tests.conftest import SMALL, digests, leftovers
from utils.data import DataError, load, load_cifar10, load_mnist

ROOT = Path(__file__).parents[1]
PATIENCE = 300  # seconds for another process or thread; reached only when a test fails


def assert_right(found, arrays=SMALL):
    order = np.random.default_rng(0).permutation(len(arrays["x_train"]))
    assert found.is_real
    np.testing.assert_array_equal(found.x_train, arrays["x_train"][order] / np.float32(255))
    np.testing.assert_array_equal(found.y_train, arrays["y_train"][order])
    np.testing.assert_array_equal(found.x_test, arrays["x_test"] / np.float32(255))
    np.testing.assert_array_equal(found.y_test, arrays["y_test"])


def refusal(file, loader=load_mnist):
    """The error's message: which file, what was expected and found, and what to do, each once."""
    with pytest.raises(DataError) as error:
        loader()
    message = str(error.value)
    assert message.startswith(f"{file} is not what it should be: expected ")
    assert message.endswith(". Delete or replace the file and run again.")
    assert message.count("is not what it should be") == message.count(", found ") == 1
    return message


def is_refused(file, content):
    """Whether the file with this content is refused; if not, its arrays are the right ones."""
    file.write_bytes(content)
    data._read.cache_clear()  # two writes can fall into one tick of the file system's clock
    try:
        found = load_mnist()
    except DataError:
        refusal(file)
        return True
    assert_right(found)
    return False


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def zipped(members, method=zipfile.ZIP_STORED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


MEMBERS = {f"{name}.npy": npy(array) for name, array in SMALL.items()}
METHODS = pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])


def bit_flipped(content, place, bit):
    damaged = bytearray(content)
    damaged[place] ^= 1 << int(bit)
    return bytes(damaged)


# Damaged files


@METHODS
def test_no_part_of_a_file_passes_for_the_whole(small, method):
    whole = zipped(MEMBERS, method)
    assert not is_refused(small, whole)
    directory = whole.index(b"PK\x01\x02")
    ends = [np.linspace(0, directory, 25), np.linspace(directory + 1, len(whole) - 1, 25)]
    for end in np.concatenate(ends).astype(int):
        assert is_refused(small, whole[:end])


@METHODS
def test_no_flipped_bit_gives_other_arrays(small, method):
    whole = zipped(MEMBERS, method)
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        starts = [member.header_offset for member in archive.infolist()]
    # Most bytes are pixels: half of the places are in the headers and in the directory.
    structure = [np.arange(start, start + 180) for start in starts]
    structure = np.concatenate([*structure, np.arange(whole.index(b"PK\x01\x02"), len(whole))])
    rng = np.random.default_rng(0)
    places = [*rng.choice(structure, 100, replace=False), *rng.integers(0, len(whole), 100)]
    refused = [is_refused(small, bit_flipped(whole, p, rng.integers(8))) for p in places]
    # Others are without effect, such as those in the date of a member.
    assert sum(refused) > 120 and all(refused[100:])


@pytest.mark.parametrize("member", MEMBERS)
def test_no_flipped_bit_under_a_valid_checksum_gives_other_arrays(small, member):
    rng = np.random.default_rng(0)
    content = MEMBERS[member]
    for place in [*rng.choice(128, 25, replace=False), *rng.integers(128, len(content), 25)]:
        damaged = bit_flipped(content, place, rng.integers(8))
        refused = is_refused(small, zipped({**MEMBERS, member: damaged}))
        assert refused or place < 128


# Wrong content


X, Y = SMALL["x_train"], SMALL["y_train"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x_train": X.astype("int64")}, r"x_train as uint8 of shape .* found int64"),
        ({"y_train": Y.astype("float32")}, r"y_train as uint8 of shape .* found float32"),
        # The same bytes as the right ones, taken for something else.
        ({"x_train": X.view("int8")}, "found int8"),
        ({"x_train": X.view("S1")}, r"found \|S1"),
        ({"x_train": X.view([("pixel", "u1")])}, "found .*pixel"),
        ({"x_train": X.reshape(50, 784)}, r"found uint8 of shape \(50, 784\)"),
        ({"x_train": X[..., None]}, r"found uint8 of shape \(50, 28, 28, 1\)"),
        ({"y_train": Y[:, None]}, r"found uint8 of shape \(50, 1\)"),
        ({"y_train": Y.view("uint16")}, r"found uint16 of shape \(25,\)"),
        ({"x_train": X.swapaxes(1, 2)}, "SHA-256"),
        ({"x_train": SMALL["x_test"], "x_test": X}, r"found uint8 of shape \(20"),
        ({"y_train": SMALL["y_test"], "y_test": Y}, r"found uint8 of shape \(20"),
        ({"x_train": Y, "y_train": X}, r"found uint8 of shape \(50,\)"),
        ({"x_train": X[[1, 0, *range(2, 50)]]}, "SHA-256"),
        ({"x_train": np.concatenate([X, X[:1]])}, r"found uint8 of shape \(51"),
        ({"y_test": SMALL["y_test"][:-1]}, r"found uint8 of shape \(19"),
        ({"y_test": Y[:0]}, r"found uint8 of shape \(0"),
        ({"y_test": np.uint8(3)}, r"found uint8 of shape \(\)"),
    ],
)
def test_wrong_arrays_are_refused(small, change, message):
    np.savez(small, **{**SMALL, **change})
    assert re.search(message, refusal(small))


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, "no x_test.npy"),
        ({name: c for name, c in MEMBERS.items() if "train" in name}, "no x_test.npy"),
        ({name.upper(): c for name, c in MEMBERS.items()}, "no x_test.npy"),
        ({f"mnist/{name}": c for name, c in MEMBERS.items()}, "no x_test.npy"),
        ({name.removesuffix(".npy"): c for name, c in MEMBERS.items()}, "no x_test.npy"),
        ({**MEMBERS, "x_train.npy": X.tobytes()}, "magic"),
        ({**MEMBERS, "x_train.npy": b""}, "EOF"),
        ({**MEMBERS, "x_train.npy": zipped(MEMBERS)}, "magic"),
    ],
)
def test_wrong_members_are_refused(small, members, message):
    small.write_bytes(zipped(members))
    assert message in refusal(small)


@pytest.mark.parametrize("name", ["x_train", "x_train.npy.npy", "./x_train.npy", "z.npy", "z.txt"])
def test_members_beyond_the_four_are_not_looked_at(small, name):
    assert not is_refused(small, zipped({**MEMBERS, name: npy(X[::-1])}))
    assert not is_refused(small, zipped({name: b"text", **MEMBERS}))


def test_an_array_in_fortran_order_is_the_same_array(small):
    np.savez(small, **{**SMALL, "x_train": np.asfortranarray(X)})
    assert_right(load_mnist())


def tarred():
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("x_train.npy"))
    return stream.getvalue()


ODD_FILES = {
    "empty": b"",
    "text": "Not found — try again later\n".encode(),
    "a web page": b"<!DOCTYPE html><title>Sign in</title>",
    "zeros": bytes(100_000),
    "one array": MEMBERS["x_train.npy"],
    "another archive": tarred(),
    "an archive within an archive": zipped({"mnist.npz": zipped(MEMBERS)}),
}


@pytest.mark.parametrize("where", ["BOOK_DATA", "cache"])
def test_odd_files_are_refused(small, where):
    file = small
    if where == "cache":
        file = small.parent / "keras" / "datasets" / "mnist.npz"
        file.parent.mkdir(parents=True)
    small.unlink()
    for content in ODD_FILES.values():
        file.write_bytes(content)
        refusal(file)
    file.unlink()
    file.mkdir()
    assert "IsADirectoryError" in refusal(file)
    if where == "cache":
        assert leftovers(small) == ["mnist.npz"]


# Files that mean harm


class Harm:
    """Creates a folder when it is unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (self.marker,)


def object_array(marker, shape=(50,)):
    array = np.empty(shape, object)
    array.fill(Harm(marker))
    return array


def harm_in_a_structure(marker):
    array = np.zeros(50, [("label", "u1"), ("more", "O")])
    array["more"] = object_array(marker)
    return array


@pytest.mark.parametrize(
    "plant",
    [
        lambda marker: zipped({**MEMBERS, "x_train.npy": npy(object_array(marker))}),
        lambda marker: zipped({**MEMBERS, "y_test.npy": npy(harm_in_a_structure(marker))}),
        lambda marker: zipped({**MEMBERS, "x_train.npy": pickle.dumps(Harm(marker))}),
        lambda marker: zipped({**MEMBERS, "more.npy": npy(object_array(marker))}),
        lambda marker: zipped({**MEMBERS, "x_train": pickle.dumps(Harm(marker))}),
        lambda marker: npy(object_array(marker)),
        lambda marker: pickle.dumps(Harm(marker)),
        lambda marker: pickle.dumps(Harm(marker)) + zipped(MEMBERS),
    ],
    ids=["array", "structure", "member", "fifth", "fifth without .npy", "npy", "pickle", "before"],
)
def test_nothing_is_unpickled(small, plant):
    marker = small.parent / "harm"
    is_refused(small, plant(marker))
    assert not marker.exists()


def test_the_planted_pickle_would_do_harm(small):
    marker = small.parent / "harm"
    np.load(io.BytesIO(npy(object_array(marker, ()))), allow_pickle=True)
    assert marker.is_dir()


def with_sizes(archive, sizes):
    """The archive with other sizes claimed for its members, in the directory and before each."""
    changed = bytearray(archive)
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        members = opened.infolist()
        entry = opened.start_dir
    for info in members:
        if info.filename in sizes:
            size = sizes[info.filename].to_bytes(4, "little")
            changed[entry + 24 : entry + 28] = size
            changed[info.header_offset + 22 : info.header_offset + 26] = size
        entry += 46 + len(info.filename)
    return bytes(changed)


def deflated_zeros(head, megabytes):
    """A deflate stream of `head` and that many megabytes of zeros, without compressing each."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    begin = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(1_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)
    return begin + block * megabytes + packer.flush()


def with_stream(name, stream):
    """The four members and one, or one of them, whose compressed bytes are given."""
    archive = bytearray(zipped({**MEMBERS, name: stream}))
    entry = archive.index(b"PK\x01\x02")
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        for info in opened.infolist():
            if info.filename == name:
                for at in (info.header_offset + 8, entry + 10):
                    archive[at : at + 2] = zipfile.ZIP_DEFLATED.to_bytes(2, "little")
            entry += 46 + len(info.filename)
    return bytes(archive)


def claims_gigabytes():
    return with_sizes(zipped(MEMBERS, zipfile.ZIP_DEFLATED), {"x_train.npy": 2**32 - 2})


def hides_gigabytes():
    bomb = with_stream("x_train.npy", deflated_zeros(MEMBERS["x_train.npy"], 1000))
    return with_sizes(bomb, {"x_train.npy": len(MEMBERS["x_train.npy"])})


def hides_gigabytes_in_one_block():
    large = {**MEMBERS, "x_train.npy": MEMBERS["x_train.npy"] + bytes(60_000_000)}
    return with_sizes(
        zipped(large, zipfile.ZIP_BZIP2), {"x_train.npy": len(MEMBERS["x_train.npy"])}
    )


def has_gigabytes_in_a_fifth_member():
    bomb = with_stream("x_train", deflated_zeros(b"", 1000))
    return with_sizes(bomb, {"x_train": 1_000_000_000})


@pytest.mark.parametrize(
    "bomb",
    [
        claims_gigabytes,
        hides_gigabytes,
        hides_gigabytes_in_one_block,
        has_gigabytes_in_a_fifth_member,
    ],
)
def test_a_bomb_takes_little_memory(small, bomb):
    content = bomb()
    assert len(content) < 5e6
    tracemalloc.start()
    try:
        refused = is_refused(small, content)
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()
    assert refused == (bomb is not has_gigabytes_in_a_fifth_member)


@pytest.mark.parametrize("rows", [2**22, 2**40, 2**62, 10**40])
def test_an_array_that_claims_gigabytes_is_refused(small, rows):
    header = io.BytesIO()
    form = {"descr": "|u1", "fortran_order": False, "shape": (rows, 28, 28)}
    np.lib.format.write_array_header_1_0(header, form)
    assert is_refused(small, zipped({**MEMBERS, "x_train.npy": header.getvalue() + X.tobytes()}))


# Downloads


@pytest.fixture
def server(small, monkeypatch):
    """A local server in place of MNIST's. Its `answer` is called with each request's handler."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            with contextlib.suppress(ConnectionError):
                server.answer(self)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{server.server_port}"
    server.answer, server.file = whole, small.read_bytes()
    server.half_sent, server.released = threading.Event(), threading.Event()
    small.unlink()
    monkeypatch.setattr(data, "MNIST_URL", f"{server.url}/mnist.npz")
    monkeypatch.setattr(data, "MNIST_SHA256", hashlib.sha256(server.file).hexdigest())
    monkeypatch.setattr(keras.utils, "get_file", get_file)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("BOOK_DATA")
    thread = threading.Thread(target=server.serve_forever, args=[0.05])
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


def send(handler, content, length=None, status=200, **headers):
    handler.send_response(status)
    headers |= {} if length is None else {"Content-Length": length}
    for name, value in headers.items():
        handler.send_header(name, str(value))
    handler.end_headers()
    handler.wfile.write(content)


def whole(handler):
    send(handler, handler.server.file, len(handler.server.file))


def half(handler):
    send(handler, handler.server.file[: len(handler.server.file) // 2], len(handler.server.file))


def half_of_unknown_length(handler):
    send(handler, handler.server.file[: len(handler.server.file) // 2])


def half_then_silence(handler):
    half(handler)
    handler.server.half_sent.set()
    handler.server.released.wait(PATIENCE)


def silence(handler):
    handler.server.released.wait(PATIENCE)


def nothing(handler):
    handler.close_connection = True


def another_file(handler):
    other = zipped({**MEMBERS, "x_train.npy": npy(X[::-1])})
    send(handler, other, len(other))


def empty_file(handler):
    send(handler, b"", 0)


def sign_in_page(handler):
    send(handler, ODD_FILES["a web page"], len(ODD_FILES["a web page"]))


def not_found(handler):
    send(handler, b"", 0, status=404)


def out_of_order(handler):
    send(handler, b"", 0, status=503)


def redirect_in_a_circle(handler):
    send(handler, b"", 0, status=302, Location=handler.path)


def not_http(handler):
    handler.wfile.write(b"220 mail server\r\n")
    handler.close_connection = True


def reason(small, capsys, loader=load_mnist, title="MNIST"):
    """Why there is a stand-in; it says that it is one, and nothing is left in the cache."""
    found = loader(n_train=10)
    assert not found.is_real and found.name == f"stand-in for {title}"
    assert leftovers(small) == []
    printed = capsys.readouterr().out
    said = re.search(rf"STAND-IN DATA in place of {title}: the download failed \((.+)\)\.", printed)
    return said[1]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (half, "got only"),
        (half_of_unknown_length, "file hash does not match"),
        (half_then_silence, "timed out"),
        (silence, "timed out"),
        (nothing, "closed connection"),
        (another_file, "file hash does not match"),
        (empty_file, "file hash does not match|is empty"),  # newer and older versions of Keras
        (sign_in_page, "file hash does not match"),
        (not_found, "404"),
        (out_of_order, "503"),
        (redirect_in_a_circle, "302"),
        (not_http, "220 mail server"),
    ],
)
def test_a_bad_server_leaves_nothing_behind(small, server, monkeypatch, capsys, answer, message):
    monkeypatch.setattr(data, "TIMEOUT", 0.5 if message == "timed out" else PATIENCE)
    server.answer = answer
    said = reason(small, capsys)
    assert any(part in said for part in message.split("|"))
    assert socket.getdefaulttimeout() is None
    monkeypatch.setattr(data, "TIMEOUT", PATIENCE)
    server.answer = whole
    assert_right(load_mnist())
    assert leftovers(small) == ["mnist.npz"]


def test_no_server_leaves_nothing_behind(small, server, monkeypatch, capsys):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    monkeypatch.setattr(data, "MNIST_URL", f"http://127.0.0.1:{port}/mnist.npz")
    assert "refused" in reason(small, capsys)


def test_a_bad_file_in_the_cache_is_an_error_without_a_download(small, server):
    assert_right(load_mnist())
    server.answer = not_found
    cached = small.parent / "keras" / "datasets" / "mnist.npz"
    assert is_refused(cached, server.file[:-1])
    assert leftovers(small) == ["mnist.npz"]


# CIFAR-10, whose download is converted

RNG = np.random.default_rng(4)
COLOUR = {
    "x_train": RNG.integers(0, 256, (20, 32, 32, 3), "uint8"),
    "y_train": RNG.integers(0, 10, 20, "uint8"),
    "x_test": RNG.integers(0, 256, (8, 32, 32, 3), "uint8"),
    "y_test": RNG.integers(0, 10, 8, "uint8"),
}


def batches():
    """The members of the binary version, 4 images in each batch for training."""
    members = {}
    for i in range(6):
        split, rows = ("train", slice(4 * i, 4 * i + 4)) if i < 5 else ("test", slice(None))
        x, y = COLOUR[f"x_{split}"][rows], COLOUR[f"y_{split}"][rows]
        pixels = x.transpose(0, 3, 1, 2).reshape(len(x), -1)
        name = f"data_batch_{i + 1}" if i < 5 else "test_batch"
        members[f"cifar-10-batches-bin/{name}.bin"] = np.column_stack([y, pixels]).tobytes()
    return members


BATCHES = batches()
THIRD, TEST = "cifar-10-batches-bin/data_batch_3.bin", "cifar-10-batches-bin/test_batch.bin"


def tar(members):
    """A tar of bytes, or of links and devices as (type, target)."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=1) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                info.size = len(content)
            else:
                info.type, info.linkname = content
                info.devmajor, info.devminor = 1, 5  # /dev/zero
            archive.addfile(info, io.BytesIO(content if isinstance(content, bytes) else b""))
    return stream.getvalue()


@pytest.fixture
def colour(server, monkeypatch):
    """The server has a miniature of CIFAR-10, of whose 8 test images 4 have a digest."""
    covered = {name: a[:4] if "test" in name else a for name, a in COLOUR.items()}
    monkeypatch.setitem(data.SHA256, "cifar10", digests(covered))
    monkeypatch.setitem(data.ROWS, "cifar10", {"train": ((20,), 20), "test": ((4, 8), 4)})
    monkeypatch.setattr(data, "CIFAR10_URL", f"{server.url}/cifar-10-binary.tar.gz")

    def put(content):
        server.file = content
        monkeypatch.setattr(data, "CIFAR10_MD5", hashlib.md5(content).hexdigest())

    put(tar(BATCHES))
    server.put = put
    return server


def test_a_downloaded_cifar10_is_right(small, colour):
    assert_right(load_cifar10(), COLOUR)
    assert leftovers(small) == ["cifar10.npz"]
    colour.answer = not_found
    data._read.cache_clear()
    assert_right(load("cifar10"), COLOUR)


def test_a_tar_writes_nowhere_else(small, colour):
    outside = small.parent / "outside"
    hostile = {
        "../../../../outside": b"harm",
        str(outside): b"harm",
        "cifar-10-batches-bin": (tarfile.SYMTYPE, str(small.parent)),
        "cifar-10-batches-bin/outside": b"harm",
        "link": (tarfile.LNKTYPE, "../../../mnist.npz"),
        "zero.bin": (tarfile.CHRTYPE, ""),
        "pipe.bin": (tarfile.FIFOTYPE, ""),
    }
    before = set(small.parent.rglob("*"))
    colour.put(tar({**hostile, **BATCHES}))
    assert_right(load_cifar10(), COLOUR)
    cache = small.parent / "keras"
    created = set(small.parent.rglob("*")) - before
    assert created == {cache, cache / "datasets", cache / "datasets" / "cifar10.npz"}


def without(name):
    return {n: content for n, content in BATCHES.items() if n != name}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (tar(without(THIRD)), "data_batch_3"),
        (tar(without(TEST)), "test_batch"),
        (tar({**BATCHES, TEST: (tarfile.SYMTYPE, "/dev/zero")}), "test_batch"),
        (tar({**BATCHES, TEST: (tarfile.LNKTYPE, THIRD)}), "test_batch"),
        (tar({**BATCHES, TEST: (tarfile.CHRTYPE, "")}), "test_batch"),
        (tar({**BATCHES, TEST: (tarfile.FIFOTYPE, "")}), "test_batch"),
        (tar({**BATCHES, TEST: (tarfile.DIRTYPE, "")}), "test_batch"),
        (tar({**BATCHES, THIRD: BATCHES[THIRD][:-1]}), "3073"),
        (tar({**BATCHES, THIRD: BATCHES[THIRD] + b"0"}), "3073"),
        (tar({**BATCHES, THIRD: BATCHES[THIRD][:-3073]}), "shape (19, 32, 32, 3)"),
        (tar({**BATCHES, THIRD: b""}), "shape (16, 32, 32, 3)"),
        (tar({**BATCHES, THIRD: BATCHES[THIRD][::-1]}), "SHA-256"),
        (tar({**BATCHES, TEST: BATCHES[TEST][3073:] + BATCHES[TEST][:3073]}), "SHA-256"),
        (tar({**BATCHES, "../data_batch_3.bin": BATCHES[THIRD][::-1]}), "SHA-256"),
        (tar({}), "data_batch_1"),
        (tar(BATCHES)[:40_000], "end-of-stream"),
        (b"", "could not be opened|is empty"),  # newer and older versions of Keras
        (ODD_FILES["a web page"], "could not be opened"),
    ],
    # An archive holds the time when it was made, and every worker has to find the same names.
    ids=lambda value: "archive" if isinstance(value, bytes) else value,
)
def test_a_bad_tar_leaves_nothing_behind(small, colour, capsys, content, message):
    colour.put(content)
    said = reason(small, capsys, load_cifar10, "CIFAR-10")
    assert any(part in said for part in message.split("|"))
    assert message != "SHA-256" or said.startswith("cifar-10-binary.tar.gz is not what")
    colour.put(tar(BATCHES))
    assert_right(load_cifar10(), COLOUR)


def test_damage_beyond_the_digest_is_found_by_the_archive(small, colour, monkeypatch):
    file = small.with_name("cifar10.npz")
    monkeypatch.setenv("BOOK_DATA", str(small.parent))
    np.savez(file, **COLOUR)
    whole, last = file.read_bytes(), COLOUR["x_test"][4:].tobytes()
    for place in whole.index(last) + np.random.default_rng(0).integers(0, len(last), 20):
        file.write_bytes(bit_flipped(whole, place, 0))
        data._read.cache_clear()
        assert "CRC" in refusal(file, load_cifar10)


def keras_cache(small):
    batch = small.parent / "keras" / "datasets" / "cifar-10-batches-py" / "data_batch_1"
    batch.parent.mkdir(parents=True)
    batch.write_bytes(pickle.dumps(Harm(small.parent / "harm")))
    return batch.parent.parent / "cifar-10-batches-py*"


def test_keras_own_cifar10_is_checked(small, colour, monkeypatch):
    place = keras_cache(small)
    labels = {name: COLOUR[name].astype("int64")[:, None] for name in ("y_train", "y_test")}
    train, test = (COLOUR["x_train"], labels["y_train"]), (COLOUR["x_test"], labels["y_test"])
    waits = []

    def kept(*arrays):
        def load_data():
            waits.append(socket.getdefaulttimeout())
            return arrays

        monkeypatch.setattr(keras.datasets.cifar10, "load_data", load_data)

    kept(train, test)
    assert_right(load_cifar10(), COLOUR)
    # Keras may download the archive again, and has no limit of its own.
    assert waits == [data.TIMEOUT]
    kept((train[0][::-1], train[1]), test)
    assert "SHA-256" in refusal(place, load_cifar10)
    kept((train[0], train[1][:, 0]), test)
    assert "expected CIFAR-10 as Keras keeps it, found IndexError" in refusal(place, load_cifar10)
    kept((train[0], train[1] + 1), test)
    assert "y_train" in refusal(place, load_cifar10)
    assert not (small.parent / "harm").exists()


# Disks


def full():
    return OSError(errno.ENOSPC, "No space left on device")


def full_while_downloading(monkeypatch):
    class Disk(io.FileIO):
        def write(self, content):
            if self.tell() + len(content) > 20_000:
                raise full()
            return super().write(content)

    monkeypatch.setattr(urllib.request, "open", Disk, raising=False)


def full_while_converting(monkeypatch):
    def savez(file, **arrays):
        Path(file).write_bytes(b"half")
        raise full()

    monkeypatch.setattr(np, "savez", savez)


def full_while_moving(monkeypatch):
    def replace(source, target):
        raise full()

    monkeypatch.setattr(os, "replace", replace)


@pytest.mark.parametrize(
    "fault", [full_while_downloading, full_while_converting, full_while_moving]
)
def test_a_full_disk_leaves_nothing_behind(small, colour, monkeypatch, capsys, fault):
    with monkeypatch.context() as disk:
        fault(disk)
        assert "No space left" in reason(small, capsys, load_cifar10, "CIFAR-10")
    assert_right(load_cifar10(), COLOUR)
    assert leftovers(small) == ["cifar10.npz"]


MODES_BIND = pytest.mark.skipif(
    os.name == "nt" or os.geteuid() == 0, reason="needs file modes that bind"
)


@contextlib.contextmanager
def mode(folder, bits):
    folder.chmod(bits)
    try:
        yield
    finally:
        folder.chmod(0o755)


@MODES_BIND
@pytest.mark.parametrize("folder", ["keras", "keras/datasets"])
def test_a_read_only_cache_is_the_reason_given(small, server, capsys, folder):
    folder = small.parent / folder
    folder.mkdir(parents=True)
    with mode(folder, 0o555):
        assert "Permission denied" in reason(small, capsys)
    assert_right(load_mnist())


@MODES_BIND
def test_a_read_only_cache_that_has_the_file_is_enough(small, server):
    assert_right(load_mnist())
    data._read.cache_clear()
    with mode(small.parent / "keras" / "datasets", 0o555):
        assert_right(load_mnist())


@MODES_BIND
@pytest.mark.parametrize("variable", ["BOOK_DATA", "KERAS_HOME"])
def test_a_folder_without_permission_is_an_error(small, monkeypatch, variable):
    monkeypatch.delenv("BOOK_DATA")
    folder = small.parent / "closed"
    folder.mkdir()
    monkeypatch.setenv(variable, str(folder))
    with (
        mode(folder, 0),
        pytest.raises(DataError, match=f"{folder}.* can't be read: no permission; change"),
    ):
        load_mnist()


def test_a_file_where_the_cache_should_be_is_the_reason_given(small, server, capsys):
    (small.parent / "keras").write_text("not a folder")
    assert not load_mnist(n_train=10).is_real
    assert "the download failed" in capsys.readouterr().out
    assert (small.parent / "keras").read_text() == "not a folder"


# Processes

# Keras's get_file is tested above; to import it takes seconds, and minutes on a busy machine.
CHILD = """
import json, sys, types, urllib.request
from pathlib import Path

import utils.data as data

def get_file(name, origin, file_hash, cache_dir):
    file = Path(cache_dir, "datasets", name)
    file.parent.mkdir(exist_ok=True)
    urllib.request.urlretrieve(origin, file)
    return str(file)

sys.modules["keras"] = types.SimpleNamespace(utils=types.SimpleNamespace(get_file=get_file))
vars(data).update(json.loads(sys.argv[1]))
found = data.load_mnist()
print(found.is_real, data.digest(found.x_train), data.digest(found.y_test))
"""


@pytest.fixture
def child(server, monkeypatch):
    """Another process that loads MNIST from the server."""
    monkeypatch.setattr(data, "TIMEOUT", PATIENCE)
    names = ("MNIST_URL", "MNIST_SHA256", "SHA256", "ROWS", "TIMEOUT")
    settings = json.dumps({name: getattr(data, name) for name in names})
    command = [sys.executable, "-c", CHILD, settings]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    yield child
    child.kill()
    child.communicate()


def test_two_processes_download_at_once(small, server, child):
    meeting = threading.Barrier(2, timeout=PATIENCE)

    def both_at_once(handler):
        middle = len(server.file) // 2
        send(handler, server.file[:middle], len(server.file))
        meeting.wait()
        handler.wfile.write(server.file[middle:])

    server.answer = both_at_once
    found = load_mnist()
    assert_right(found)
    printed = child.communicate(timeout=PATIENCE)[0].splitlines()[-1]
    assert printed == f"True {data.digest(found.x_train)} {data.digest(found.y_test)}"
    assert leftovers(small) == ["mnist.npz"]
    server.answer = not_found
    data._read.cache_clear()
    assert_right(load_mnist())


def test_a_killed_download_is_not_taken_for_data(small, server, child):
    server.answer = half_then_silence
    cache = small.parent / "keras" / "datasets"
    assert server.half_sent.wait(PATIENCE)
    until = time.monotonic() + PATIENCE
    while not any(p.stat().st_size for p in cache.rglob("*.npz")):
        assert time.monotonic() < until
        time.sleep(0.05)
    child.kill()
    child.wait(PATIENCE)
    halves = leftovers(small)
    assert halves and all(name.startswith(".loading-") for name in halves)
    server.answer = whole
    assert_right(load_mnist())
    assert sorted(leftovers(small)) == sorted([*halves, "mnist.npz"])
