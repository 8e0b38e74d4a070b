"""Answers to the assignment on dropout: right ones, and wrong ones that students really give."""

ANSWERS = {
    "q1": {
        "right": {
            "a mask and a product": """
def dropout(x, rate, uniform, training):
    if rate < 0 or rate >= 1:
        raise ValueError("rate")
    if not training:
        return x.copy()
    keep = (uniform >= rate).astype(x.dtype)
    return x * keep / (1 - rate)
""",
            "a loop": """
def dropout(x, rate, uniform, training):
    if not (0 <= rate < 1):
        raise ValueError(rate)
    out = np.array(x, dtype=float)
    if training:
        for i in np.ndindex(out.shape):
            out[i] = 0.0 if uniform[i] < rate else out[i] / (1.0 - rate)
    return out
""",
            "boolean indexing": """
def dropout(x, rate, uniform, training):
    if not training and 0 <= rate < 1:
        return x
    if rate not in (0.0,) and not 0 < rate < 1:
        raise ValueError("the rate must be in [0, 1)")
    out = x * (1 / (1 - rate))
    out[uniform < rate] = 0
    return out
""",
            "a list of lists": """
def dropout(x, rate, uniform, training):
    if rate < 0:
        raise ValueError("negative")
    if rate >= 1:
        raise ValueError("too much")
    one = lambda a, u: (0 if u < rate else a / (1 - rate)) if training else a
    return [[one(a, u) for a, u in zip(*rows)] for rows in zip(x, uniform)]
""",
        },
        "wrong": {
            "no scaling": """
def dropout(x, rate, uniform, training):
    if not 0 <= rate < 1:
        raise ValueError(rate)
    return np.where(uniform < rate, 0, x) if training else x
""",
            "rate taken for the share that is kept": """
def dropout(x, rate, uniform, training):
    if not 0 <= rate < 1:
        raise ValueError(rate)
    return np.where(uniform < rate, x / max(rate, 1e-9), 0) if training else x
""",
            "scaled by the rate": """
def dropout(x, rate, uniform, training):
    if not 0 <= rate < 1:
        raise ValueError(rate)
    return np.where(uniform < rate, 0, x / rate if rate else x) if training else x
""",
            "scaled at prediction, as in the first paper": """
def dropout(x, rate, uniform, training):
    if not 0 <= rate < 1:
        raise ValueError(rate)
    return np.where(uniform < rate, 0, x) if training else x * (1 - rate)
""",
            "drops at prediction, too": """
def dropout(x, rate, uniform, training):
    if not 0 <= rate < 1:
        raise ValueError(rate)
    return np.where(uniform < rate, 0, x / (1 - rate))
""",
            "own random numbers": """
def dropout(x, rate, uniform, training):
    if not 0 <= rate < 1:
        raise ValueError(rate)
    mask = np.random.random(x.shape) >= rate
    return x * mask / (1 - rate) if training else x
""",
            "one mask for all rows": """
def dropout(x, rate, uniform, training):
    if not 0 <= rate < 1:
        raise ValueError(rate)
    return x * (uniform[0] >= rate) / (1 - rate) if training else x
""",
            "no check of the rate": """
def dropout(x, rate, uniform, training):
    return np.where(uniform < rate, 0, x / (1 - rate)) if training else x
""",
            "an assert in place of the ValueError": """
def dropout(x, rate, uniform, training):
    assert 0 <= rate < 1, "rate"
    return np.where(uniform < rate, 0, x / (1 - rate)) if training else x
""",
            "refuses a rate of 0, too": """
def dropout(x, rate, uniform, training):
    if rate <= 0 or rate >= 1:
        raise ValueError(rate)
    return np.where(uniform < rate, 0, x / (1 - rate)) if training else x
""",
            "multiplies by the share that stays": """
def dropout(x, rate, uniform, training):
    if not 0 <= rate < 1:
        raise ValueError(rate)
    return np.where(uniform < rate, 0, x * (1 - rate)) if training else x
""",
            "the public example, typed in": """
def dropout(x, rate, uniform, training):
    return np.array([[0.0, 4.0, 0.0, 8.0]]) if training else x
""",
            "the input, whatever happens": """
def dropout(x, rate, uniform, training):
    return x
""",
        },
    },
    "q2": {
        "right": {
            "the forward function once more": """
def dropout_backward(gradient, rate, uniform):
    return dropout(gradient, rate, uniform, True)
""",
            "a mask and a quotient": """
def dropout_backward(gradient, rate, uniform):
    keep = uniform >= rate
    return keep * gradient / (1 - rate)
""",
            "a copy, changed in place": """
def dropout_backward(gradient, rate, uniform):
    back = np.zeros(np.shape(gradient))
    stays = np.nonzero(np.asarray(uniform) >= rate)
    back[stays] = np.asarray(gradient)[stays]
    back /= 1 - rate
    return back
""",
            "a loop, and a list": """
def dropout_backward(gradient, rate, uniform):
    pairs = zip(gradient.ravel(), uniform.ravel())
    flat = [0.0 if u < rate else g / (1 - rate) for g, u in pairs]
    return np.array(flat).reshape(gradient.shape).tolist()
""",
        },
        "wrong": {
            "no scaling": """
def dropout_backward(gradient, rate, uniform):
    return np.where(uniform < rate, 0, gradient)
""",
            "scaled the other way round": """
def dropout_backward(gradient, rate, uniform):
    return np.where(uniform < rate, 0, gradient * (1 - rate))
""",
            "divided by the rate": """
def dropout_backward(gradient, rate, uniform):
    return np.where(uniform < rate, 0, gradient / rate)
""",
            "scaled twice": """
def dropout_backward(gradient, rate, uniform):
    return dropout(gradient, rate, uniform, True) / (1 - rate)
""",
            "the opposite mask": """
def dropout_backward(gradient, rate, uniform):
    return np.where(uniform < rate, gradient / (1 - rate), 0)
""",
            "a new mask": """
def dropout_backward(gradient, rate, uniform):
    return dropout(gradient, rate, np.random.random(gradient.shape), True)
""",
            "no mask, only the scaling": """
def dropout_backward(gradient, rate, uniform):
    return gradient / (1 - rate)
""",
            "the sum over the rows": """
def dropout_backward(gradient, rate, uniform):
    return np.sum(gradient * (uniform >= rate) / (1 - rate), axis=0)
""",
            "the wrong sign": """
def dropout_backward(gradient, rate, uniform):
    return -dropout(gradient, rate, uniform, True)
""",
            "the public example, typed in": """
def dropout_backward(gradient, rate, uniform):
    return np.array([0.0, 2.0, 6.0])
""",
            "returns what it gets": """
def dropout_backward(gradient, rate, uniform):
    return gradient
""",
        },
    },
    "q3": {
        "right": {
            "all passes at once": """
def mc_dropout(x, w1, w2, rate, uniforms):
    hidden = np.where(x @ w1 > 0, x @ w1, 0)
    passes = hidden[None] * (uniforms >= rate) / (1 - rate)
    return softmax(np.einsum("pnh,hk->pnk", passes, w2)).mean(axis=0)
""",
            "a running sum": """
def mc_dropout(x, w1, w2, rate, uniforms):
    total = np.zeros((len(x), w2.shape[1]))
    for i in range(len(uniforms)):
        hidden = dropout((x @ w1).clip(0), rate, uniforms[i], True)
        total += softmax(hidden @ w2)
    return total / len(uniforms)
""",
            "dropout before the ReLU, which comes to the same": """
def mc_dropout(x, w1, w2, rate, uniforms):
    def one_pass(uniform):
        z = dropout(x @ w1, rate, uniform, True)
        return softmax((np.abs(z) + z) / 2 @ w2)

    return sum(map(one_pass, uniforms)) / uniforms.shape[0]
""",
            "row by row, with SciPy's softmax": """
from scipy import special


def mc_dropout(x, w1, w2, rate, uniforms):
    rows = []
    for n, row in enumerate(x):
        hidden = np.maximum(row @ w1, 0) * (uniforms[:, n] >= rate) / (1 - rate)
        rows.append(special.softmax(hidden @ w2, axis=1).mean(axis=0).tolist())
    return rows
""",
        },
        "wrong": {
            "average of the logits": """
def mc_dropout(x, w1, w2, rate, uniforms):
    hidden = np.maximum(x @ w1, 0)
    logits = [dropout(hidden, rate, uniform, True) @ w2 for uniform in uniforms]
    return softmax(np.mean(logits, axis=0))
""",
            "average of the hidden layers": """
def mc_dropout(x, w1, w2, rate, uniforms):
    hidden = np.maximum(x @ w1, 0)
    mean = np.mean([dropout(hidden, rate, uniform, True) for uniform in uniforms], axis=0)
    return softmax(mean @ w2)
""",
            "dropout off, as at an ordinary prediction": """
def mc_dropout(x, w1, w2, rate, uniforms):
    hidden = np.maximum(x @ w1, 0)
    passes = [softmax(dropout(hidden, rate, u, False) @ w2) for u in uniforms]
    return np.mean(passes, axis=0)
""",
            "the first mask for every pass": """
def mc_dropout(x, w1, w2, rate, uniforms):
    hidden = np.maximum(x @ w1, 0)
    passes = [softmax(dropout(hidden, rate, uniforms[0], True) @ w2) for _ in uniforms]
    return np.mean(passes, axis=0)
""",
            "no scaling": """
def mc_dropout(x, w1, w2, rate, uniforms):
    hidden = np.maximum(x @ w1, 0)
    return np.mean([softmax(hidden * (u >= rate) @ w2) for u in uniforms], axis=0)
""",
            "no ReLU": """
def mc_dropout(x, w1, w2, rate, uniforms):
    passes = [softmax(dropout(x @ w1, rate, u, True) @ w2) for u in uniforms]
    return np.mean(passes, axis=0)
""",
            "the sum, not the mean": """
def mc_dropout(x, w1, w2, rate, uniforms):
    hidden = np.maximum(x @ w1, 0)
    return sum(softmax(dropout(hidden, rate, u, True) @ w2) for u in uniforms)
""",
            "mean over the rows": """
def mc_dropout(x, w1, w2, rate, uniforms):
    hidden = np.maximum(x @ w1, 0)
    return np.mean([softmax(dropout(hidden, rate, u, True) @ w2) for u in uniforms], axis=1)
""",
            "a vote of the passes": """
def mc_dropout(x, w1, w2, rate, uniforms):
    hidden = np.maximum(x @ w1, 0)
    passes = [softmax(dropout(hidden, rate, u, True) @ w2).argmax(axis=1) for u in uniforms]
    return np.mean(np.eye(w2.shape[1])[np.array(passes)], axis=0)
""",
            "masks of its own": """
def mc_dropout(x, w1, w2, rate, uniforms):
    hidden = np.maximum(x @ w1, 0)
    masks = np.random.random(uniforms.shape) >= rate
    return softmax(hidden * masks / (1 - rate) @ w2).mean(axis=0)
""",
            "each class equally likely": """
def mc_dropout(x, w1, w2, rate, uniforms):
    return np.full((len(x), w2.shape[1]), 1 / w2.shape[1])
""",
            "zeros of the public example's shape": """
def mc_dropout(x, w1, w2, rate, uniforms):
    return np.zeros((3, 4))
""",
        },
    },
    "q4": {
        "right": {
            "loops, and the formula by hand": """
accuracy = np.zeros((4, 8))
for i, rate in enumerate(RATES):
    for seed in SEEDS:
        accuracy[i, seed] = accuracy_of(rate, seed)
gain, half_width = np.zeros(4), np.zeros(4)
for i in range(4):
    d = accuracy[i] - accuracy[0]
    gain[i] = sum(d) / 8
    s = np.sqrt(np.sum((d - gain[i]) ** 2) / 7)
    half_width[i] = stats.t(df=7).ppf(0.975) * s / 8**0.5
""",
            "the standard error from SciPy": """
accuracy = accuracy.copy()
gain = np.mean(accuracy, axis=1) - np.mean(accuracy, axis=1)[0]
error = stats.sem(accuracy - accuracy[[0]], axis=1)
half_width = -stats.t.ppf(0.025, df=7) * error
""",
            "columns are rates at first, and lists at the end": """
by_seed = accuracy.T
differences = by_seed - by_seed[:, :1]
accuracy = by_seed.T.tolist()
gain = differences.mean(axis=0).tolist()
spread = np.sqrt(np.diag(np.cov(differences.T)))
half_width = list(2.364624 * spread / np.sqrt(8))
""",
            "SciPy's interval, which is nan at rate 0": """
difference = accuracy - accuracy[0]
gain = np.array([row.mean() for row in difference])
low, high = stats.t.interval(0.95, 7, loc=gain, scale=stats.sem(difference, axis=1))
half_width = (high - low) / 2
""",
        },
        "wrong": {
            "n in the denominator": """
difference = accuracy - accuracy[0]
half_width = quantile * difference.std(axis=1) / np.sqrt(8)
""",
            "1.96 for eight seeds": """
half_width = 1.96 * difference.std(axis=1, ddof=1) / np.sqrt(8)
""",
            "the quantile of a one-sided interval": """
half_width = stats.t.ppf(0.95, 7) * difference.std(axis=1, ddof=1) / np.sqrt(8)
""",
            "eight degrees of freedom": """
half_width = stats.t.ppf(0.975, 8) * difference.std(axis=1, ddof=1) / np.sqrt(8)
""",
            "no square root": """
half_width = quantile * difference.std(axis=1, ddof=1) / 8
""",
            "not divided at all": """
half_width = quantile * difference.std(axis=1, ddof=1)
""",
            "the whole width": """
half_width = 2 * quantile * difference.std(axis=1, ddof=1) / np.sqrt(8)
""",
            "spread of the accuracies, not of the pairs": """
half_width = quantile * accuracy.std(axis=1, ddof=1) / np.sqrt(8)
""",
            "two independent groups": """
variance = accuracy.var(axis=1, ddof=1)
half_width = quantile * np.sqrt((variance + variance[0]) / 8)
""",
            "gain with the wrong sign": """
gain = (accuracy[0] - accuracy).mean(axis=1)
""",
            "gain over the best rate": """
gain = (accuracy - accuracy.max(axis=0)).mean(axis=1)
""",
            "gain in percent": """
gain = 100 * (accuracy - accuracy[0]).mean(axis=1)
""",
            "mean over the rates": """
gain = (accuracy - accuracy[0]).mean(axis=0)
half_width = quantile * difference.std(axis=0, ddof=1) / np.sqrt(4)
""",
            "rows are seeds": """
accuracy = accuracy.T.copy()
""",
            "rows are seeds, then pressed into the shape": """
accuracy = accuracy.T.reshape(4, 8)
difference = accuracy - accuracy[0]
gain = difference.mean(axis=1)
half_width = quantile * difference.std(axis=1, ddof=1) / np.sqrt(8)
""",
            "seeds from 1 to 8": """
accuracy = np.array([[accuracy_of(r, s + 1) for s in SEEDS] for r in RATES])
difference = accuracy - accuracy[0]
gain = difference.mean(axis=1)
half_width = quantile * difference.std(axis=1, ddof=1) / np.sqrt(8)
""",
            "one seed, eight times": """
accuracy = np.repeat(accuracy[:, :1], 8, axis=1)
difference = accuracy - accuracy[0]
gain = difference.mean(axis=1)
half_width = quantile * difference.std(axis=1, ddof=1) / np.sqrt(8)
""",
            "invented accuracies": """
accuracy = np.random.default_rng(0).uniform(0.6, 0.95, (4, 8))
difference = accuracy - accuracy[0]
gain = difference.mean(axis=1)
half_width = quantile * difference.std(axis=1, ddof=1) / np.sqrt(8)
""",
            "constants of the right shape": """
accuracy, gain, half_width = np.full((4, 8), 0.9), np.zeros(4), np.zeros(4)
""",
        },
    },
}
