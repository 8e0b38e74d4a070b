"""One way to compare methods: the same data, initial weights and batches for every arm.

``compare`` trains each arm with each seed, keeps the last and the best validation epoch of every
run, and knows its effects against a control. It runs in this process, or through joblib in several
(on a Dask cluster, too), and with a file it goes on where it was stopped.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import joblib
import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from tqdm import tqdm

from utils.data import Dataset
from utils.evidence import Effect, paired_difference
from utils.seeds import shifted
from utils.training import Trainer, evaluate

# Names of what is measured, as evidence.claim has them, and where a run's numbers have it.
COLUMNS = {"accuracy": "accuracy", "cross-entropy": "data_loss", "squared error": "data_loss"}
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Arm:
    """One way to train. Two arms of a comparison differ in one of these.

    Attributes
    ----------
    build : callable
        Returns a fresh, uncompiled model with a ``keras.Input``; its last layer gives logits for
        classification. Arms of one seed start with the same weights when they make the same layers
        in the same order, dropout layers last.
    optimizer : callable
        Returns a fresh optimizer.
    augment : callable, optional
        ``augment(images, seed)`` changes a batch of training inputs.
    prepare : callable, optional
        ``prepare(data)`` returns the :class:`~utils.data.Dataset` that this arm trains on.
    callbacks : callable
        Returns fresh callbacks for a run.
    epochs : int, optional
        Epochs of this arm, where they aren't those of the others.
    jit_compile : bool or "auto"
        As for ``keras.Model.compile``, whose "auto" means no on a processor. For wide dense layers
        ``True`` makes an epoch 1.5 times as fast, after some seconds of compiling; it makes
        convolutions slower.
    """

    build: Callable[[], keras.Model]
    optimizer: Callable[[], keras.optimizers.Optimizer] = keras.optimizers.Adam
    augment: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] | None = None
    prepare: Callable[[Dataset], Dataset] | None = None
    callbacks: Callable[[], Sequence[keras.callbacks.Callback]] = tuple
    epochs: int | None = None
    jit_compile: bool | str = "auto"


@dataclass(frozen=True)
class Comparison:
    """What :func:`compare` returns.

    Attributes
    ----------
    runs : pandas.DataFrame
        One row a run: ``arm``, ``seed``, ``epochs``, ``best_epoch`` (from 1), ``seconds``,
        ``diverged``, and what ``measure`` returned.
    frame : pandas.DataFrame
        One row a measurement in inference mode: ``arm``, ``seed``, ``at`` ("last" or "best"),
        ``split``, ``metric`` and ``value``.
    history : pandas.DataFrame
        Learning curves: ``arm``, ``seed``, ``epoch``, ``split``, ``metric`` and ``value``.
    """

    runs: pd.DataFrame
    frame: pd.DataFrame = field(repr=False)
    history: pd.DataFrame = field(repr=False)

    def values(
        self, arm: str, metric: str = "accuracy", split: str = "test", at: str = "best"
    ) -> pd.Series:
        """A metric of each run of an arm, by seed.

        Parameters
        ----------
        arm : str
            Name of the arm.
        metric : {"accuracy", "cross-entropy", "squared error"}
            What is measured.
        split : {"train", "validation", "test"}
            On which rows.
        at : {"best", "last"}
            With the weights of the best validation epoch, or of the last one.

        Returns
        -------
        pandas.Series
            Values, NaN for a run that diverged.

        Raises
        ------
        ValueError
            When there is nothing of that name; the message says what there is.
        """
        if metric not in COLUMNS:
            raise ValueError(f"compare: metric must be one of {', '.join(COLUMNS)}, not {metric!r}")
        wanted = {"arm": arm, "metric": COLUMNS[metric], "split": split, "at": at}
        rows = self.frame
        for column, value in wanted.items():
            if value not in set(rows[column]):
                known = ", ".join(map(str, rows[column].unique()))
                raise ValueError(f"compare: there is no {column} {value!r}; there are {known}")
            rows = rows[rows[column] == value]
        return rows.set_index("seed")["value"].sort_index()

    def effects(
        self, control: str, metric: str = "accuracy", split: str = "test", at: str = "best"
    ) -> dict[str, Effect]:
        """Paired effect of every other arm against a control.

        Parameters
        ----------
        control : str
            Name of the arm to compare with.
        metric, split, at
            As for :meth:`values`. Squared errors are compared as natural logarithms of ratios.

        Returns
        -------
        dict of str to Effect
            Mean difference over seeds and its interval, by arm.

        Raises
        ------
        ValueError
            When there is no such arm, there is one seed only, or a run diverged.
        """
        arms = {arm: self.values(arm, metric, split, at) for arm in self.runs["arm"].unique()}
        against = self.values(control, metric, split, at)
        for arm, values in arms.items():
            if values.isna().any():
                lost = values.index[values.isna()].tolist()
                raise ValueError(
                    f"compare: arm {arm!r} diverged with the seeds {lost} of {len(values)}; "
                    "say so, with share_interval(runs['diverged'])"
                )
        if len(against) < 2:
            raise ValueError("compare: an effect needs at least two seeds")
        change = np.log if metric == "squared error" else np.asarray
        return {
            arm: paired_difference(
                pd.Series(change(values), values.index), pd.Series(change(against), against.index)
            )
            for arm, values in arms.items()
            if arm != control
        }


def compare(
    arms: Mapping[str, Arm | Callable[[], keras.Model]],
    draw: Callable[[int], Dataset],
    *,
    seeds: int | Iterable[int],
    epochs: int,
    batch_size: int = 128,
    loss: str = "sparse_categorical_crossentropy",
    measure: Callable[[keras.Model, Dataset], Mapping[str, Any]] | None = None,
    file: str | Path | None = None,
    about: Mapping[str, Any] | None = None,
    workers: int | None = None,
) -> Comparison:
    """Train every arm with every seed, in pairs.

    Parameters
    ----------
    arms : mapping of str to Arm or callable
        What is compared, by name; a callable stands for ``Arm(build=callable)``.
    draw : callable
        ``draw(seed)`` returns the data of that seed, with validation rows. All arms get the same.
    seeds : int or iterable of int
        How many, or which ones. ``BOOK_SEEDS`` shifts them where numbers are drawn.
    epochs : int
        Passes over the training rows.
    batch_size : int
        Rows a gradient step.
    loss : {"sparse_categorical_crossentropy", "binary_crossentropy", "mse"}
        Data loss. The cross-entropies take logits. The best epoch is the one with the lowest data
        loss (without penalty) on the validation rows.
    measure : callable, optional
        ``measure(model, data)`` returns further numbers of a run, at its best epoch.
    file : str or Path, optional
        Where each run is kept as soon as it is done. The same call goes on with what is missing.
    about : mapping, optional
        What else results depend on, e.g. a digest of the code; kept in the file.
    workers : int, optional
        Runs at the same time, through joblib's backend, whichever that is. Default: one after the
        other in this process.

    Returns
    -------
    Comparison
        Results of all arms and seeds that were asked for.

    Raises
    ------
    ValueError
        When an argument is out of range, the data have no validation rows or hold NaN, or the file
        came from something else; the message names what differs.
    RuntimeError
        When a run fails; the message names its arm and seed. What is done is kept in the file.
    """
    arms = {name: arm if isinstance(arm, Arm) else Arm(arm) for name, arm in arms.items()}
    seeds = list(range(seeds)) if isinstance(seeds, int) else list(seeds)
    if not arms or not seeds or len(set(seeds)) < len(seeds):
        raise ValueError("compare: give at least one arm, and at least one seed, each once")
    about = {
        "epochs": epochs, "batch_size": batch_size, "loss": loss, "offset": shifted(0),
        "tensorflow": ".".join(tf.__version__.split(".")[:2]), **(about or {}),
    }  # fmt: skip
    store = _Store(file, about)
    tasks = [(name, seed) for seed in seeds for name in arms if (name, seed) not in store.runs]
    settings = {"epochs": epochs, "batch_size": batch_size, "loss": loss}
    if workers is None:
        trainers: dict[str, Trainer] = {}
        done = (
            _run(name, arms[name], seed, draw, settings, measure, trainers) for name, seed in tasks
        )
    else:
        call = uuid.uuid4().hex
        threads = max(1, (os.cpu_count() or 1) // workers)
        parallel = joblib.Parallel(
            n_jobs=workers, return_as="generator_unordered", pre_dispatch=workers, batch_size=1
        )
        done = parallel(
            joblib.delayed(_run_in_worker)(
                call, threads, name, arms[name], seed, draw, settings, measure
            )
            for name, seed in tasks
        )
    for run in tqdm(done, total=len(tasks), unit="run", delay=3, leave=False):
        store.add(run)
    order = [(name, seed) for name in arms for seed in seeds]
    return comparison([store.runs[key] for key in order])


def comparison(runs: Sequence[Mapping[str, Any]]) -> Comparison:
    """The tables of runs as they are kept in a file.

    Parameters
    ----------
    runs : sequence of mapping
        ``arm``, ``seed`` and so on, ``scores`` by ``at`` and split, and ``curves``.

    Returns
    -------
    Comparison
        The same in tables.
    """
    plain = [{k: v for k, v in run.items() if k not in ("scores", "curves")} for run in runs]
    frame = [
        (run["arm"], run["seed"], at, split, metric, np.nan if value is None else value)
        for run in runs
        for at, splits in run["scores"].items()
        for split, metrics in splits.items()
        for metric, value in metrics.items()
    ]
    history = [
        (run["arm"], run["seed"], epoch, *name.split(" "), np.nan if value is None else value)
        for run in runs
        for name, curve in run["curves"].items()
        for epoch, value in enumerate(curve, start=1)
    ]
    labels = ["arm", "seed"]
    return Comparison(
        pd.DataFrame(plain),
        pd.DataFrame(frame, columns=[*labels, "at", "split", "metric", "value"]),
        pd.DataFrame(history, columns=[*labels, "epoch", "split", "metric", "value"]),
    )


class _Store:
    """Runs that are done, in memory and, with a file, on disk after each one."""

    def __init__(self, file, about):
        self.file, self.about, self.runs = None if file is None else Path(file), about, {}
        if self.file is None or not self.file.exists():
            return
        content = json.loads(self.file.read_text(encoding="utf-8"))
        for key in sorted({*about, *content["about"]}):
            here, there = about.get(key), content["about"].get(key)
            if here != there:
                raise ValueError(
                    f"compare: {self.file} was made with {key} = {there!r}, now it is {here!r}. "
                    "Name another file, or move this one away; it isn't touched"
                )
        self.runs = {(run["arm"], run["seed"]): run for run in content["runs"]}

    def add(self, run):
        for other in self.runs.values():
            if other["seed"] == run["seed"] and other["data"] != run["data"]:
                raise ValueError(
                    f"compare: with seed {run['seed']} the arms {other['arm']!r} and "
                    f"{run['arm']!r} got different data, so they are no pair; "
                    "draw(seed) has to return the same each time"
                )
        self.runs[run["arm"], run["seed"]] = run
        if self.file is None:
            return
        about = json.dumps(self.about, indent=1, ensure_ascii=False)
        lines = ",\n".join(json.dumps(run, ensure_ascii=False) for run in self.runs.values())
        part = self.file.with_name(self.file.name + ".part")
        part.write_text(f'{{"about": {about},\n"runs": [\n{lines}\n]}}\n', encoding="utf-8")
        os.replace(part, self.file)


class _KeepBest(keras.callbacks.Callback):
    """Keeps the weights of the epoch with the lowest validation loss, as EarlyStopping does with
    ``restore_best_weights``, and goes on."""

    def __init__(self):
        super().__init__()
        self.best, self.epoch, self.weights = None, 0, None

    def on_epoch_end(self, epoch, logs=None):
        loss = logs["val_data_loss"]
        if self.best is None or loss < self.best:
            self.best, self.epoch, self.weights = loss, epoch + 1, self.model.get_weights()


def _run(name, arm, seed, draw, settings, measure, trainers, steady=False):
    """Train one arm with one seed; what is kept of it."""
    try:
        data = _checked(draw(seed))
        digest = hashlib.sha256(np.ascontiguousarray(data.x_train).tobytes()).hexdigest()[:16]
        data = data if arm.prepare is None else _checked(arm.prepare(data))
        if name not in trainers:
            trainers[name] = Trainer(
                arm.build, arm.optimizer, settings["loss"], settings["batch_size"], arm.augment,
                arm.jit_compile, steady,
            )  # fmt: skip
        keep = _KeepBest()
        trained = trainers[name].run(
            data, shifted(seed), arm.epochs or settings["epochs"], [*arm.callbacks(), keep]
        )
        model, history, seconds = trained
        last = _scores(model, data)
        model.set_weights(keep.weights)
        best = _scores(model, data)
        extra = {} if measure is None else dict(measure(model, data))
    except Exception as error:
        raise RuntimeError(f"compare: arm {name!r} with seed {seed} failed: {error}") from error
    curves = {
        f"{split} {metric}": [_rounded(value) for value in part["value"]]
        for (split, metric), part in history.groupby(["split", "metric"], sort=False)
    }
    return {
        "arm": name,
        "seed": int(seed),
        "epochs": int(history["epoch"].max()),
        "best_epoch": keep.epoch,
        "seconds": round(seconds, 2),
        "diverged": not np.isfinite(last["train"]["data_loss"]),
        **extra,
        "scores": {
            at: {s: {m: _rounded(v) for m, v in metrics.items()} for s, metrics in scores.items()}
            for at, scores in (("last", last), ("best", best))
        },
        "curves": curves,
        "data": digest,
    }


_compiled: dict[str, dict[str, Trainer]] = {}  # what this worker process has compiled, by call


def _run_in_worker(call, threads, *task):
    if call not in _compiled:
        _compiled.clear()
        _compiled[call] = {}
        try:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        except RuntimeError:  # this process has used TensorFlow already
            pass
    return _run(*task, _compiled[call], steady=True)


def _checked(data):
    if not len(data.x_validation):
        raise ValueError("the data have no validation rows, by which the best epoch is chosen")
    for split in SPLITS:
        if not np.isfinite(getattr(data, f"x_{split}")).all():
            raise ValueError(f"x_{split} holds NaN or infinite values")
    return data


def _scores(model, data):
    return {
        split: evaluate(model, getattr(data, f"x_{split}"), getattr(data, f"y_{split}"))
        for split in SPLITS
        if len(getattr(data, f"x_{split}"))
    }


def _rounded(value):
    """Six significant digits, which float32 has; None for what isn't a number, which JSON lacks."""
    return float(f"{value:.6g}") if np.isfinite(value) else None
