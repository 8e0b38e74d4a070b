"""Plain data, on its way into and out of the sandbox.

Numbers, text, arrays, and lists, tuples and dictionaries of them, written as JSON. Never pickle:
unpickling runs code, and what comes out of the sandbox is a stranger's. :func:`decode` trusts
nothing and gives objects of exactly these types, so that no answer can carry an ``__eq__`` of its
own to the tests.
"""

from __future__ import annotations

import array
import base64
import math
from collections import deque
from typing import Any

import numpy as np

DTYPES = {np.dtype(name).str for name in ("bool", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8")}
DTYPES |= {np.dtype(name).str for name in ("f2", "f4", "f8")}
DEPTH = 20
ITEMS = 100_000


class NotPlain(TypeError):
    """A value that isn't plain data."""


def encode(value: Any, depth: int = 0) -> Any:
    """What ``json.dumps`` takes, from plain data or from what NumPy makes an array of.

    Tensors and Keras variables become arrays, NumPy's numbers Python's, a callable just a mark.

    Raises
    ------
    NotPlain
        When the value is something else, or nested more than twenty deep.
    """
    if depth > DEPTH:
        raise NotPlain(f"a value nested more than {DEPTH} deep")
    kind = type(value)
    if value is None or kind in (bool, str, float):
        return value
    if kind is int:
        if abs(value) >= 2**63:
            raise NotPlain("an integer of more than 64 bits")
        return value
    if kind is array.array:
        return encode(np.array(value), depth)
    if isinstance(value, (list, range, deque)):
        return {"list": [encode(item, depth + 1) for item in value]}
    if isinstance(value, tuple):  # a named one as well
        return {"tuple": [encode(item, depth + 1) for item in value]}
    if isinstance(value, dict):  # also one that counts or has defaults
        pairs = [[encode(k, depth + 1), encode(v, depth + 1)] for k, v in value.items()]
        return {"dict": pairs}
    if isinstance(value, np.longdouble):  # its item() is no Python number
        return float(value)
    if isinstance(value, np.generic):
        return encode(value.item(), depth + 1)
    if not isinstance(value, np.ndarray) and callable(value) and not hasattr(value, "__array__"):
        return {"callable": True}
    if not hasattr(value, "__array__"):
        raise NotPlain(f"a value of type {kind.__name__}")
    numbers = np.asarray(value)
    if numbers.dtype == np.longdouble:
        numbers = numbers.astype("f8")
    numbers = numbers.astype(numbers.dtype.newbyteorder("="), copy=False)
    if numbers.dtype.str not in DTYPES:
        raise NotPlain(f"an array of {numbers.dtype}")
    data = base64.b64encode(np.ascontiguousarray(numbers).tobytes()).decode()
    return {"array": data, "dtype": numbers.dtype.str, "shape": list(numbers.shape)}


def decode(message: Any) -> Any:
    """The value that :func:`encode` wrote, rebuilt from a stranger's JSON.

    Sizes are limited so that nothing a test does with the value, comparing it or making an array of
    it, takes long or much memory: 64 bits a number, 100,000 items in all, 200 characters for a text
    within a list, 1,000 entries a dictionary, with text and numbers as keys.

    Raises
    ------
    NotPlain
        When the message isn't one that ``encode`` could have written, or too large.
    """
    if type(message) is str:
        return _text(message, 100_000)
    return _decode(message, 0, [ITEMS])


def _decode(message, depth, left):
    left[0] -= 1
    if left[0] < 0 or depth > DEPTH:
        raise NotPlain(f"a value of over {ITEMS} items, or nested too deep")
    kind = type(message)
    if message is None or kind in (bool, float):
        return message
    if kind is str:
        return _text(message, 200)
    if kind is int:
        if abs(message) >= 2**64:
            raise NotPlain("an integer of more than 64 bits")
        return message
    if kind is not dict:
        raise NotPlain("a malformed answer")
    if message.keys() == {"array", "dtype", "shape"}:
        return _array(message["array"], message["dtype"], message["shape"])
    if message == {"callable": True}:
        raise NotPlain("a function")
    if len(message) != 1:
        raise NotPlain("a malformed answer")
    ((name, items),) = message.items()
    if name not in ("list", "tuple", "dict") or type(items) is not list:
        raise NotPlain("a malformed answer")
    if name == "list":
        return [_decode(item, depth + 1, left) for item in items]
    if name == "tuple":
        return tuple(_decode(item, depth + 1, left) for item in items)
    if len(items) > 1000:
        raise NotPlain("a dictionary of over 1000 entries")
    if any(type(pair) is not list or len(pair) != 2 for pair in items):
        raise NotPlain("a malformed answer")
    pairs = [(_decode(k, depth + 1, left), _decode(v, depth + 1, left)) for k, v in items]
    if any(type(key) not in (str, int) for key, _ in pairs):
        raise NotPlain("a dictionary with keys that are neither text nor whole numbers")
    return dict(pairs)


def _text(text, limit):
    if len(text) > limit:
        raise NotPlain(f"a text of over {limit} characters")
    # Half of a surrogate pair is no character, and can't be written to a file.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _array(data, dtype, shape):
    plain = (
        type(data) is str
        and type(dtype) is str
        and dtype in DTYPES
        and type(shape) is list
        and len(shape) <= 8
        and all(type(n) is int and n >= 0 for n in shape)
        # Also without rows: a test may make an array of what is left of the shape.
        and math.prod(max(1, n) for n in shape) <= 2**24
    )
    if not plain:
        raise NotPlain("a malformed array")
    try:
        raw = base64.b64decode(data, validate=True)
    except ValueError:
        raise NotPlain("a malformed array") from None
    if len(raw) != math.prod(shape) * np.dtype(dtype).itemsize:
        raise NotPlain("an array whose size and shape disagree")
    return np.frombuffer(raw, dtype).reshape(shape).copy()
