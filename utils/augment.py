"""Random changes of whole image batches that keep the label."""

from __future__ import annotations

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
    shape = tf.shape(images)
    n, height, width = shape[0], shape[1], shape[2]
    u = tf.random.stateless_uniform((5, n, 1), tf.cast(seed, tf.int64), -1.0, 1.0)
    angle = u[0] * rotation * 0.017453292519943295  # degrees to radians
    size = 1 + scale * u[1]
    cos, sin = tf.cos(angle) / size, tf.sin(angle) / size
    slant = shear * u[4]

    # Where each output pixel comes from, measured from the middle of the image: (n, pixels).
    rows, columns = tf.meshgrid(tf.range(height), tf.range(width), indexing="ij")
    middle_y, middle_x = tf.cast(height - 1, tf.float32) / 2, tf.cast(width - 1, tf.float32) / 2
    y = tf.reshape(tf.cast(rows, tf.float32), (1, -1)) - middle_y - shift * u[2]
    x = tf.reshape(tf.cast(columns, tf.float32), (1, -1)) - middle_x - shift * u[3]
    x = x + slant * y
    y_from, x_from = cos * y - sin * x + middle_y, sin * y + cos * x + middle_x

    # One pixel of zeros around each image, so that what lies outside reads as zero.
    margin = [[0, 0], [1, 1], [1, 1]] + [[0, 0]] * (images.shape.rank - 3)
    padded = tf.pad(images, margin)
    y_from = tf.clip_by_value(y_from + 1, 0.0, tf.cast(height, tf.float32) + 0.999)
    x_from = tf.clip_by_value(x_from + 1, 0.0, tf.cast(width, tf.float32) + 0.999)
    y_low, x_low = tf.floor(y_from), tf.floor(x_from)
    down, right = y_from - y_low, x_from - x_low
    flat = tf.reshape(padded, (n, (height + 2) * (width + 2), -1))
    corner = tf.cast(y_low, tf.int32) * (width + 2) + tf.cast(x_low, tf.int32)

    def neighbour(offset, weight):
        return weight[..., None] * tf.gather(flat, corner + offset, batch_dims=1)

    moved = (
        neighbour(0, (1 - down) * (1 - right))
        + neighbour(1, (1 - down) * right)
        + neighbour(width + 2, down * (1 - right))
        + neighbour(width + 3, down * right)
    )
    return tf.ensure_shape(tf.reshape(moved, shape), images.shape)
