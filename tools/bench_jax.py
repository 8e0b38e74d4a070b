"""The moons study of `tools.bench` in JAX, in a process and an environment of its own.

``.venv-jax/bin/python -P tools/bench_jax.py study.npz 4000`` trains all networks of the study for
4,000 epochs, twice from the same start, and prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax

Weights = dict[str, jax.Array]


def data_loss(weights: Weights, x: jax.Array, y: jax.Array) -> jax.Array:
    """Mean binary cross-entropy of one network."""
    hidden = jax.nn.relu(x @ weights["kernel0"] + weights["bias0"])
    logits = (hidden @ weights["kernel1"] + weights["bias1"])[:, 0]
    return optax.sigmoid_binary_cross_entropy(logits, y).mean()


def losses(weights: Weights, l2: jax.Array, x: jax.Array, y: jax.Array, epochs: int) -> jax.Array:
    """Train networks side by side, all rows a step.

    Parameters
    ----------
    weights : dict of str to jax.Array
        Initial weights, each with a leading axis of models.
    l2 : jax.Array, shape (M,)
        Penalty of each network's first kernel.
    x, y : jax.Array
        Rows and classes, shared by the networks.
    epochs : int
        Steps.

    Returns
    -------
    jax.Array, shape (M,)
        Each network's loss at the end, without the penalty.
    """
    optimizer = optax.adam(1e-3, eps=1e-7)  # what Keras has

    def objective(weights, l2):
        return data_loss(weights, x, y) + l2 * jnp.sum(weights["kernel0"] ** 2)

    def step(carry, _):
        weights, state = carry
        gradients = jax.vmap(jax.grad(objective))(weights, l2)
        updates, state = optimizer.update(gradients, state)
        return (optax.apply_updates(weights, updates), state), None

    (weights, _), _ = jax.lax.scan(step, (weights, optimizer.init(weights)), length=epochs)
    return jax.vmap(data_loss, (0, None, None))(weights, x, y)


def main(path: str, epochs: str) -> None:
    """Print the seconds of a first and of a second training, and the losses at its end.

    Parameters
    ----------
    path : str
        An ``.npz`` with ``x``, ``y``, ``l2`` and the kernels ``kernel0`` and ``kernel1`` to start
        from, with a leading axis of models; biases start at 0.
    epochs : str
        Their number.
    """
    with np.load(path) as study:
        x, y, l2, *kernels = (
            jnp.asarray(study[name], "float32") for name in ("x", "y", "l2", "kernel0", "kernel1")
        )
    weights = {f"kernel{layer}": kernel for layer, kernel in enumerate(kernels)}
    weights |= {
        f"bias{layer}": jnp.zeros((len(l2), kernel.shape[-1]))
        for layer, kernel in enumerate(kernels)
    }
    train = jax.jit(losses, static_argnames="epochs")
    # As in the stack's process, something of the kind was compiled before.
    train(jax.tree.map(lambda w: w[:1], weights), l2[:1], x, y, epochs=1).block_until_ready()
    times = []
    for _ in range(2):
        start = time.perf_counter()
        final = jax.block_until_ready(train(weights, l2, x, y, epochs=int(epochs)))
        times.append(time.perf_counter() - start)
    print(json.dumps({"seconds": times, "losses": final.tolist(), "version": jax.__version__}))


if __name__ == "__main__":
    main(*sys.argv[1:])
