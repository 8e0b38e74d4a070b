"""Train many small dense networks as one model.

A 30-row data set keeps a processor busy for microseconds and Python for milliseconds. So M networks
of one shape are trained together: every tensor carries a leading model axis, the loss is *summed*
over the models, and each model has its own seed and its own penalty. The sum has no cross terms,
and the optimizers accepted here act on each weight alone. So every model follows exactly the path
that it would follow by itself (``tests/test_stack.py`` checks it against separate Keras models).

Axes are written m (model), b (row of a batch), i (input), o (output).
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable, Mapping, Sequence

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from utils.seeds import shifted

COEFFICIENTS = ("l1", "l2", "dropout", "weight_decay")
TASKS = ("binary", "multiclass", "regression")
NORMALIZATIONS = (None, "batch", "layer")
RANGES = {  # of the columns of runs; the others are finite and >= 0
    "dropout": "a rate, the share of units set to 0, below 1",
    "seed": "an integer >= 0",
    "n_train": "an integer >= 1, or NaN for all rows",
    "learning_rate": "finite and > 0, or NaN for the optimizer's",
}
HISTORY = ("run", "epoch", "split", "metric", "value")  # columns that fit adds
EPSILON, MOMENTUM = 1e-3, 0.9  # of the normalizations; 1e-3 is what Keras has
# Their update of a weight looks at that weight's gradients only.
ELEMENTWISE = ("SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax", "Nadam", "Lion")
# Largest activation, in numbers, that prediction holds at a time (64 MB of float32).
CHUNK = 2**24

# Each Stack compiles functions of its own. TensorFlow takes them for one that is compiled again and
# again, and warns.
tf.get_logger().addFilter(lambda record: "tf.function retracing" not in record.getMessage())


def grid(**columns: Iterable) -> pd.DataFrame:
    """All combinations of the given values, one row a run.

    Parameters
    ----------
    **columns : iterable
        Values for each column, e.g. ``l2=[0, 1e-3], seed=range(10)``. The last varies fastest.

    Returns
    -------
    pandas.DataFrame
        One row for each combination.

    Raises
    ------
    ValueError
        When a column has no values, or is a string, which would be taken for its letters.
    """
    values = {name: list(column) for name, column in columns.items()}
    for name, column in columns.items():
        if isinstance(column, str) or not values[name]:
            raise ValueError(f"grid: column {name!r} must be a list of values, not {column!r}")
    return pd.DataFrame(list(itertools.product(*values.values())), columns=list(values))


class Stack:
    """M dense networks of one shape, trained together, each with its own seed and penalties.

    Parameters
    ----------
    runs : pandas.DataFrame
        One row a network. Known columns, each with its default: ``seed`` (0, shifted by
        ``BOOK_SEEDS``) fixes initial weights, batch order and dropout masks; ``l1`` and ``l2`` (0)
        are coefficients of ``sum |w|`` and ``sum w²`` over the penalized weights, as
        ``keras.regularizers.L1`` and ``L2`` have them; ``weight_decay`` (0) is decoupled decay of
        the kernels, as in ``AdamW``; ``dropout`` (0) is the rate after each hidden layer;
        ``n_train`` (all rows) trains on the first rows only; ``learning_rate`` (the optimizer's)
        takes the place of the optimizer's. Further columns are carried along as labels.
    inputs : int
        Number of features.
    units : sequence of int
        Widths of the hidden layers; empty for a linear model.
    outputs : int
        Width of the last layer: 1 for ``binary``, the number of classes for ``multiclass``.
    task : {"binary", "multiclass", "regression"}
        Cross-entropy on a sigmoid, cross-entropy on a softmax, or mean squared error.
    activation : str
        Activation of the hidden layers, by its Keras name.
    normalization : {None, "batch", "layer"}
        Standardizes each hidden layer before its bias and activation: over the rows of the batch
        (with running averages of momentum 0.9 for prediction), or over the units of each row.
        There is no scale γ; the bias is β.
    optimizer : str or keras.optimizers.Optimizer
        An elementwise optimizer without clipping and without its own ``weight_decay``.
    penalized_layers : sequence of int, optional
        Layers that ``l1``, ``l2`` and ``weight_decay`` act on (-1 is the last). Default: all.
    penalize_bias : bool
        Whether ``l1`` and ``l2`` act on the biases of these layers too.

    Attributes
    ----------
    runs : pandas.DataFrame
        The runs with all known columns filled in.
    kernels, biases : list of keras.Variable
        One a layer, of shapes (M, in, out) and (M, 1, out).
    moments : list of tuple of keras.Variable
        With ``normalization="batch"``, running mean and variance of each hidden layer, of shape
        (M, 1, out).
    best_epoch : ndarray of int, shape (M,), or None
        Each model's epoch with the lowest validation loss in the last ``fit`` with ``validation``.

    Raises
    ------
    ValueError
        When an argument is out of its range; the message names it.
    """

    def __init__(
        self,
        runs: pd.DataFrame,
        *,
        inputs: int,
        units: Sequence[int] = (500,),
        outputs: int = 1,
        task: str = "binary",
        activation: str = "relu",
        normalization: str | None = None,
        optimizer: str | keras.optimizers.Optimizer = "adam",
        penalized_layers: Sequence[int] | None = None,
        penalize_bias: bool = False,
    ) -> None:
        for name, value, known in (
            ("task", task, TASKS), ("normalization", normalization, NORMALIZATIONS)
        ):  # fmt: skip
            if value not in known:
                raise ValueError(f"Stack: {name} must be one of {known}, not {value!r}")
        self.sizes = [operator.index(size) for size in (inputs, *units, outputs)]
        if min(self.sizes) < 1:
            raise ValueError(f"Stack: layer sizes must be at least 1, not {self.sizes}")
        if (task, outputs == 1) in (("binary", False), ("multiclass", True)):
            raise ValueError(f"Stack: a {task} task can't have {outputs} outputs")
        self.runs = _filled(runs)
        self.task = task
        self.activation = keras.activations.get(activation)
        self.optimizer = _elementwise(keras.optimizers.get(optimizer))
        schedule = keras.optimizers.schedules.LearningRateSchedule
        if (
            isinstance(self.optimizer._learning_rate, schedule)
            and self.runs["learning_rate"].notna().any()
        ):
            raise ValueError("Stack: give a schedule or learning_rate in runs, not both")
        layers = range(len(self.sizes) - 1)
        wanted = layers if penalized_layers is None else penalized_layers
        self.penalized = sorted({layers[layer] for layer in wanted})
        self.penalize_bias = penalize_bias
        self.normalization = normalization
        self.step = 0
        self.best_epoch = None
        self._best = None  # copies of the variables, made by the first fit with validation rows

        self._run_seeds = shifted(self.runs["seed"].to_numpy())
        self.seeds, self._of_seed = np.unique(self._run_seeds, return_inverse=True)
        shapes = list(zip(self.sizes[:-1], self.sizes[1:], strict=True))
        self.kernels = [
            keras.Variable(_initial_kernels(self.seeds, layer, shape)[self._of_seed])
            for layer, shape in enumerate(shapes)
        ]
        self.biases = [
            keras.Variable(np.zeros((len(self.runs), 1, out), "float32")) for _, out in shapes
        ]
        self.moments = [
            tuple(
                keras.Variable(np.full((len(self.runs), 1, out), start, "float32"), trainable=False)
                for start in (0, 1)
            )
            for out in self.sizes[1:-1]
            if normalization == "batch"
        ]
        self.optimizer.build(self.kernels + self.biases)
        self._coefficients = {
            name: tf.Variable(self.runs[name].to_numpy("float32")) for name in COEFFICIENTS
        }
        self._compile()

    def set(self, **coefficients: float | Sequence[float]) -> None:
        """Change coefficients for the training that follows; weights and optimizer state stay.

        Parameters
        ----------
        **coefficients : float or sequence of float, shape (M,)
            New values of ``l1``, ``l2``, ``weight_decay`` or ``dropout``. The index of a Series
            says for which row of ``runs`` a value is.

        Raises
        ------
        ValueError
            When a name is unknown, or values are out of their range or not one for each run.
        """
        if unknown := set(coefficients) - set(COEFFICIENTS):
            raise ValueError(
                f"Stack.set: unknown {sorted(unknown)}; known are {', '.join(COEFFICIENTS)}"
            )
        self.runs = _filled(self.runs.assign(**coefficients))
        for name in coefficients:
            self._coefficients[name].assign(self.runs[name].to_numpy("float32"))
        if self._used != self._nonzero():
            self._compile()

    def fit(
        self,
        x: np.ndarray,
        y: np.ndarray,
        *,
        epochs: int,
        batch_size: int | None = None,
        validation: tuple[np.ndarray, np.ndarray] | None = None,
        evaluate_on: Mapping[str, tuple[np.ndarray, np.ndarray]] | None = None,
        record_every: int | None = None,
    ) -> pd.DataFrame:
        """Train all models and return their learning curves.

        An epoch is one pass over the *largest* training set. Models with fewer rows (``n_train``)
        take the same number of gradient steps and so pass over their rows more often.

        Parameters
        ----------
        x : ndarray, shape (n, inputs) or (M, n, inputs)
            Training rows, shared by the models or one set a model.
        y : ndarray, shape (n,) or (M, n)
            Targets; integers for the classification tasks. With a trailing axis for a regression
            with several outputs and for soft labels (``multiclass``): one probability a class.
        epochs : int
            Passes over the data.
        batch_size : int, optional
            Rows a gradient step. Default: all rows (full batch).
        validation : (x, y), optional
            Rows whose data loss is taken after every epoch. Each model's weights at its lowest one
            are kept for ``at="best"``, as ``keras.callbacks.EarlyStopping`` keeps them with
            ``restore_best_weights`` and a patience that never ends. The curves get the split
            "validation".
        evaluate_on : mapping of str to (x, y), optional
            Further splits for the learning curves, e.g. ``{"test": (x_test, y_test)}``. The name
            ``train`` is taken.
        record_every : int, optional
            Epochs between two records. Default: a hundredth of ``epochs``. The last epoch is
            always recorded.

        Returns
        -------
        pandas.DataFrame
            One row a run, recorded epoch, split and metric: ``run``, the columns of ``runs``,
            ``epoch``, ``split``, ``metric`` and ``value``. ``loss`` is the data loss *without* the
            penalty, on every split; ``accuracy`` is added for classification. Both are taken in
            inference mode, without dropout. A column of ``runs`` with one of these names gets
            ``_label`` appended. A run that diverges ends in NaN; the others don't notice.

        Raises
        ------
        ValueError
            When shapes, labels or sizes don't fit; the message names the argument.
        """
        counts = {"epochs": epochs, "batch_size": batch_size, "record_every": record_every}
        for name, value in counts.items():
            if value is not None and value < 1:
                raise ValueError(f"Stack.fit: {name} must be at least 1, not {value}")
        given = {"train": (x, y)} | ({} if validation is None else {"validation": validation})
        if taken := set(given) & set(evaluate_on or {}):
            raise ValueError(f"Stack.fit: evaluate_on can't have another split {taken}")
        splits = {
            name: self._checked(*pair, name) for name, pair in (given | (evaluate_on or {})).items()
        }
        x, y = splits["train"]
        rows = x.shape[-2]
        record_every = max(1, epochs // 100) if record_every is None else record_every
        n_train = self.runs["n_train"].fillna(rows).astype(int).to_numpy()
        if n_train.max() > rows:
            raise ValueError(
                f"Stack.fit: n_train asks for {n_train.max()} rows, x has {rows}; "
                "lower n_train or give more rows"
            )
        batch_size = min(batch_size or n_train.max(), n_train.max())
        sizes = np.minimum(batch_size, n_train)
        steps = int(np.ceil(n_train.max() / batch_size))
        # Row weights: 1/size on a model's rows, 0 on the padding up to the largest batch.
        weights = (np.arange(batch_size) < sizes[:, None]) / sizes[:, None]
        in_train = (np.arange(rows) < n_train[:, None]) / n_train[:, None]
        # With full batches the order of the rows matters to the dropout masks only.
        full_batch = batch_size == n_train.max() and "dropout" not in self._used
        order = None if full_batch else _BatchOrder(self._run_seeds, n_train, sizes, self.step)
        if full_batch:
            x, y = x[..., :batch_size, :], self._rows(y, slice(batch_size))
        tensors = [tf.constant(x), tf.constant(y), tf.constant(weights, "float32")]
        held_out = None if validation is None else tuple(map(tf.constant, splits["validation"]))
        self._forget_best(held_out is not None)
        records = []
        done = 0
        while done < epochs:
            now = min(record_every, epochs - done)
            batches = None if order is None else tf.constant(order.take(now * steps, batch_size))
            counters = [tf.constant(n) for n in (self.step, steps, done, now)]
            self._train(*tensors, batches, held_out, *counters)
            self.step += now * steps
            done += now
            for name, (x_split, y_split) in splits.items():
                share = in_train if name == "train" else None
                for metric, values in self._evaluate(x_split, y_split, share).items():
                    records.append((done, name, metric, values))
        if held_out is not None:
            self.best_epoch = self._best["epoch"].numpy()
        return self._tidy(records)

    def evaluate(self, x: np.ndarray, y: np.ndarray, at: str = "last") -> dict[str, np.ndarray]:
        """Data loss (without penalty) and, for classification, accuracy of every model.

        Parameters
        ----------
        x, y : ndarray
            Rows and targets, shaped as in :meth:`fit`.
        at : {"last", "best"}
            The weights after the last epoch, or those of each model's best validation epoch.

        Returns
        -------
        dict of str to ndarray, shape (M,)
            ``loss`` and, for classification, ``accuracy``.
        """
        return self._evaluate(*self._checked(x, y, "evaluate"), best=self._is_best(at))

    def predict(self, x: np.ndarray, at: str = "last") -> np.ndarray:
        """Predictions of every model.

        Parameters
        ----------
        x : ndarray, shape (n, inputs) or (M, n, inputs)
            Rows.
        at : {"last", "best"}
            As for :meth:`evaluate`.

        Returns
        -------
        ndarray, shape (M, n) or, with several outputs, (M, n, outputs)
            Probabilities for classification, values for regression.
        """
        x = self._checked_x(x, "predict")
        best = self._is_best(at)
        parts = [
            self._forward(tf.constant(x[..., part, :]), best=best).numpy()
            for part in self._chunks(x.shape[-2])
        ]
        z = np.concatenate(parts, axis=1)
        if self.task == "binary":
            z = tf.sigmoid(z).numpy()
        elif self.task == "multiclass":
            z = tf.nn.softmax(z).numpy()
        return z[..., 0] if self.sizes[-1] == 1 else z

    def model(self, run: int, at: str = "last") -> keras.Sequential:
        """One run as an ordinary Keras model (without its dropout and penalties).

        Parameters
        ----------
        run : int
            Row of ``runs``.
        at : {"last", "best"}
            As for :meth:`evaluate`.

        Returns
        -------
        keras.Sequential
            Dense layers with this run's weights; the last one gives logits for classification.
        """
        kernels, biases, all_moments = self._state(self._is_best(at))
        layers = keras.layers
        model = keras.Sequential([keras.Input((self.sizes[0],))])
        for layer, out in enumerate(self.sizes[1:]):
            kernel = kernels[layer].numpy()[run]
            bias = biases[layer].numpy()[run, 0]
            hidden = layer < len(self.kernels) - 1
            normalization = self.normalization if hidden else None
            model.add(layers.Dense(out, use_bias=normalization is None))
            model.layers[-1].set_weights([kernel] if normalization else [kernel, bias])
            if normalization == "batch":
                model.add(layers.BatchNormalization(momentum=MOMENTUM, scale=False))
                moments = [moment.numpy()[run, 0] for moment in all_moments[layer]]
                model.layers[-1].set_weights([bias, *moments])
            elif normalization == "layer":
                model.add(layers.LayerNormalization(epsilon=EPSILON, scale=False))
                model.layers[-1].set_weights([bias])
            if hidden:
                model.add(layers.Activation(self.activation))
        return model

    def weight_norm(self) -> np.ndarray:
        """Euclidean norm of all kernels of each model, shape (M,)."""
        squares = [np.sum(np.square(kernel.numpy()), axis=(1, 2)) for kernel in self.kernels]
        return np.sqrt(np.sum(squares, axis=0))

    def _state(self, best):
        """Kernels, biases and moments: the current ones, or those of the best epoch."""
        if not best:
            return self.kernels, self.biases, self.moments
        return self._best["kernels"], self._best["biases"], self._best["moments"]

    def _is_best(self, at):
        if at not in ("best", "last"):
            raise ValueError(f'Stack: at must be "best" or "last", not {at!r}')
        if at == "best" and self.best_epoch is None:
            raise ValueError('Stack: at="best" needs a fit with validation=(x, y)')
        return at == "best"

    def _forget_best(self, wanted):
        """Start a fit without a best epoch, as Keras's callback does."""
        self.best_epoch = None
        if wanted and self._best is None:
            models = len(self.runs)
            self._best = {
                "loss": tf.Variable(np.full(models, np.inf, "float32")),
                "epoch": tf.Variable(np.zeros(models, "int32")),
                "kernels": [keras.Variable(kernel) for kernel in self.kernels],
                "biases": [keras.Variable(bias) for bias in self.biases],
                "moments": [tuple(keras.Variable(m) for m in pair) for pair in self.moments],
            }

    def _evaluate(self, x, y, weights=None, best=False):
        """Metrics of checked arrays, rows weighted by ``weights`` (M, n), sum 1 a model."""
        rows = x.shape[-2]
        if weights is None:
            weights = np.full((len(self.runs), rows), 1 / rows)
        parts = [
            self._measure(
                tf.constant(x[..., part, :]),
                tf.constant(self._rows(y, part)),
                tf.constant(weights[:, part], "float32"),
                best=best,
            )
            for part in self._chunks(rows)
        ]
        return {name: np.sum([part[name].numpy() for part in parts], axis=0) for name in parts[0]}

    def _chunks(self, rows):
        """Slices of the rows, so short that no activation exceeds ``CHUNK`` numbers."""
        size = max(1, CHUNK // (len(self.runs) * max(self.sizes)))
        return [slice(start, min(start + size, rows)) for start in range(0, rows, size)]

    def _own_targets(self, y):
        """Whether y has a model axis. Only classes, which are integers, have no axis of outputs."""
        return len(y.shape) == (3 if y.dtype == "float32" else 2)

    def _rows(self, y, part):
        return y[:, part] if self._own_targets(y) else y[part]

    def _checked_x(self, x, name):
        x = np.asarray(x, "float32")
        models, inputs = len(self.runs), self.sizes[0]
        if x.ndim not in (2, 3) or x.shape[-1] != inputs or x.shape[:-2] not in ((), (models,)):
            raise ValueError(
                f"Stack: x of {name} must have the shape (n, {inputs}) or ({models}, n, {inputs}), "
                f"not {x.shape}"
            )
        if not x.size or not np.isfinite(x).all():
            raise ValueError(f"Stack: x of {name} has no rows, or holds NaN or infinite values")
        return x

    def _checked(self, x, y, name):
        """x as float32; y as int32 (classes) or as float32 with a trailing axis of outputs
        (numbers to regress on, or probabilities)."""
        x, y = self._checked_x(x, name), np.asarray(y)
        rows, models, outputs = x.shape[-2], len(self.runs), self.sizes[-1]
        y = y.astype(float) if y.dtype == object else y
        if self.task == "regression" and outputs == 1:
            y = y[..., None]
        soft = self.task == "multiclass" and y.dtype.kind == "f"
        soft = soft and y.shape in ((rows, outputs), (models, rows, outputs))
        tail = (outputs,) if self.task == "regression" or soft else ()
        if y.shape not in ((rows, *tail), (models, rows, *tail)):
            raise ValueError(
                f"Stack: the targets of {name} must have one entry a row, for all models or for "
                f"each of {models}; there are {rows} rows, the targets have the shape {y.shape}"
            )
        if soft and not (y.min() >= 0 and abs(y.sum(axis=-1) - 1).max() <= 1e-3):
            raise ValueError(
                f"Stack: the soft labels of {name} must be >= 0 with sum 1 in each row"
            )
        if self.task == "regression" or soft:
            y = y.astype("float32")
            if not np.isfinite(y).all():
                raise ValueError(f"Stack: the targets of {name} hold NaN or infinite values")
            return x, y
        if not np.isin(y, range(max(2, outputs))).all():
            raise ValueError(
                f"Stack: the labels of {name} must be integers in 0 … {max(2, outputs) - 1}"
            )
        return x, y.astype("int32")

    def _tidy(self, records):
        """Learning curves, one row a value."""
        epochs, splits, metrics, values = zip(*records, strict=True)
        models = len(self.runs)
        labels = self.runs.rename(columns={name: f"{name}_label" for name in HISTORY})
        frame = labels.reset_index(names="run")
        frame = frame.loc[np.tile(np.arange(models), len(records))].reset_index(drop=True)
        for name, column in (("epoch", epochs), ("split", splits), ("metric", metrics)):
            frame[name] = np.repeat(column, models)
        return frame.assign(value=np.concatenate(values))

    # What follows is compiled. Terms that no run uses are left out of the graph.

    def _nonzero(self):
        return {name for name in COEFFICIENTS if self.runs[name].any()}

    def _compile(self):
        self._used = self._nonzero()
        self._train = tf.function(self._train_epochs, jit_compile=True)
        self._measure = tf.function(self._metrics, jit_compile=True)
        self._forward = tf.function(self._logits, jit_compile=True)

    def _train_epochs(self, x, y, weights, batches, held_out, first_step, steps, done, epochs):
        """``epochs`` epochs of ``steps`` gradient steps in one compiled loop: no Python between."""
        for epoch in tf.range(epochs):
            for step in tf.range(steps):
                place = epoch * steps + step
                x_step, y_step = x, y
                if batches is not None:
                    rows = batches[place]  # (m, b)
                    x_step = tf.gather(x, rows, batch_dims=int(len(x.shape) == 3))
                    y_step = tf.gather(y, rows, batch_dims=int(self._own_targets(y)))
                self._train_step(x_step, y_step, weights, first_step + place)
            if held_out is not None:
                self._keep_best(*held_out, done + epoch + 1)

    def _train_step(self, x, y, weights, step):
        kernels = [kernel.value for kernel in self.kernels]
        biases = [bias.value for bias in self.biases]
        with tf.GradientTape() as tape:
            z = self._logits(x, self._masks(weights.shape[1], step), weights)
            loss = tf.reduce_sum(weights * self._row_loss(y, z)) + self._penalty()
        gradients = tape.gradient(loss, kernels + biases)
        rates = self._learning_rates()
        if "weight_decay" in self._used:
            shrink = (rates * self._coefficients["weight_decay"])[:, None, None]
            for layer in self.penalized:
                kernels[layer].assign_sub(kernels[layer] * shrink)
        before = [tf.identity(w) for w in kernels + biases]
        self.optimizer.apply(gradients, self.kernels + self.biases)
        if self.runs["learning_rate"].notna().any():
            # The step of each of these optimizers is proportional to its learning rate.
            ratio = (rates / self.optimizer.learning_rate)[:, None, None]
            for w, old in zip(kernels + biases, before, strict=True):
                w.assign(old + ratio * (w - old))

    def _keep_best(self, x, y, epoch):
        """Copy the models whose validation loss is their lowest so far. The first epoch is one
        whatever its loss, and nothing is below NaN: as in Keras."""
        rows = x.shape[-2]
        share = tf.fill((len(self.runs), rows), 1 / rows)
        loss = tf.add_n(
            [
                self._metrics(x[..., part, :], self._rows(y, part), share[:, part])["loss"]
                for part in self._chunks(rows)
            ]
        )
        better = tf.logical_or(loss < self._best["loss"], tf.equal(epoch, 1))
        self._best["loss"].assign(tf.where(better, loss, self._best["loss"]))
        self._best["epoch"].assign(tf.where(better, epoch, self._best["epoch"]))
        for now, kept in zip(self._state(False), self._state(True), strict=True):
            for w, copy in zip(tf.nest.flatten(now), tf.nest.flatten(kept), strict=True):
                copy.assign(tf.where(better[:, None, None], w.value, copy.value))

    def _learning_rates(self):
        """Learning rate of each model, shape (m,)."""
        own = tf.constant(self.runs["learning_rate"].to_numpy("float32"))
        return tf.where(tf.math.is_nan(own), self.optimizer.learning_rate, own)

    def _logits(self, x, masks=None, weights=None, best=False):
        """Output of the last layer, shape (m, b, o), for x of shape (b, i) or (m, b, i).

        In training, ``masks`` are those of dropout, and ``weights`` (m, b) the shares of the rows.
        """
        h = x
        kernels, biases, moments = self._state(best)
        for layer, (kernel, bias) in enumerate(zip(kernels, biases, strict=True)):
            hidden = layer < len(kernels) - 1
            equation = "bi,mio->mbo" if h.shape.rank == 2 else "mbi,mio->mbo"
            h = tf.einsum(equation, h, kernel.value)
            if hidden and self.normalization:
                h = self._normalized(h, moments[layer] if moments else (), weights)
            h = h + bias.value
            if hidden:
                h = self.activation(h)
                if masks is not None:
                    h = h * masks[layer]
        return h

    def _normalized(self, z, moments, weights):
        """z with mean 0 and variance 1; training (``weights``) updates the running averages."""
        if self.normalization == "layer":
            mean, variance = tf.nn.moments(z, 2, keepdims=True)
        elif weights is None:
            mean, variance = (moment.value for moment in moments)
        else:  # weighted, so that padding doesn't count
            share = weights[:, :, None]
            mean = tf.reduce_sum(share * z, axis=1, keepdims=True)
            variance = tf.reduce_sum(share * tf.square(z - mean), axis=1, keepdims=True)
            for moment, new in zip(moments, (mean, variance), strict=True):
                moment.value.assign(MOMENTUM * moment.value + (1 - MOMENTUM) * new)
        return (z - mean) / tf.sqrt(variance + EPSILON)

    def _masks(self, rows, step):
        """Dropout masks, one (m, b, units) a hidden layer: 0, or 1/(1 - rate) where a unit stays.

        The uniform numbers depend on seed, step and layer alone. So runs of one seed share them
        at every rate (common random numbers), and a run's masks don't depend on the other runs.
        """
        if "dropout" not in self._used:
            return None
        rate = self._coefficients["dropout"][:, None, None]
        masks = []
        for layer, units in enumerate(self.sizes[1:-1]):
            draw = step * len(self.sizes) + layer
            uniform = [
                # Philox counts upwards, so that a shorter batch gets the head of a longer one's.
                tf.random.stateless_uniform((rows, units), (int(seed), draw), alg="philox")
                for seed in self.seeds
            ]
            keep = tf.gather(tf.stack(uniform), self._of_seed) >= rate
            masks.append(tf.cast(keep, tf.float32) / (1 - rate))
        return masks

    def _row_loss(self, y, z):
        """Loss of each row, shape (m, b)."""
        shape = tf.shape(z)[:2]
        if self.task == "binary":
            labels = tf.broadcast_to(tf.cast(y, tf.float32), shape)
            return tf.nn.sigmoid_cross_entropy_with_logits(labels, z[..., 0])
        if self.task == "multiclass":
            if y.dtype == "float32":
                labels = tf.broadcast_to(y, tf.shape(z))
                return tf.nn.softmax_cross_entropy_with_logits(labels, z)
            labels = tf.broadcast_to(y, shape)
            return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, z)
        return tf.reduce_mean(tf.square(z - y), axis=-1)

    def _penalty(self):
        """Sum over the models of ``l1 * sum |w| + l2 * sum w²``."""
        total = 0.0
        for layer in self.penalized:
            for variable in (self.kernels, self.biases) if self.penalize_bias else (self.kernels,):
                w = variable[layer].value
                if "l1" in self._used:
                    total += tf.reduce_sum(self._coefficients["l1"] * tf.reduce_sum(abs(w), (1, 2)))
                if "l2" in self._used:
                    total += tf.reduce_sum(self._coefficients["l2"] * tf.reduce_sum(w * w, (1, 2)))
        return total

    def _metrics(self, x, y, weights, best=False):
        z = self._logits(x, best=best)
        metrics = {"loss": tf.reduce_sum(weights * self._row_loss(y, z), axis=1)}
        if self.task != "regression":
            guess = z[..., 0] > 0 if self.task == "binary" else tf.argmax(z, axis=-1)
            classes = tf.argmax(y, axis=-1) if y.dtype == "float32" else y
            right = tf.cast(guess, tf.int32) == tf.cast(classes, tf.int32)
            metrics["accuracy"] = tf.reduce_sum(weights * tf.cast(right, tf.float32), axis=1)
        return metrics


class _BatchOrder:
    """The rows of each batch, for runs that each have their own stream of shuffled passes.

    ``start`` is the number of gradient steps already taken: continued training gets new shuffles.
    """

    def __init__(self, seeds, n_train, sizes, start=0):
        self._keys = list(zip(map(int, seeds), map(int, n_train), map(int, sizes), strict=True))
        self._left = {key: np.empty(0, int) for key in self._keys}
        self._random = {key: np.random.default_rng([key[0], start]) for key in self._keys}

    def take(self, steps, width):
        """Rows of the next batches, int32 (steps, M, width); shorter ones are padded with row 0."""
        rows = {}
        for key, left in self._left.items():
            _, n_train, size = key
            passes = max(0, int(np.ceil((steps * size - len(left)) / n_train)))
            stream = [left, *(self._random[key].permutation(n_train) for _ in range(passes))]
            stream = np.concatenate(stream)
            rows[key], self._left[key] = np.split(stream, [steps * size])
        batches = np.zeros((steps, len(self._keys), width), "int32")
        for run, key in enumerate(self._keys):
            batches[:, run, : key[2]] = rows[key].reshape(steps, key[2])
        return batches


def _initial_kernels(seeds, layer, shape):
    """Glorot-uniform kernels (S, in, out), each from its run's seed and the layer alone."""
    limit = np.sqrt(6 / sum(shape))
    draws = [np.random.default_rng([seed, layer, *shape]).random(shape) for seed in seeds]
    return (limit * (2 * np.stack(draws) - 1)).astype("float32")


def _filled(runs):
    """The runs with defaults filled in and every known column checked."""
    if len(runs) == 0:
        raise ValueError("Stack: runs is empty; give at least one row (see grid)")
    defaults = {"seed": 0, **dict.fromkeys(COEFFICIENTS, 0.0)}
    defaults |= {"n_train": np.nan, "learning_rate": np.nan}
    missing = {name: value for name, value in defaults.items() if name not in runs}
    runs = runs.reset_index(drop=True).assign(**missing)
    runs = runs.astype(dict.fromkeys([*COEFFICIENTS, "n_train", "learning_rate"], float))
    seeds, n_train, rates = runs["seed"], runs["n_train"], runs["learning_rate"]
    fine = {
        **{name: (runs[name] >= 0) & (runs[name] < np.inf) for name in COEFFICIENTS},
        "dropout": (runs["dropout"] >= 0) & (runs["dropout"] < 1),
        "seed": (seeds >= 0) & (seeds == seeds // 1),
        "n_train": n_train.isna() | (n_train >= 1) & (n_train == n_train // 1),
        "learning_rate": rates.isna() | (rates > 0) & (rates < np.inf),
    }
    for name, good in fine.items():
        if not good.all():
            raise ValueError(
                f"Stack: {name} must be {RANGES.get(name, 'finite and >= 0')}, "
                f"not {runs[name][~good].iloc[0]}"
            )
    return runs.astype({"seed": int})


def _elementwise(optimizer):
    """The optimizer, when summing the losses can't make one model's step depend on another's."""
    name = type(optimizer).__name__
    if name not in ELEMENTWISE:
        raise ValueError(
            f"Stack: {name} is not known to update each weight alone; "
            f"choose one of {', '.join(ELEMENTWISE)}"
        )
    if optimizer.built:
        raise ValueError("Stack: the optimizer already serves other networks; make a new one")
    if optimizer.clipnorm or optimizer.global_clipnorm:
        raise ValueError("Stack: clipping by norm would mix the models; build it without clipping")
    if optimizer.weight_decay:
        raise ValueError("Stack: give weight_decay as a column of runs, not to the optimizer")
    return optimizer
