"""Shared module of the regularization-book: data, models, evidence and figures.

Import from the rooms: ``utils.data``, ``utils.stack``, ``utils.training``, ``utils.augment``,
``utils.comparing``, ``utils.evidence``, ``utils.seeds``, ``utils.plot``, ``utils.slider`` and
``utils.recorded``. This file imports none of them, so ``import utils`` costs nothing and TensorFlow
loads when something needs it.
"""

__version__ = "0.1.0"
