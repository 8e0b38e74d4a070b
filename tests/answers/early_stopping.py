"""Answers to the assignment on early stopping: right, and wrong ones that students really give."""

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
            "lists, and a function for the error": """
def error(w, x, y):
    return float(np.square(x @ w - y).mean())


rows = []
for seed in range(30):
    fit, check, test = draw(seed)
    w, losses = train(*fit, *check, rate=0.02, patience=20, epochs=2000)
    x, y = fit
    v = np.zeros(25)
    for _ in range(2000):
        v -= 0.02 * (x.T @ (x @ v - y)) / 15
    rows.append((min(losses), error(w, *test), error(v, *test)))
stopped_by, honest, untamed = (list(column) for column in zip(*rows))


def pair(a, b):
    d = np.subtract(a, b)
    return [d.mean(), stats.sem(d) * stats.t(29).isf(0.025)]


promised_too_much, gain = pair(honest, stopped_by), pair(untamed, honest)
""",
            "the last weights by powers, SciPy's interval": """
stopped_by, honest, untamed = np.empty(30), np.empty(30), np.empty(30)
for seed in range(30):
    (x, y), (v, u), (x_test, y_test) = draw(seed)
    w, losses = train(x, y, v, u, 0.02, 20, 2000)
    s, q = np.linalg.eigh(x.T @ x / 30)
    last = q @ ((1 - (1 - 0.04 * s) ** 2000) / s * (q.T @ x.T @ y / 30))
    stopped_by[seed] = np.mean((v @ w - u) ** 2)
    honest[seed], untamed[seed] = (np.mean((x_test @ a - y_test) ** 2) for a in (w, last))


def pair(d):
    low, high = stats.t.interval(0.95, 29, d.mean(), stats.sem(d))
    return (low + high) / 2, (high - low) / 2


promised_too_much = pair(honest - stopped_by)
gain = np.array(pair(untamed - honest))
""",
            "all 30 long runs at once": """
table = np.zeros((3, 30))
x, y = (np.array(part) for part in zip(*(draw(i)[0] for i in range(30))))
last = np.zeros((30, 25))
for _ in range(2000):
    last -= 0.02 * 2 / 30 * np.einsum("sij,si->sj", x, np.einsum("sij,sj->si", x, last) - y)
for i in range(30):
    _, validation, (x_test, y_test) = draw(i)
    w, losses = train(x[i], y[i], *validation, 0.02, 20, 2000)
    table[0, i] = np.sort(losses)[0]
    table[1:, i] = ((x_test @ np.array([w, last[i]]).T - y_test[:, None]) ** 2).mean(axis=0)
stopped_by, honest, untamed = table
d, g = honest - stopped_by, untamed - honest
t = 2.0452296421327034
promised_too_much = d.mean(), t * (sum((d - d.mean()) ** 2) / 29 / 30) ** 0.5
gain = g.mean(), t * np.sqrt(g.var(ddof=1) / 30)
""",
        },
        "wrong": {
            "the last validation loss": """
stopped_by = np.zeros(30)
for seed in range(30):
    fit, check, _ = draw(seed)
    stopped_by[seed] = train(*fit, *check, 0.02, 20, 2000)[1][-1]
promised_too_much = interval(honest - stopped_by)
""",
            "the training error": """
stopped_by = np.zeros(30)
for seed in range(30):
    (x, y), check, _ = draw(seed)
    w, _ = train(x, y, *check, 0.02, 20, 2000)
    stopped_by[seed] = np.mean((x @ w - y) ** 2)
promised_too_much = interval(honest - stopped_by)
""",
            "judged on the validation rows": """
honest = stopped_by.copy()
promised_too_much, gain = interval(honest - stopped_by), interval(untamed - honest)
""",
            "stopped by the test rows": """
stopped_by, honest = np.zeros(30), np.zeros(30)
for seed in range(30):
    fit, _, (x, y) = draw(seed)
    w, losses = train(*fit, x, y, 0.02, 20, 2000)
    stopped_by[seed], honest[seed] = losses.min(), np.mean((x @ w - y) ** 2)
promised_too_much, gain = interval(honest - stopped_by), interval(untamed - honest)
""",
            "the best weights of the long run": """
untamed = np.zeros(30)
for seed in range(30):
    (x, y), (v, u), (x_test, y_test) = draw(seed)
    w, lowest = np.zeros(25), np.inf
    for _ in range(2000):
        w = w - 0.04 / 30 * x.T @ (x @ w - y)
        if np.mean((v @ w - u) ** 2) < lowest:
            lowest, best = np.mean((v @ w - u) ** 2), w
    untamed[seed] = np.mean((x_test @ best - y_test) ** 2)
gain = interval(untamed - honest)
""",
            "least squares for the long run": """
untamed = np.zeros(30)
for seed in range(30):
    (x, y), _, (x_test, y_test) = draw(seed)
    w = np.linalg.lstsq(x, y, rcond=None)[0]
    untamed[seed] = np.mean((x_test @ w - y_test) ** 2)
gain = interval(untamed - honest)
""",
            "a patience of 200": """
stopped_by, honest = np.zeros(30), np.zeros(30)
for seed in range(30):
    fit, check, (x, y) = draw(seed)
    w, losses = train(*fit, *check, 0.02, 200, 2000)
    stopped_by[seed], honest[seed] = losses.min(), np.mean((x @ w - y) ** 2)
promised_too_much, gain = interval(honest - stopped_by), interval(untamed - honest)
""",
            "seeds 1 to 30": """
stopped_by, honest = np.zeros(30), np.zeros(30)
for seed in range(1, 31):
    fit, check, (x, y) = draw(seed)
    w, losses = train(*fit, *check, 0.02, 20, 2000)
    stopped_by[seed - 1], honest[seed - 1] = losses.min(), np.mean((x @ w - y) ** 2)
promised_too_much, gain = interval(honest - stopped_by), interval(untamed - honest)
""",
            "1.96 instead of t": """
def half(d):
    return 1.96 * d.std(ddof=1) / np.sqrt(30)


promised_too_much = np.mean(honest - stopped_by), half(honest - stopped_by)
gain = np.mean(untamed - honest), half(untamed - honest)
""",
            "n in the denominator of the variance": """
def half(d):
    return stats.t.ppf(0.975, 29) * d.std() / np.sqrt(30)


promised_too_much = np.mean(honest - stopped_by), half(honest - stopped_by)
gain = np.mean(untamed - honest), half(untamed - honest)
""",
            "95 % on one side": """
def half(d):
    return stats.t.ppf(0.95, 29) * d.std(ddof=1) / np.sqrt(30)


promised_too_much = np.mean(honest - stopped_by), half(honest - stopped_by)
gain = np.mean(untamed - honest), half(untamed - honest)
""",
            "no root of n": """
def half(d):
    return stats.t.ppf(0.975, 29) * d.std(ddof=1)


promised_too_much = np.mean(honest - stopped_by), half(honest - stopped_by)
gain = np.mean(untamed - honest), half(untamed - honest)
""",
            "the standard deviation as half-width": """
promised_too_much = np.mean(honest - stopped_by), np.std(honest - stopped_by, ddof=1)
gain = np.mean(untamed - honest), np.std(untamed - honest, ddof=1)
""",
            "the whole width": """
promised_too_much, gain = [(m, 2 * h) for m, h in (promised_too_much, gain)]
""",
            "both ends instead of mean and half-width": """
promised_too_much, gain = [(m - h, m + h) for m, h in (promised_too_much, gain)]
""",
            "wrong sign": """
promised_too_much, gain = interval(stopped_by - honest), interval(honest - untamed)
""",
            "means only": """
promised_too_much, gain = np.mean(honest - stopped_by), np.mean(untamed - honest)
""",
            "all the same": """
stopped_by, honest, untamed = np.full(30, 1.8), np.full(30, 2.5), np.full(30, 6.0)
promised_too_much, gain = (0.7, 0.1), (3.5, 0.5)
""",
            "random numbers": """
stopped_by, honest, untamed = 1 + np.random.random((3, 30))
promised_too_much, gain = interval(honest - stopped_by), interval(untamed - honest)
""",
        },
    },
}
