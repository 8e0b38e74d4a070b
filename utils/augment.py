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
        When ``scale`` isn't below 1, or the images have no known height and width.
    """
    if not 0 <= scale < 1:
        raise ValueError(f"affine_jitter: scale must be >= 0 and below 1, not {scale}")
    images = tf.convert_to_tensor(images)
    if images.shape.rank not in (3, 4) or not all(images.shape[1:3]):
        raise ValueError(
            "affine_jitter: images must have the shape (n, height, width) or (n, height, width, "
            f"channels), with a known height and width above 0, not {images.shape}"
        )
    images = tf.cast(images, tf.float32)
    grey = images.shape.rank == 3
    height, width = images.shape[1:3]
    u = tf.random.stateless_uniform((5, tf.shape(images)[0]), seed, -1.0, 1.0)
    angle, size, slant = u[0] * rotation * np.pi / 180, 1 + scale * u[1], shear * u[4]
    cos, sin = tf.cos(angle) / size, tf.sin(angle) / size

    # Measured from the middle of the image, the pixel at (x, y) comes from
    # (xx * x + xy * y, yx * x + yy * y). The shift moves the middle.
    xx, xy, yx, yy = cos, sin + cos * slant, -sin, cos - sin * slant
    from_x, from_y = (width - 1) / 2, (height - 1) / 2
    to_x, to_y = from_x + shift * u[3], from_y + shift * u[2]
    zero = tf.zeros_like(xx)
    rows = [xx, xy, from_x - xx * to_x - xy * to_y, yx, yy, from_y - yx * to_x - yy * to_y]
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=images[..., None] if grey else images,
        transforms=tf.stack([*rows, zero, zero], axis=1),
        output_shape=(height, width),
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
        fill_value=0.0,
    )
    return moved[..., 0] if grey else moved
