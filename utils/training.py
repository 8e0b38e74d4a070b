"""One harness for single Keras models, so that two arms of a comparison differ in one thing.

Every arm gets the same defaults, the same batches for the same seed, and the same records. An epoch
runs inside one compiled call (``steps_per_execution``), so Python is not in the way of small steps.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from tqdm import tqdm

from utils.data import Dataset
from utils.seeds import shifted


class Trained(NamedTuple):
    """What :func:`train` returns.

    Attributes
    ----------
    model : keras.Model
        The trained model.
    history : pandas.DataFrame
        One row a recorded value: ``epoch`` (from 1), ``split`` ("train" or "validation"),
        ``metric`` and ``value``.
    seconds : float
        Wall time of compilation and training.
    """

    model: keras.Model
    history: pd.DataFrame
    seconds: float


def train(
    build: Callable[[], keras.Model],
    data: Dataset,
    *,
    epochs: int,
    seed: int = 0,
    batch_size: int = 128,
    optimizer: Callable[[], keras.optimizers.Optimizer] = keras.optimizers.Adam,
    loss: str = "sparse_categorical_crossentropy",
    augment: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Trained:
    """Build, compile and fit one model.

    Parameters
    ----------
    build : callable
        Returns a fresh, uncompiled model. For classification its last layer gives logits. It is
        called after the seed is set. Two arms of one seed start with the same weights when they
        make the same layers in the same order, dropout layers last.
    data : Dataset
        Trained on ``x_train``; the validation split, where there is one, is recorded.
    epochs : int
        Passes over the training rows.
    seed : int
        Fixes initial weights, batch order, dropout and augmentation; shifted by ``BOOK_SEEDS``.
    batch_size : int
        Rows a gradient step.
    optimizer : callable
        Returns a fresh optimizer; the default is Adam at Keras's default rate, 0.001.
    loss : {"sparse_categorical_crossentropy", "binary_crossentropy", "mse"}
        Data loss. The cross-entropies take logits.
    augment : callable, optional
        ``augment(images, seed)`` changes a batch of training inputs, as the functions of
        ``utils.augment`` do; ``seed`` is a tensor of two integers, new for each batch.
    callbacks : sequence of keras.callbacks.Callback
        Called at real epoch ends; ``EarlyStopping`` works as in Keras. It can watch ``val_loss``
        (with penalty), ``val_data_loss`` (without) or ``val_accuracy``.

    Returns
    -------
    Trained
        Model, history and seconds. The metrics are ``data_loss`` (without penalty), ``loss``
        (with penalty: what is minimized) and, for classification, ``accuracy``. On the training
        split they are Keras's running means over the epoch, with dropout and augmentation on;
        :func:`evaluate` gives them afterwards, in inference mode.

    Raises
    ------
    ValueError
        When ``epochs``, ``batch_size`` or ``loss`` is out of range, or an optimizer object is given
        in place of a callable.
    """
    trainer = Trainer(build, optimizer, loss, batch_size, augment)
    return trainer.run(data, shifted(seed), epochs, callbacks)


class Trainer:
    """One arm, compiled once for all its seeds.

    Tracing and compiling take 0.6 to 0.9 s, most of the time of a small fit. So a further seed
    doesn't get a new model: it gets fresh weights, random states and optimizer state, copied from
    a model and an optimizer that are built for it as the first ones were.

    Parameters
    ----------
    build, optimizer, loss, batch_size, augment
        As for :func:`train`.
    jit_compile : bool or "auto"
        As for ``keras.Model.compile``.
    steady : bool
        Whether to build each model until it comes out the same twice. Keras draws the seeds of
        layers from Python's global random numbers; in a worker of a cluster other threads draw
        from them, too, now and then between two layers.
    """

    def __init__(
        self,
        build: Callable[[], keras.Model],
        optimizer: Callable[[], keras.optimizers.Optimizer],
        loss: str,
        batch_size: int,
        augment: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] | None = None,
        jit_compile: bool | str = "auto",
        steady: bool = False,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"train: batch_size must be at least 1, not {batch_size}")
        if isinstance(optimizer, (str, keras.optimizers.Optimizer)):
            raise ValueError(
                "train: give a callable that makes the optimizer, e.g. keras.optimizers.Adam"
            )
        self.build, self.optimizer, self.loss = build, optimizer, loss
        self.batch_size, self.augment, self.jit_compile = batch_size, augment, jit_compile
        self.steady = steady
        self.model, self.steps = None, 0
        _loss_and_metrics(loss)

    def _built(self, seed: int) -> keras.Model:
        keras.utils.set_random_seed(seed)
        model = self.build()
        if not (isinstance(model, keras.Model) and model.built):
            raise ValueError(
                f"train: build must return a keras.Model with a keras.Input, not {model!r}"
            )
        return model

    def _fresh(self, seed: int, steps: int) -> keras.Model:
        """The model as a new one of this seed begins."""
        model, optimizer = self._built(seed), self.optimizer()
        while self.steady and not _same(model, again := self._built(seed)):
            model = again
        # Built here, the optimizer makes no variables while the training step is traced. Otherwise
        # TensorFlow traces it a second time, which takes longer than training a small model.
        optimizer.build(model.trainable_variables)
        if self.model is None or steps != self.steps:
            loss, metrics = _loss_and_metrics(self.loss)
            model.compile(
                optimizer, loss, metrics=metrics, steps_per_execution=steps,
                jit_compile=self.jit_compile,
            )  # fmt: skip
            self.model, self.steps = model, steps
            return model
        for old, new in (
            *zip(self.model.variables, model.variables, strict=True),
            *zip(self.model.optimizer.variables, optimizer.variables, strict=True),
        ):
            old.assign(new)
        return self.model

    def run(
        self,
        data: Dataset,
        seed: int,
        epochs: int,
        callbacks: Sequence[keras.callbacks.Callback] = (),
    ) -> Trained:
        """Train with one seed. The next run changes the model that this one returns."""
        if epochs < 1:
            raise ValueError(f"train: epochs must be at least 1, not {epochs}")
        steps = -(-len(data.x_train) // self.batch_size)
        start = time.perf_counter()
        model = self._fresh(seed, steps)
        logs = model.fit(
            _shuffled(data.x_train, data.y_train, self.batch_size, seed, self.augment),
            epochs=epochs,
            steps_per_epoch=steps,
            shuffle=False,  # _shuffled has done it
            validation_data=(
                _in_order(data.x_validation, data.y_validation) if len(data.x_validation) else None
            ),
            callbacks=[*callbacks, _Progress(epochs)],
            verbose=0,
        ).history
        return Trained(model, _tidy(logs), time.perf_counter() - start)


def evaluate(model: keras.Model, x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Metrics of a trained model in inference mode.

    Parameters
    ----------
    model : keras.Model
        A model from :func:`train`.
    x, y : ndarray
        Rows and targets of one split.

    Returns
    -------
    dict of str to float
        ``data_loss`` (without penalty), ``loss`` (with penalty) and, for classification,
        ``accuracy``.

    Raises
    ------
    ValueError
        When there are no rows, or not as many targets as rows.
    """
    if len(x) != len(y) or len(x) == 0:
        raise ValueError(
            f"evaluate: give one target a row, and at least one row, not {len(x)} rows and "
            f"{len(y)} targets"
        )
    return model.evaluate(_in_order(x, y), verbose=0, return_dict=True)


def _same(a, b):
    return all(np.array_equal(v, w) for v, w in zip(a.variables, b.variables, strict=True))


def _loss_and_metrics(name):
    losses, metrics = keras.losses, keras.metrics
    if name == "sparse_categorical_crossentropy":
        return losses.SparseCategoricalCrossentropy(from_logits=True), [
            metrics.SparseCategoricalCrossentropy(name="data_loss", from_logits=True),
            metrics.SparseCategoricalAccuracy(name="accuracy"),
        ]
    if name == "binary_crossentropy":
        # The metric of this name doesn't take targets (rows,) for outputs (rows, 1); the loss does.
        by_row = losses.BinaryCrossentropy(from_logits=True, reduction=None)
        return losses.BinaryCrossentropy(from_logits=True), [
            metrics.MeanMetricWrapper(by_row, name="data_loss"),
            metrics.BinaryAccuracy(name="accuracy", threshold=0.0),
        ]
    if name == "mse":
        return losses.MeanSquaredError(), [metrics.MeanSquaredError(name="data_loss")]
    raise ValueError(
        f"train: loss {name!r} is unknown; choose sparse_categorical_crossentropy, "
        "binary_crossentropy or mse"
    )


def _shuffled(x, y, batch_size, seed, augment):
    """Shuffled batches without end: starting an iterator anew each epoch would cost more than the
    steps of a small model. Row numbers are shuffled, not rows: it is faster, and the order depends
    on the seed and the number of rows alone, so all arms of a comparison see the same one."""
    x, y = tf.constant(x), tf.constant(y)
    rows = tf.data.Dataset.range(len(x)).shuffle(len(x), seed=seed).batch(batch_size).repeat()
    batches = rows.map(lambda i: (tf.gather(x, i), tf.gather(y, i)))
    if augment is not None:
        seeds = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True).batch(2)
        batches = tf.data.Dataset.zip(batches, seeds).map(
            lambda batch, pair: (augment(batch[0], pair), batch[1]), tf.data.AUTOTUNE
        )
    return batches.prefetch(2)


def _in_order(x, y):
    """Batches for evaluation. Keras's own way with arrays takes twice the time of this one."""
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(1024)


def _tidy(logs):
    records = [
        (
            epoch,
            "validation" if key.startswith("val_") else "train",
            key.removeprefix("val_"),
            value,
        )
        for key, values in logs.items()
        for epoch, value in enumerate(values, start=1)
    ]
    return pd.DataFrame(records, columns=["epoch", "split", "metric", "value"])


class _Progress(keras.callbacks.Callback):
    """One line, shown only when training takes longer than a few seconds, gone at the end."""

    def __init__(self, epochs):
        super().__init__()
        self._epochs = epochs

    def on_train_begin(self, logs=None):
        self._bar = tqdm(total=self._epochs, unit="epoch", delay=3, leave=False)

    def on_epoch_end(self, epoch, logs=None):
        self._bar.update()

    def on_train_end(self, logs=None):
        self._bar.close()
