"""Answers to the assignment on early stopping: right, and wrong ones that students really give."""

ONE_RUN = """
def descend(x, y, epochs):
    w = np.zeros(25)
    for _ in range(epochs):
        w = w - 0.02 * 2 / len(x) * x.T @ (x @ w - y)
    return w


def compare_once(seed):
    (x, y), (v, u), (a, b) = draw(seed)
    w, losses = train(x, y, v, u, 0.02, 20, 2000)
    fixed, last = descend(x, y, 40), descend(x, y, 2000)
    more = descend(np.vstack([x, v]), np.concatenate([y, u]), 2000)
    mse = lambda w, x, y: np.mean((x @ w - y) ** 2)
    fixed_errors = mse(fixed, v, u), mse(fixed, a, b)
    return losses.min(), mse(w, a, b), *fixed_errors, mse(last, a, b), mse(more, a, b)
"""
PAIRS = """
gap = table[:, 1] - table[:, 0]
promised_too_much, by_choosing = interval(gap), interval(gap - table[:, 3] + table[:, 2])
gain, more_rows = interval(table[:, 4] - table[:, 1]), interval(table[:, 5] - table[:, 1])
"""


def changed(*pairs, code=ONE_RUN):
    """Code with something else in some places: old, new, old, new …"""
    for old, new in zip(pairs[::2], pairs[1::2], strict=True):
        assert code.count(old) == 1, old
        code = code.replace(old, new)
    return code


def half_width(code):
    """Pairs with another half of the interval."""
    return f"def interval(d):\n    return d.mean(), {code}\n{PAIRS}"


ANSWERS = {
    "q1": {
        "right": {
            "a while loop": """
def stopping_point(losses, patience, min_delta=0.0):
    epoch, best, lowest = 1, 1, losses[0]
    while epoch < len(losses) and epoch - best < patience:
        epoch += 1
        if lowest - losses[epoch - 1] > min_delta:
            best, lowest = epoch, losses[epoch - 1]
    return epoch, best
""",
            "a recursion": """
def stopping_point(losses, patience, min_delta=0.0, best=1):
    later = losses[best : best + patience]
    for i, loss in enumerate(later):
        if loss + min_delta < losses[best - 1]:
            return stopping_point(losses, patience, min_delta, best + 1 + i)
    return best + len(later), best
""",
            "all improvements first, then the gaps; an array": """
def stopping_point(losses, patience, min_delta=0.0):
    losses = np.asarray(losses, dtype=float)
    improved = [0]
    for i in range(1, losses.size):
        if losses[i] < losses[improved[-1]] - min_delta:
            improved.append(i)
    gaps = np.diff(improved + [10**9]) - 1
    last = improved[int(np.argmax(gaps >= patience))]
    return np.array([min(last + patience, losses.size - 1), last]) + 1
""",
            "NaN replaced by infinity": """
def stopping_point(losses, patience, min_delta=0.0):
    losses = [np.inf if np.isnan(v) else v for v in losses]
    best, waiting = 0, 0
    for i in range(1, len(losses)):
        if waiting == patience:
            return [i, best + 1]
        better = losses[i] < losses[best] - min_delta
        best, waiting = (i, 0) if better else (best, waiting + 1)
    return [len(losses), best + 1]
""",
        },
        "wrong": {
            "one epoch too long": """
def stopping_point(losses, patience, min_delta=0.0):
    lowest, best, waited = np.inf, 1, 0
    for epoch, loss in enumerate(losses, 1):
        if loss < lowest - min_delta:
            lowest, best, waited = loss, epoch, 0
        else:
            waited += 1
            if waited > patience:
                return epoch, best
    return len(losses), best
""",
            "the improving epoch counted as waiting": """
def stopping_point(losses, patience, min_delta=0.0):
    lowest, best, waited = np.inf, 1, 0
    for epoch, loss in enumerate(losses, 1):
        if loss < lowest - min_delta:
            lowest, best, waited = loss, epoch, 0
        waited += 1
        if waited >= patience:
            return epoch, best
    return len(losses), best
""",
            "epochs counted from 0": """
def stopping_point(losses, patience, min_delta=0.0):
    lowest, best, waited = np.inf, 0, 0
    for epoch, loss in enumerate(losses):
        if loss < lowest - min_delta:
            lowest, best, waited = loss, epoch, 0
        else:
            waited += 1
            if waited >= patience:
                return epoch, best
    return len(losses) - 1, best
""",
            "waiting never ends": """
def stopping_point(losses, patience, min_delta=0.0):
    lowest, best, waited = np.inf, 1, 0
    for epoch, loss in enumerate(losses, 1):
        if loss < lowest - min_delta:
            lowest, best = loss, epoch
        else:
            waited += 1
            if waited >= patience:
                return epoch, best
    return len(losses), best
""",
            "compared with the epoch before": """
def stopping_point(losses, patience, min_delta=0.0):
    best, waited = 1, 0
    for i in range(1, len(losses)):
        if losses[i] < losses[i - 1] - min_delta:
            best, waited = i + 1, 0
        else:
            waited += 1
            if waited >= patience:
                return i + 1, best
    return len(losses), best
""",
            "the best of all epochs, not only of the trained ones": """
def stopping_point(losses, patience, min_delta=0.0):
    lowest, waited = np.inf, 0
    for epoch, loss in enumerate(losses, 1):
        waited = 0 if loss < lowest - min_delta else waited + 1
        lowest = loss if waited == 0 else lowest
        if waited >= patience:
            return epoch, int(np.nanargmin(losses)) + 1
    return len(losses), int(np.nanargmin(losses)) + 1
""",
            "min_delta forgotten": """
def stopping_point(losses, patience, min_delta=0.0):
    lowest, best = np.inf, 1
    for epoch, loss in enumerate(losses, 1):
        if loss < lowest:
            lowest, best = loss, epoch
        elif epoch - best >= patience:
            return epoch, best
    return len(losses), best
""",
            "min_delta with the wrong sign": """
def stopping_point(losses, patience, min_delta=0.0):
    lowest, best = np.inf, 1
    for epoch, loss in enumerate(losses, 1):
        if loss < lowest + min_delta:
            lowest, best = loss, epoch
        elif epoch - best >= patience:
            return epoch, best
    return len(losses), best
""",
            "an equal loss counts as better": """
def stopping_point(losses, patience, min_delta=0.0):
    lowest, best = np.inf, 1
    for epoch, loss in enumerate(losses, 1):
        if loss <= lowest - min_delta:
            lowest, best = loss, epoch
        elif epoch - best >= patience:
            return epoch, best
    return len(losses), best
""",
            "compared with the lowest loss, improvement or not": """
def stopping_point(losses, patience, min_delta=0.0):
    lowest, best = np.inf, 1
    for epoch, loss in enumerate(losses, 1):
        if loss < lowest - min_delta:
            best = epoch
        elif epoch - best >= patience:
            return epoch, best
        lowest = loss if loss < lowest else lowest
    return len(losses), best
""",
            "NaN isn't counted": """
def stopping_point(losses, patience, min_delta=0.0):
    lowest, best, waited = np.inf, 1, 0
    for epoch, loss in enumerate(losses, 1):
        if loss < lowest - min_delta:
            lowest, best, waited = loss, epoch, 0
        elif loss >= lowest - min_delta:
            waited += 1
            if waited >= patience:
                return epoch, best
    return len(losses), best
""",
            "NaN counts as better": """
def stopping_point(losses, patience, min_delta=0.0):
    lowest, best = np.inf, 1
    for epoch, loss in enumerate(losses, 1):
        if loss >= lowest - min_delta:
            if epoch - best >= patience:
                return epoch, best
        else:
            lowest, best = loss, epoch
    return len(losses), best
""",
            "NaN ends training": """
def stopping_point(losses, patience, min_delta=0.0):
    lowest, best = np.inf, 1
    for epoch, loss in enumerate(losses, 1):
        if np.isnan(loss):
            return epoch, best
        if loss < lowest - min_delta:
            lowest, best = loss, epoch
        elif epoch - best >= patience:
            return epoch, best
    return len(losses), best
""",
            "the lowest loss instead of its epoch": """
def stopping_point(losses, patience, min_delta=0.0):
    lowest, best = np.inf, 1
    for epoch, loss in enumerate(losses, 1):
        if loss < lowest - min_delta:
            lowest, best = loss, epoch
        elif epoch - best >= patience:
            return epoch, lowest
    return len(losses), lowest
""",
            "only where training stops": """
def stopping_point(losses, patience, min_delta=0.0):
    best = int(np.argmin(losses)) + 1
    return min(best + patience, len(losses))
""",
            "the public example, typed in": """
def stopping_point(losses, patience, min_delta=0.0):
    return 4, 2
""",
        },
    },
    "q2": {
        "right": {
            "a copy of the best weights, own count": """
def train(x_train, y_train, x_validation, y_validation, rate, patience, epochs):
    w, best, losses, waited = np.zeros(x_train.shape[1]), None, [], 0
    for _ in range(epochs):
        w -= rate * 2 * np.mean((x_train @ w - y_train)[:, None] * x_train, axis=0)
        loss = np.square(y_validation - x_validation @ w).mean()
        waited = waited + 1 if losses and loss >= min(losses) else 0
        best = w.copy() if waited == 0 else best
        losses.append(loss)
        if waited == patience:
            break
    return best, np.asarray(losses)
""",
            "all epochs first, then cut off": """
def train(x_train, y_train, x_validation, y_validation, rate, patience, epochs):
    w = np.zeros((epochs + 1, x_train.shape[1]))
    hessian = 2 * x_train.T @ x_train / len(y_train)
    slope = 2 * x_train.T @ y_train / len(y_train)
    for t in range(epochs):
        w[t + 1] = w[t] - rate * (hessian @ w[t] - slope)
    losses = ((w[1:] @ x_validation.T - y_validation) ** 2).mean(axis=1)
    stopped, best = stopping_point(losses, patience)
    return w[best], losses[:stopped]
""",
            "helper functions, and lists": """
def mse(x, y, w):
    r = y - x.dot(w)
    return float(r @ r) / len(r)


def train(x_train, y_train, x_validation, y_validation, rate, patience, epochs):
    w, history = [0.0] * x_train.shape[1], []
    while len(history) < epochs:
        r = x_train.dot(w) - y_train
        w = [v - rate * 2 * float(c @ r) / len(r) for v, c in zip(w, x_train.T)]
        history.append((mse(x_validation, y_validation, w), w))
        best = min(range(len(history)), key=lambda i: history[i][0])
        if len(history) - 1 - best >= patience:
            break
    return [history[best][1], [loss for loss, _ in history]]
""",
        },
        "wrong": {
            "the last weights": """
def train(x_train, y_train, x_validation, y_validation, rate, patience, epochs):
    w, losses = np.zeros(x_train.shape[1]), []
    for _ in range(epochs):
        w = w - rate * 2 / len(x_train) * x_train.T @ (x_train @ w - y_train)
        losses.append(np.mean((x_validation @ w - y_validation) ** 2))
        if len(losses) - 1 - np.argmin(losses) >= patience:
            break
    return w, np.array(losses)
""",
            "the kept array changed in place": """
def train(x_train, y_train, x_validation, y_validation, rate, patience, epochs):
    w, losses = np.zeros(x_train.shape[1]), []
    for _ in range(epochs):
        w -= rate * 2 / len(x_train) * x_train.T @ (x_train @ w - y_train)
        losses.append(np.mean((x_validation @ w - y_validation) ** 2))
        if losses[-1] == min(losses):
            best = w
        if len(losses) - 1 - np.argmin(losses) >= patience:
            break
    return best, np.array(losses)
""",
            "measured before the step": """
def train(x_train, y_train, x_validation, y_validation, rate, patience, epochs):
    w, losses, kept = np.zeros(x_train.shape[1]), [], []
    for _ in range(epochs):
        losses.append(np.mean((x_validation @ w - y_validation) ** 2))
        w = w - rate * 2 / len(x_train) * x_train.T @ (x_train @ w - y_train)
        kept.append(w)
        if len(losses) - 1 - np.argmin(losses) >= patience:
            break
    return kept[np.argmin(losses)], np.array(losses)
""",
            "stopped by the training loss": """
def train(x_train, y_train, x_validation, y_validation, rate, patience, epochs):
    w, losses, kept = np.zeros(x_train.shape[1]), [], []
    for _ in range(epochs):
        w = w - rate * 2 / len(x_train) * x_train.T @ (x_train @ w - y_train)
        losses.append(np.mean((x_train @ w - y_train) ** 2))
        kept.append(w)
        if len(losses) - 1 - np.argmin(losses) >= patience:
            break
    return kept[np.argmin(losses)], np.array(losses)
""",
            "trained on the validation rows, too": """
def train(x_train, y_train, x_validation, y_validation, rate, patience, epochs):
    x, y = np.vstack([x_train, x_validation]), np.append(y_train, y_validation)
    w, losses, kept = np.zeros(x.shape[1]), [], []
    for _ in range(epochs):
        w = w - rate * 2 / len(x) * x.T @ (x @ w - y)
        losses.append(np.mean((x_validation @ w - y_validation) ** 2))
        kept.append(w)
        if len(losses) - 1 - np.argmin(losses) >= patience:
            break
    return kept[np.argmin(losses)], np.array(losses)
""",
            "the 2 forgotten in the gradient": """
def train(x_train, y_train, x_validation, y_validation, rate, patience, epochs):
    w, losses, kept = np.zeros(x_train.shape[1]), [], []
    for _ in range(epochs):
        w = w - rate / len(x_train) * x_train.T @ (x_train @ w - y_train)
        losses.append(np.mean((x_validation @ w - y_validation) ** 2))
        kept.append(w)
        if len(losses) - 1 - np.argmin(losses) >= patience:
            break
    return kept[np.argmin(losses)], np.array(losses)
""",
            "the gradient of the sum": """
def train(x_train, y_train, x_validation, y_validation, rate, patience, epochs):
    w, losses, kept = np.zeros(x_train.shape[1]), [], []
    for _ in range(epochs):
        w = w - rate * 2 * x_train.T @ (x_train @ w - y_train)
        losses.append(np.mean((x_validation @ w - y_validation) ** 2))
        kept.append(w)
        if len(losses) - 1 - np.argmin(losses) >= patience:
            break
    return kept[np.argmin(losses)], np.array(losses)
""",
            "uphill": """
def train(x_train, y_train, x_validation, y_validation, rate, patience, epochs):
    w, losses, kept = np.zeros(x_train.shape[1]), [], []
    for _ in range(epochs):
        w = w + rate * 2 / len(x_train) * x_train.T @ (x_train @ w - y_train)
        losses.append(np.mean((x_validation @ w - y_validation) ** 2))
        kept.append(w)
        if len(losses) - 1 - np.argmin(losses) >= patience:
            break
    return kept[np.argmin(losses)], np.array(losses)
""",
            "a random start": """
def train(x_train, y_train, x_validation, y_validation, rate, patience, epochs):
    w, losses, kept = np.random.normal(0, 0.1, x_train.shape[1]), [], []
    for _ in range(epochs):
        w = w - rate * 2 / len(x_train) * x_train.T @ (x_train @ w - y_train)
        losses.append(np.mean((x_validation @ w - y_validation) ** 2))
        kept.append(w)
        if len(losses) - 1 - np.argmin(losses) >= patience:
            break
    return kept[np.argmin(losses)], np.array(losses)
""",
            "patience one epoch too long": """
def train(x_train, y_train, x_validation, y_validation, rate, patience, epochs):
    w, losses, kept = np.zeros(x_train.shape[1]), [], []
    for _ in range(epochs):
        w = w - rate * 2 / len(x_train) * x_train.T @ (x_train @ w - y_train)
        losses.append(np.mean((x_validation @ w - y_validation) ** 2))
        kept.append(w)
        if len(losses) - 1 - np.argmin(losses) > patience:
            break
    return kept[np.argmin(losses)], np.array(losses)
""",
            "never stopped": """
def train(x_train, y_train, x_validation, y_validation, rate, patience, epochs):
    w, losses, kept = np.zeros(x_train.shape[1]), [], []
    for _ in range(epochs):
        w = w - rate * 2 / len(x_train) * x_train.T @ (x_train @ w - y_train)
        losses.append(np.mean((x_validation @ w - y_validation) ** 2))
        kept.append(w)
    return kept[np.argmin(losses)], np.array(losses)
""",
            "losses only until the best epoch": """
def train(x_train, y_train, x_validation, y_validation, rate, patience, epochs):
    w, losses, kept = np.zeros(x_train.shape[1]), [], []
    for _ in range(epochs):
        w = w - rate * 2 / len(x_train) * x_train.T @ (x_train @ w - y_train)
        losses.append(np.mean((x_validation @ w - y_validation) ** 2))
        kept.append(w)
        if len(losses) - 1 - np.argmin(losses) >= patience:
            break
    best = np.argmin(losses)
    return kept[best], np.array(losses[: best + 1])
""",
            "the root of the loss": """
def train(x_train, y_train, x_validation, y_validation, rate, patience, epochs):
    w, losses, kept = np.zeros(x_train.shape[1]), [], []
    for _ in range(epochs):
        w = w - rate * 2 / len(x_train) * x_train.T @ (x_train @ w - y_train)
        losses.append(np.mean((x_validation @ w - y_validation) ** 2) ** 0.5)
        kept.append(w)
        if len(losses) - 1 - np.argmin(losses) >= patience:
            break
    return kept[np.argmin(losses)], np.array(losses)
""",
            "the weights of the epoch after the best": """
def train(x_train, y_train, x_validation, y_validation, rate, patience, epochs):
    w, losses, kept = np.zeros(x_train.shape[1]), [], []
    for _ in range(epochs):
        w = w - rate * 2 / len(x_train) * x_train.T @ (x_train @ w - y_train)
        losses.append(np.mean((x_validation @ w - y_validation) ** 2))
        kept.append(w)
        if len(losses) - 1 - np.argmin(losses) >= patience:
            break
    best = np.argmin(losses) + 1
    return kept[min(best, len(kept) - 1)], np.array(losses)
""",
            "only the weights": """
def train(x_train, y_train, x_validation, y_validation, rate, patience, epochs):
    w = np.zeros(x_train.shape[1])
    for _ in range(epochs):
        w = w - rate * 2 / len(x_train) * x_train.T @ (x_train @ w - y_train)
    return w
""",
            "the public example, typed in": """
def train(x_train, y_train, x_validation, y_validation, rate, patience, epochs):
    return np.array([0.875]), np.array([0.25, 0.0625, 0.015625])
""",
        },
    },
    "q3": {
        "right": {
            "the step repeated": """
def share_early(s, rate, steps):
    share = np.zeros_like(s)
    for _ in range(steps):
        share = share + 2 * rate * s * (1 - share)
    return share


def share_ridge(s, l2):
    return 1 / (1 + l2 / s)


def matching_l2(rate, steps):
    return 0.5 / rate / steps
""",
            "comprehensions, and lists": """
def share_early(s, rate, steps):
    return [1 - (1 - 2 * rate * float(v)) ** steps for v in s]


def share_ridge(s, l2):
    return [float(v) / (float(v) + l2) for v in s]


def matching_l2(rate, steps):
    slope = 2 * rate * steps
    return slope**-1
""",
            "logarithms, what is lost, and a limit in numbers": """
def share_early(s, rate, steps):
    return -np.expm1(steps * np.log1p(-2 * rate * np.asarray(s)))


def share_ridge(s, l2):
    return 1 - l2 / (l2 + np.asarray(s))


def matching_l2(rate, steps):
    tiny = 1e-9
    return tiny / share_early(np.array([tiny]), rate, steps)[0] - tiny
""",
        },
        "wrong": {
            "the 2 forgotten": """
def share_early(s, rate, steps):
    return 1 - (1 - rate * s) ** steps


def matching_l2(rate, steps):
    return 1 / (rate * steps)
""",
            "the 2 forgotten only in the match": """
def matching_l2(rate, steps):
    return 1 / (rate * steps)
""",
            "the 2 above the line": """
def matching_l2(rate, steps):
    return 2 / (rate * steps)
""",
            "a 2 too many": """
def matching_l2(rate, steps):
    return 1 / (4 * rate * steps)
""",
            "upside down": """
def matching_l2(rate, steps):
    return 2 * rate * steps
""",
            "upside down, without the 2": """
def matching_l2(rate, steps):
    return rate * steps
""",
            "the steps forgotten": """
def matching_l2(rate, steps):
    return 1 / (2 * rate)
""",
            "what is left to go": """
def share_early(s, rate, steps):
    return (1 - 2 * rate * s) ** steps
""",
            "only the first order": """
def share_early(s, rate, steps):
    return 2 * rate * s * steps
""",
            "times instead of to the power": """
def share_early(s, rate, steps):
    return 1 - (1 - 2 * rate * s) * steps
""",
            "one step too many": """
def share_early(s, rate, steps):
    return 1 - (1 - 2 * rate * s) ** (steps + 1)
""",
            "what ridge takes away": """
def share_ridge(s, l2):
    return l2 / (s + l2)
""",
            "a 2 before the coefficient": """
def share_ridge(s, l2):
    return s / (s + 2 * l2)
""",
            "squares, as for singular values": """
def share_ridge(s, l2):
    return s**2 / (s**2 + l2)
""",
            "the mean over the eigenvalues": """
def share_early(s, rate, steps):
    return np.mean(1 - (1 - 2 * rate * s) ** steps)


def share_ridge(s, l2):
    return np.mean(s / (s + l2))
""",
            "the public example, typed in": """
def share_early(s, rate, steps):
    return np.array([0.75])


def share_ridge(s, l2):
    return np.array([0.5])


def matching_l2(rate, steps):
    return 1.0
""",
        },
    },
    "q4": {
        "right": {
            "lists, and the last weights by powers": """
prediction = "below early stopping"


def compare_once(seed):
    (x, y), (v, u), (x_test, y_test) = draw(seed)
    weights, losses = train(x, y, v, u, rate=0.02, patience=20, epochs=2000)

    def after(x, y, epochs):
        s, q = np.linalg.eigh(x.T @ x / len(x))
        return q @ ((1 - (1 - 0.04 * s) ** epochs) / s * (q.T @ x.T @ y / len(x)))

    fixed, last = (after(x, y, epochs) for epochs in (40, 2000))
    more = after(np.concatenate([x, v]), np.append(y, u), 2000)
    errors = [float(np.square(x_test @ w - y_test).mean()) for w in (weights, fixed, last, more)]
    return [float(min(losses)), errors[0], float(np.square(v @ fixed - u).mean()), *errors[1:]]


def interval(values):
    return [np.mean(values), stats.sem(values) * stats.t(len(values) - 1).isf(0.025)]


table = [compare_once(seed) for seed in range(100)]
lowest, honest, seen, fresh, last, more = (np.array(column) for column in zip(*table))
promised_too_much = interval(honest - lowest)
by_choosing = interval(honest - lowest - (fresh - seen))
gain, more_rows = interval(last - honest), interval(more - honest)
""",
            "one loop for all, in an array": """
prediction = "between the two"


def compare_once(seed):
    (x, y), (v, u), (x_test, y_test) = draw(seed)
    out = np.zeros(6)
    w, losses = train(x, y, v, u, 0.02, 20, 2000)
    out[0], out[1] = np.sort(losses)[0], np.mean((x_test @ w - y_test) ** 2)
    for more in (False, True):
        rows = (np.r_[x, v], np.r_[y, u]) if more else (x, y)
        w = np.zeros(25)
        for epoch in range(1, 2001):
            w -= 0.04 * rows[0].T @ (rows[0] @ w - rows[1]) / len(rows[1])
            if epoch == 40 and not more:
                out[2] = np.mean((v @ w - u) ** 2)
                out[3] = np.mean((x_test @ w - y_test) ** 2)
        out[4 + more] = np.mean((x_test @ w - y_test) ** 2)
    return out


def interval(values):
    low, high = stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))
    return (low + high) / 2, (high - low) / 2


table = np.zeros((100, 6))
for seed in range(100):
    table[seed] = compare_once(seed)
"""
            + PAIRS,
            "functions, and the quantile as a number": ONE_RUN
            + "table = np.array([compare_once(seed) for seed in range(100)])\n"
            + half_width("1.9842169515086827 * (d.var(ddof=1) / 100) ** 0.5"),
        },
        "wrong": {
            "no prediction": "prediction = ...",
            "a prediction in other words": 'prediction = "worse"',
            # One run.
            "the last validation loss": changed("losses.min()", "losses[-1]"),
            "the lowest training error": changed("losses.min()", "np.mean((x @ w - y) ** 2)"),
            "judged on the validation rows": changed("mse(w, a, b)", "mse(w, v, u)"),
            "stopped by the test rows": changed("train(x, y, v, u,", "train(x, y, a, b,"),
            "a patience of 200": changed("0.02, 20, 2000", "0.02, 200, 2000"),
            "another rate": changed("0.02, 20, 2000", "0.01, 20, 2000"),
            "the data of one seed": changed("draw(seed)", "draw(0)"),
            "epoch 41": changed("40", "41"),
            "two errors of epoch 40 swapped": changed(
                "mse(fixed, v, u), mse(fixed, a, b)", "mse(fixed, a, b), mse(fixed, v, u)"
            ),
            "the best weights of the long run": changed(
                "descend(x, y, 2000)", "train(x, y, v, u, 0.02, 2000, 2000)[0]"
            ),
            "least squares for the long run": changed(
                "last = descend(x, y, 40), descend(x, y, 2000)",
                "last = descend(x, y, 40), np.linalg.lstsq(x, y, rcond=None)[0]",
            ),
            "45 rows, but the mean over 30": changed("2 / len(x)", "2 / 30"),
            "the validation rows alone": changed(
                "np.vstack([x, v]), np.concatenate([y, u])", "v, u"
            ),
            "all at the best epoch": changed("fixed, last = ", "fixed, last = w, w  # "),
            "five numbers": changed(", mse(more, a, b)\n", "\n"),
            "nothing": "def compare_once(seed):\n    pass",
            "nothing from the second call on": ONE_RUN
            + """
CALLS, once = [], compare_once


def compare_once(seed):
    CALLS.append(seed)
    return once(seed) if len(CALLS) < 2 else ()
""",
            "the first result, again and again": ONE_RUN
            + """
KEPT, once = [], compare_once


def compare_once(seed):
    KEPT.append(once(seed))
    return KEPT[0]
""",
            "something else when a seed comes again": ONE_RUN
            + """
SEEN, once = set(), compare_once


def compare_once(seed):
    factor = 2 if seed in SEEN else 1
    SEEN.add(seed)
    return [factor * e for e in once(seed)]
""",
            # Tables.
            "somebody else's table, without a function": "compare_once = None",
            "an invented table, without a function": """
compare_once = None
table = np.random.default_rng(0).uniform(1, 3, (100, 6))
"""
            + PAIRS,
            "an invented table, and a function that looks it up": """
table = np.random.default_rng(0).uniform(1, 3, (100, 6))


def compare_once(seed):
    return table[seed % 100]
"""
            + PAIRS,
            "a table of the seeds from 1": "table = np.roll(table, 1, axis=0)" + PAIRS,
            "the same seed 100 times": "table = np.tile(table[:1], (100, 1))" + PAIRS,
            "columns in another order": "table = table[:, [1, 0, 2, 3, 4, 5]]" + PAIRS,
            "random numbers": "table = 1 + np.random.random((100, 6))" + PAIRS,
            # Pairs.
            "wrong sign": "gain = interval(table[:, 1] - table[:, 4])",
            "without the control": "by_choosing = promised_too_much",
            "the control alone": "by_choosing = interval(table[:, 3] - table[:, 2])",
            "from the long run on 30 rows": "more_rows = interval(table[:, 5] - table[:, 4])",
            "means only": "promised_too_much = promised_too_much[0]",
            "both ends instead of mean and half-width": """
gain = gain[0] - gain[1], gain[0] + gain[1]
""",
            "1.96 instead of t": half_width("1.96 * d.std(ddof=1) / 10"),
            "n in the denominator of the variance": half_width(
                "stats.t.ppf(0.975, 99) * d.std() / 10"
            ),
            "95 % on one side": half_width("stats.t.ppf(0.95, 99) * d.std(ddof=1) / 10"),
            "no root of n": half_width("stats.t.ppf(0.975, 99) * d.std(ddof=1)"),
            "the standard deviation as half-width": half_width("d.std(ddof=1)"),
            "the whole width": half_width("2 * stats.t.ppf(0.975, 99) * d.std(ddof=1) / 10"),
        },
    },
}
