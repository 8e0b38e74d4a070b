"""Affine jitter moves images as it says, and nothing else."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.ndimage import affine_transform

from utils.augment import affine_jitter

STILL = {"rotation": 0, "shift": 0, "scale": 0, "shear": 0}


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    picture = rng.random((6, 20, 24)).astype("float32")
    picture[:, :5], picture[:, -5:], picture[:, :, :6], picture[:, :, -6:] = 0, 0, 0, 0
    return picture


def test_nothing_asked_nothing_changed(images):
    np.testing.assert_allclose(affine_jitter(images, (0, 1), **STILL), images, atol=1e-6)


@pytest.mark.parametrize("channels", [None, 3])
def test_it_equals_scipys_affine_transform(images, channels):
    if channels:
        images = np.stack([images, images**2, 1 - images], axis=-1)
    options = {"rotation": 30.0, "shift": 2.5, "scale": 0.3, "shear": 0.2}
    moved = affine_jitter(images, (3, 4), **options).numpy()
    u = tf.random.stateless_uniform((5, 6, 1), (3, 4), -1.0, 1.0).numpy()[:, :, 0]
    middle = np.array([9.5, 11.5])
    for i in range(6):
        angle, size, slant = np.radians(30) * u[0, i], 1 + 0.3 * u[1, i], 0.2 * u[4, i]
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / size
        matrix = turn @ np.array([[1, 0], [slant, 1]])
        offset = middle - matrix @ (middle + 2.5 * u[2:4, i])
        for c in range(channels or 1):
            picture = images[i, ..., c] if channels else images[i]
            wanted = affine_transform(picture, matrix, offset, order=1, mode="grid-constant")
            got = moved[i, ..., c] if channels else moved[i]
            np.testing.assert_allclose(got, wanted, atol=2e-3)


def test_default_amounts(images):
    wanted = affine_jitter(images, (0, 1), rotation=10.0, shift=2.0, scale=0.1, shear=0.0)
    np.testing.assert_array_equal(affine_jitter(images, (0, 1)), wanted)


def test_amounts_stay_in_their_range_and_differ_by_image():
    dots = np.zeros((500, 31, 31), "float32")
    dots[:, 15, 15] = 1
    moved = affine_jitter(dots, (0, 0), **{**STILL, "shift": 4.0}).numpy()
    places = np.indices((31, 31)).reshape(2, -1)
    mass = moved.reshape(500, -1)
    offset = (mass @ places.T) / mass.sum(axis=1, keepdims=True) - 15
    assert np.abs(offset).max() <= 4.01
    assert np.abs(offset).max() > 3.5
    assert np.abs(offset.mean(axis=0)).max() < 0.5
    assert offset.std(axis=0).min() > 2


def test_seed_decides(images):
    first, again, other = (affine_jitter(images, (1, s)).numpy() for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_works_in_a_tf_data_map(images):
    batches = tf.data.Dataset.from_tensor_slices(images).batch(4)
    out = list(batches.map(lambda x: affine_jitter(x, tf.constant([0, 1]))))
    assert [tuple(x.shape) for x in out] == [(4, 20, 24), (2, 20, 24)]


@pytest.mark.parametrize(
    ("options", "message"),
    [({"scale": 1.0}, "scale must be >= 0 and below 1"), ({}, "shape")],
)
def test_bad_input_is_named(images, options, message):
    with pytest.raises(ValueError, match=message):
        affine_jitter(images if options else images[0], (0, 0), **options)
