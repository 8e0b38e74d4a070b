"""Random changes of whole image batches that keep the label."""

from __future__ import annotations

import numpy as np
import tensorflow as tf


def affine_jitter(
    images: tf.Tensor,
    seed: tf.Tensor,
    *,
    rotation: float = 10.0,
    shift: float = 2.0,
    scale: float = 0.1,
    shear: float = 0.0,
) -> tf.Tensor:
    """Rotate, shift, scale and shear each image of a batch by its own random amount.

    Each output pixel looks up the place it came from and blends its four neighbours there
    (bilinear interpolation). Outside the image there is zero.

    Parameters
    ----------
    images : tensor, shape (n, height, width) or (n, height, width, channels)
        A batch of images; returned as float32.
    seed : tensor of int, shape (2,)
        The same seed gives the same changes.
    rotation : float
        Largest angle, in degrees, to either side.
    shift : float
        Largest shift, in pixels, in each direction.
    scale : float
        Sizes are drawn from ``1 - scale`` to ``1 + scale``.
    shear : float
        Largest horizontal shear, as a tangent.

    Returns
    -------
    tensor of float32
        Images of the same shape.

    Raises
    ------
    ValueError
        When the batch has a wrong rank or an amount is negative, or ``scale`` reaches 1.
    """
    if min(rotation, shift, scale, shear) < 0 or scale >= 1:
        raise ValueError(
            "affine_jitter: rotation, shift, scale and shear must be >= 0 and scale below 1, not "
            f"{rotation}, {shift}, {scale}, {shear}"
        )
    images = tf.cast(images, tf.float32)
    if images.shape.rank not in (3, 4):
        raise ValueError(
            "affine_jitter: images must have the shape (n, height, width) or "
            f"(n, height, width, channels), not {images.shape}"
        )
    grey = images.shape.rank == 3
    height, width = images.shape[1:3]
    u = tf.random.stateless_uniform((5, tf.shape(images)[0]), seed, -1.0, 1.0)[..., None, None]
    angle, size, slant = u[0] * rotation * np.pi / 180, 1 + scale * u[1], shear * u[4]
    cos, sin = tf.cos(angle) / size, tf.sin(angle) / size

    # Measured from the middle of the image, where the shift moves it, the pixel at (x, y) comes
    # from (cos * (x + slant * y) + sin * y, -sin * (x + slant * y) + cos * y).
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    x = tf.range(width, dtype=tf.float32) - middle_x - shift * u[3]
    y = tf.range(height, dtype=tf.float32)[:, None] - middle_y - shift * u[2]
    x = x + slant * y
    from_x, from_y = middle_x + cos * x + sin * y, middle_y - sin * x + cos * y
    moved = _look_up(images[..., None] if grey else images, from_x, from_y)
    return moved[..., 0] if grey else moved


@tf.function(jit_compile=True)
def _look_up(images, x, y):
    """Values between the pixels, at places x and y of shape (n, height, width); 0 outside."""
    height, width, channels = images.shape[1:]
    padded = tf.pad(images, [[0, 0], [1, 2], [1, 2], [0, 0]])
    x, y = tf.clip_by_value(x + 1, 0.0, width + 1.0), tf.clip_by_value(y + 1, 0.0, height + 1.0)
    left, top = tf.floor(x), tf.floor(y)
    right, down = (x - left)[..., None], (y - top)[..., None]
    image = tf.range(tf.shape(images)[0])[:, None, None]
    place = (image * (height + 3) + tf.cast(top, tf.int32)) * (width + 3) + tf.cast(left, tf.int32)
    pixels = tf.reshape(padded, [-1, channels])

    def blend_row(place):
        return (1 - right) * tf.gather(pixels, place) + right * tf.gather(pixels, place + 1)

    return (1 - down) * blend_row(place) + down * blend_row(place + width + 3)
