"""Answers to the assignment on L1 and L2: right ones, and wrong ones that students really give."""

ANSWERS = {
    "q1": {
        "right": {
            "a loop over the flat weights": """
def penalty(weights, l1, l2):
    value = 0.0
    gradient = np.zeros(weights.shape)
    for i in np.ndindex(weights.shape):
        w = weights[i]
        value += l1 * abs(w) + l2 * w**2
        sign = 1 if w > 0 else -1 if w < 0 else 0
        gradient[i] = l1 * sign + 2 * l2 * w
    return value, gradient
""",
            "norms of the flat vector, and a list of both": """
def penalty(weights, l1, l2):
    flat = np.ravel(weights)
    value = l1 * np.linalg.norm(flat, 1) + l2 * flat.dot(flat)
    slopes = np.where(flat > 0, l1, np.where(flat < 0, -l1, 0.0)) + l2 * (flat + flat)
    return [value, slopes.reshape(np.shape(weights))]
""",
            "differences instead of derivatives": """
def cost(weights, l1, l2):
    return np.sum(l1 * np.abs(weights) + l2 * weights**2)


def penalty(weights, l1, l2, step=1e-5):
    gradient = np.zeros_like(weights)
    for i in np.ndindex(*weights.shape):
        move = np.zeros_like(weights)
        move[i] = step
        change = cost(weights + move, l1, l2) - cost(weights - move, l1, l2)
        gradient[i] = change / (2 * step)
    return cost(weights, l1, l2), gradient
""",
            "Python's sum, and a zero-dimensional array": """
def penalty(weights, l1, l2):
    values = weights.flatten().tolist()
    value = l1 * sum(abs(v) for v in values) + l2 * sum(v * v for v in values)
    signs = (weights > 0).astype(float) - (weights < 0)
    return np.array(value), l1 * signs + l2 * 2 * weights
""",
        },
        "wrong": {
            "a half before the squares": """
def penalty(weights, l1, l2):
    value = l1 * np.abs(weights).sum() + l2 / 2 * np.square(weights).sum()
    return value, l1 * np.sign(weights) + l2 * weights
""",
            "the 2 forgotten in the gradient": """
def penalty(weights, l1, l2):
    value = l1 * np.abs(weights).sum() + l2 * np.square(weights).sum()
    return value, l1 * np.sign(weights) + l2 * weights
""",
            "means instead of sums": """
def penalty(weights, l1, l2):
    value = l1 * np.abs(weights).mean() + l2 * np.square(weights).mean()
    return value, (l1 * np.sign(weights) + 2 * l2 * weights) / weights.size
""",
            "the norm with its root": """
def penalty(weights, l1, l2):
    value = l1 * np.abs(weights).sum() + l2 * np.sqrt(np.square(weights).sum())
    return value, l1 * np.sign(weights) + 2 * l2 * weights
""",
            "a sum along one axis": """
def penalty(weights, l1, l2):
    value = (l1 * np.abs(weights) + l2 * weights**2).sum(axis=0)
    return value, l1 * np.sign(weights) + 2 * l2 * weights
""",
            "the weight over its size, so 0/0": """
def penalty(weights, l1, l2):
    value = l1 * np.abs(weights).sum() + l2 * np.square(weights).sum()
    with np.errstate(invalid="ignore"):
        return value, l1 * weights / np.abs(weights) + 2 * l2 * weights
""",
            "sign +1 at 0": """
def penalty(weights, l1, l2):
    value = l1 * np.abs(weights).sum() + l2 * np.square(weights).sum()
    return value, np.where(weights >= 0, l1, -l1) + 2 * l2 * weights
""",
            "the gradient of L1 has no sign": """
def penalty(weights, l1, l2):
    value = l1 * np.abs(weights).sum() + l2 * np.square(weights).sum()
    return value, l1 * (weights != 0) + 2 * l2 * weights
""",
            "the weights summed without their size": """
def penalty(weights, l1, l2):
    value = l1 * weights.sum() + l2 * np.square(weights).sum()
    return value, l1 * np.sign(weights) + 2 * l2 * weights
""",
            "the gradient summed, too": """
def penalty(weights, l1, l2):
    value = l1 * np.abs(weights).sum() + l2 * np.square(weights).sum()
    return value, np.sum(l1 * np.sign(weights) + 2 * l2 * weights)
""",
            "the descent direction instead of the gradient": """
def penalty(weights, l1, l2):
    value = l1 * np.abs(weights).sum() + l2 * np.square(weights).sum()
    return value, -l1 * np.sign(weights) - 2 * l2 * weights
""",
            "only the penalty": """
def penalty(weights, l1, l2):
    return l1 * np.abs(weights).sum() + l2 * np.square(weights).sum()
""",
            "the public example, typed in": """
def penalty(weights, l1, l2):
    return 0.3, np.array([0.1, -0.1, 0.0])
""",
        },
    },
    "q2": {
        "right": {
            "a column of ones that isn't penalized": """
def ridge(x, y, l2):
    n, d = x.shape
    ones = np.column_stack([x, np.ones(n)])
    penalties = np.diag([l2] * d + [0.0])
    both = np.linalg.solve(ones.T @ ones / n + penalties, ones.T @ y / n)
    return both[:-1], both[-1]
""",
            "least squares with rows for the penalty": """
def ridge(x, y, l2):
    n, d = x.shape
    top = np.hstack([np.ones((n, 1)), x])
    bottom = np.hstack([np.zeros((d, 1)), np.sqrt(n * l2) * np.eye(d)])
    target = np.append(y, np.zeros(d))
    both = np.linalg.lstsq(np.vstack([top, bottom]), target, rcond=None)[0]
    return both[1:], float(both[0])
""",
            "singular values": """
def ridge(x, y, l2):
    mean = np.mean(x, axis=0)
    u, s, vt = np.linalg.svd(x - mean, full_matrices=False)
    w = vt.T @ (s / (s**2 + len(x) * l2) * (u.T @ y))
    return w, np.mean(y - x @ w)
""",
            "an inverse, and a list": """
def centre(values):
    return values - values.mean(axis=0)


def ridge(x, y, l2):
    a = centre(x).T @ centre(x) / len(x) + l2 * np.identity(x.shape[1])
    w = np.linalg.inv(a) @ (centre(x).T @ centre(y)) / len(x)
    return list(w), y.mean() - sum(m * v for m, v in zip(x.mean(axis=0), w))
""",
        },
        "wrong": {
            "the n is missing": """
def ridge(x, y, l2):
    c = x - x.mean(axis=0)
    w = np.linalg.solve(c.T @ c + l2 * np.eye(x.shape[1]), c.T @ (y - y.mean()))
    return w, y.mean() - x.mean(axis=0) @ w
""",
            "the penalty divided by n": """
def ridge(x, y, l2):
    c = x - x.mean(axis=0)
    w = np.linalg.solve(c.T @ c + l2 / len(x) * np.eye(x.shape[1]), c.T @ (y - y.mean()))
    return w, y.mean() - x.mean(axis=0) @ w
""",
            "a half before the penalty": """
def ridge(x, y, l2):
    c = x - x.mean(axis=0)
    w = np.linalg.solve(c.T @ c + len(x) * l2 / 2 * np.eye(x.shape[1]), c.T @ (y - y.mean()))
    return w, y.mean() - x.mean(axis=0) @ w
""",
            "a 2 that doesn't cancel": """
def ridge(x, y, l2):
    c = x - x.mean(axis=0)
    w = np.linalg.solve(c.T @ c + 2 * len(x) * l2 * np.eye(x.shape[1]), c.T @ (y - y.mean()))
    return w, y.mean() - x.mean(axis=0) @ w
""",
            "the intercept penalized, too": """
def ridge(x, y, l2):
    ones = np.column_stack([np.ones(len(x)), x])
    penalties = len(x) * l2 * np.eye(ones.shape[1])
    both = np.linalg.solve(ones.T @ ones + penalties, ones.T @ y)
    return both[1:], both[0]
""",
            "no centring, the intercept afterwards": """
def ridge(x, y, l2):
    w = np.linalg.solve(x.T @ x + len(x) * l2 * np.eye(x.shape[1]), x.T @ y)
    return w, np.mean(y - x @ w)
""",
            "the mean of y as intercept": """
def ridge(x, y, l2):
    c = x - x.mean(axis=0)
    w = np.linalg.solve(c.T @ c + len(x) * l2 * np.eye(x.shape[1]), c.T @ (y - y.mean()))
    return w, y.mean()
""",
            "no intercept at all": """
def ridge(x, y, l2):
    w = np.linalg.solve(x.T @ x + len(x) * l2 * np.eye(x.shape[1]), x.T @ y)
    return w, 0.0
""",
            "the penalty added to all numbers of the matrix": """
def ridge(x, y, l2):
    c = x - x.mean(axis=0)
    w = np.linalg.solve(c.T @ c + len(x) * l2, c.T @ (y - y.mean()))
    return w, y.mean() - x.mean(axis=0) @ w
""",
            "features standardized on the way": """
def ridge(x, y, l2):
    c = (x - x.mean(axis=0)) / x.std(axis=0)
    w = np.linalg.solve(c.T @ c + len(x) * l2 * np.eye(x.shape[1]), c.T @ (y - y.mean()))
    w = w / x.std(axis=0)
    return w, y.mean() - x.mean(axis=0) @ w
""",
            "y as a column": """
def ridge(x, y, l2):
    c, t = x - x.mean(axis=0), (y - y.mean())[:, None]
    w = np.linalg.solve(c.T @ c + len(x) * l2 * np.eye(x.shape[1]), c.T @ t)
    return w, y.mean() - x.mean(axis=0) @ w
""",
            "weights and intercept in one array": """
def ridge(x, y, l2):
    c = x - x.mean(axis=0)
    w = np.linalg.solve(c.T @ c + len(x) * l2 * np.eye(x.shape[1]), c.T @ (y - y.mean()))
    return np.append(w, y.mean() - x.mean(axis=0) @ w)
""",
            "only the mean of y": """
def ridge(x, y, l2):
    return np.zeros(x.shape[1]), y.mean()
""",
            "the public example, typed in": """
def ridge(x, y, l2):
    return np.array([2.0]), 1.0
""",
        },
    },
    "q3": {
        "right": {
            "clipping": """
def soft_threshold(weights, amount):
    return weights - np.clip(weights, -amount, amount)


def lasso_step(weights, x, y, l1, rate):
    residual = x @ weights - y
    moved = weights - 2 * rate * np.mean(x * residual[:, None], axis=0)
    return soft_threshold(moved, l1 * rate)
""",
            "three cases in a loop": """
def soft_threshold(weights, amount):
    out = np.zeros(np.shape(weights))
    for i, w in np.ndenumerate(weights):
        if w > amount:
            out[i] = w - amount
        elif w < -amount:
            out[i] = w + amount
    return out


def lasso_step(weights, x, y, l1, rate):
    gradient = np.zeros(len(weights))
    for row, target in zip(x, y):
        gradient += 2 * (row.dot(weights) - target) * row / len(y)
    return soft_threshold(weights - rate * gradient, rate * l1)
""",
            "boolean indexing in a copy, einsum": """
def soft_threshold(weights, amount):
    out = weights.copy()
    out[weights > 0] -= amount
    out[weights < 0] += amount
    out[np.abs(weights) <= amount] = 0
    return out


def lasso_step(weights, x, y, l1, rate):
    n = x.shape[0]
    slope = np.einsum("ij,i->j", x, np.dot(x, weights) - y) * (2 / n)
    return soft_threshold(weights - rate * slope, rate * l1)
""",
            "a step that doesn't call the other function": """
def soft_threshold(weights, amount):
    return np.maximum(weights - amount, 0) + np.minimum(weights + amount, 0)


def lasso_step(weights, x, y, l1, rate):
    n = len(y)
    moved = weights - rate * (2 / n * (x.T @ x) @ weights - 2 / n * x.T @ y)
    return [float(np.sign(m) * max(abs(m) - rate * l1, 0)) for m in moved]
""",
        },
        "wrong": {
            "hard thresholding": """
def soft_threshold(weights, amount):
    return np.where(np.abs(weights) > amount, weights, 0)


def lasso_step(weights, x, y, l1, rate):
    gradient = 2 / len(x) * x.T @ (x @ weights - y)
    return soft_threshold(weights - rate * gradient, rate * l1)
""",
            "negative weights move down": """
def soft_threshold(weights, amount):
    return np.where(np.abs(weights) <= amount, 0, weights - amount)


def lasso_step(weights, x, y, l1, rate):
    gradient = 2 / len(x) * x.T @ (x @ weights - y)
    return soft_threshold(weights - rate * gradient, rate * l1)
""",
            "negative weights become 0": """
def soft_threshold(weights, amount):
    return np.maximum(weights - amount, 0)


def lasso_step(weights, x, y, l1, rate):
    gradient = 2 / len(x) * x.T @ (x @ weights - y)
    return soft_threshold(weights - rate * gradient, rate * l1)
""",
            "past 0": """
def soft_threshold(weights, amount):
    return weights - amount * np.sign(weights)


def lasso_step(weights, x, y, l1, rate):
    gradient = 2 / len(x) * x.T @ (x @ weights - y)
    return soft_threshold(weights - rate * gradient, rate * l1)
""",
            "the sign lost": """
def soft_threshold(weights, amount):
    return np.maximum(np.abs(weights) - amount, 0)


def lasso_step(weights, x, y, l1, rate):
    gradient = 2 / len(x) * x.T @ (x @ weights - y)
    return soft_threshold(weights - rate * gradient, rate * l1)
""",
            "threshold without the rate": """
def lasso_step(weights, x, y, l1, rate):
    gradient = 2 / len(x) * x.T @ (x @ weights - y)
    return soft_threshold(weights - rate * gradient, l1)
""",
            "half the threshold": """
def lasso_step(weights, x, y, l1, rate):
    gradient = 2 / len(x) * x.T @ (x @ weights - y)
    return soft_threshold(weights - rate * gradient, rate * l1 / 2)
""",
            "the 2 forgotten in the gradient": """
def lasso_step(weights, x, y, l1, rate):
    gradient = x.T @ (x @ weights - y) / len(x)
    return soft_threshold(weights - rate * gradient, rate * l1)
""",
            "a sum over the rows, not a mean": """
def lasso_step(weights, x, y, l1, rate):
    gradient = 2 * x.T @ (x @ weights - y)
    return soft_threshold(weights - rate * gradient, rate * l1)
""",
            "divided by the number of features": """
def lasso_step(weights, x, y, l1, rate):
    gradient = 2 * x.T @ (x @ weights - y) / len(weights)
    return soft_threshold(weights - rate * gradient, rate * l1)
""",
            "uphill": """
def lasso_step(weights, x, y, l1, rate):
    gradient = -2 / len(x) * x.T @ (x @ weights - y)
    return soft_threshold(weights - rate * gradient, rate * l1)
""",
            "the penalty in the gradient, too": """
def lasso_step(weights, x, y, l1, rate):
    gradient = 2 / len(x) * x.T @ (x @ weights - y) + l1 * np.sign(weights)
    return soft_threshold(weights - rate * gradient, rate * l1)
""",
            "the sign as gradient, no thresholding": """
def lasso_step(weights, x, y, l1, rate):
    gradient = 2 / len(x) * x.T @ (x @ weights - y) + l1 * np.sign(weights)
    return weights - rate * gradient
""",
            "thresholding before the step": """
def lasso_step(weights, x, y, l1, rate):
    weights = soft_threshold(weights, rate * l1)
    return weights - rate * 2 / len(x) * x.T @ (x @ weights - y)
""",
            "the public example, typed in": """
def soft_threshold(weights, amount):
    return np.array([1.5, 0.0, -0.5])


def lasso_step(weights, x, y, l1, rate):
    return soft_threshold(weights, rate * l1)
""",
        },
    },
    "q4": {
        "right": {
            "column by column": """
def standardize(x_train, x_test):
    train, test = np.array(x_train, dtype=float), np.array(x_test, dtype=float)
    for j in range(train.shape[1]):
        column = x_train[:, j]
        size = column.std() if column.max() > column.min() else 1.0
        train[:, j] = (column - column.mean()) / size
        test[:, j] = (x_test[:, j] - column.mean()) / size
    return train, test
""",
            "np.divide where there is something to divide by": """
def standardize(x_train, x_test):
    mean = np.mean(x_train, axis=0, keepdims=True)
    size = np.sqrt(np.mean((x_train - mean) ** 2, axis=0, keepdims=True))

    def scale(x):
        shifted = x - mean
        return np.divide(shifted, size, out=shifted, where=size > 1e-12)

    return scale(x_train), scale(x_test)
""",
            "all rows at once, with sums, as a list": """
def standardize(x_train, x_test):
    n = len(x_train)
    rows = np.vstack([x_train, x_test])
    rows = rows - rows[:n].sum(axis=0) / n
    variance = (rows[:n] ** 2).sum(axis=0) / n
    variance[np.isclose(variance, 0)] = 1
    rows /= variance**0.5
    return [rows[:n], rows[n:]]
""",
            "SciPy's scores, and the constant columns afterwards": """
from scipy import stats

def standardize(x_train, x_test):
    with np.errstate(all="ignore"):
        train, test = stats.zmap(x_train, x_train), stats.zmap(x_test, x_train)
    constant = np.ptp(x_train, axis=0) == 0
    train[:, constant] = 0
    test[:, constant] = x_test[:, constant] - x_train[0, constant]
    return train, test
""",
        },
        "wrong": {
            "the test rows by their own mean and deviation": """
def standardize(x_train, x_test):
    parts = []
    for x in (x_train, x_test):
        size = x.std(axis=0)
        parts.append((x - x.mean(axis=0)) / np.where(size == 0, 1, size))
    return parts
""",
            "mean and deviation of all rows": """
def standardize(x_train, x_test):
    rows = np.concatenate([x_train, x_test])
    mean, size = rows.mean(axis=0), rows.std(axis=0)
    size = np.where(size == 0, 1, size)
    return (x_train - mean) / size, (x_test - mean) / size
""",
            "n - 1 in the denominator": """
def standardize(x_train, x_test):
    mean, size = x_train.mean(axis=0), x_train.std(axis=0, ddof=1)
    size = np.where(size == 0, 1, size)
    return (x_train - mean) / size, (x_test - mean) / size
""",
            "one mean for all columns": """
def standardize(x_train, x_test):
    mean, size = x_train.mean(), x_train.std()
    return (x_train - mean) / size, (x_test - mean) / size
""",
            "along the wrong axis": """
def standardize(x_train, x_test):
    mean, size = x_train.mean(axis=1), x_train.std(axis=1)
    size = np.where(size == 0, 1, size)
    return (x_train - mean) / size, (x_test - mean) / size
""",
            "each row by itself": """
def standardize(x_train, x_test):
    parts = []
    for x in (x_train, x_test):
        size = x.std(axis=1, keepdims=True)
        parts.append((x - x.mean(axis=1, keepdims=True)) / np.where(size == 0, 1, size))
    return parts
""",
            "divided by the variance": """
def standardize(x_train, x_test):
    mean, size = x_train.mean(axis=0), x_train.var(axis=0)
    size = np.where(size == 0, 1, size)
    return (x_train - mean) / size, (x_test - mean) / size
""",
            "in place, so the test rows meet the new mean": """
def standardize(x_train, x_test):
    x_train, x_test = x_train.copy(), x_test.copy()
    for x in (x_train, x_test):
        size = x_train.std(axis=0)
        x -= x_train.mean(axis=0)
        x /= np.where(size == 0, 1, size)
    return x_train, x_test
""",
            "constant columns not thought of": """
def standardize(x_train, x_test):
    mean, size = x_train.mean(axis=0), x_train.std(axis=0)
    with np.errstate(all="ignore"):
        return (x_train - mean) / size, (x_test - mean) / size
""",
            "a tiny number in the denominator": """
def standardize(x_train, x_test):
    mean, size = x_train.mean(axis=0), x_train.std(axis=0) + 1e-8
    return (x_train - mean) / size, (x_test - mean) / size
""",
            "constant columns 0 in the test rows, too": """
def standardize(x_train, x_test):
    mean, size = x_train.mean(axis=0), x_train.std(axis=0)
    with np.errstate(all="ignore"):
        parts = [(x - mean) / size for x in (x_train, x_test)]
    return [np.where(size == 0, 0, part) for part in parts]
""",
            "between 0 and 1": """
def standardize(x_train, x_test):
    low, size = x_train.min(axis=0), np.ptp(x_train, axis=0)
    size = np.where(size == 0, 1, size)
    return (x_train - low) / size, (x_test - low) / size
""",
            "only the test rows": """
def standardize(x_train, x_test):
    return (x_test - x_train.mean(axis=0)) / x_train.std(axis=0)
""",
            "the public example, typed in": """
def standardize(x_train, x_test):
    return np.array([[-1.0, -1.0], [1.0, 1.0]]), np.array([[0.0, 0.0]])
""",
        },
    },
    "q5": {
        "right": {
            "lists of pairs": """
counts, errors = [], []
for seed in range(20):
    x, y, x_test, y_test = draw(seed)
    one, (two, b) = lasso(x, y, L1), ridge(x, y, L2)
    counts.append([35 - np.count_nonzero(w[5:]) for w in (one, two)])
    errors.append([np.var(y_test - p) + np.mean(y_test - p) ** 2
                   for p in (x_test @ one, x_test @ two + b)])
zeros, test_error = np.array(counts), np.array(errors)
gain = test_error[:, 1].mean() - test_error[:, 0].mean()
""",
            "columns filled in two loops": """
def mse(x, y, w, b=0.0):
    return np.square(x @ w + b - y).mean()


zeros, test_error = np.zeros((20, 2)), np.zeros((20, 2))
for seed in range(20):
    x, y, x_test, y_test = draw(seed)
    w = lasso(x, y, L1)
    zeros[seed, 0] = (w == 0)[5:].sum()
    test_error[seed, 0] = mse(x_test, y_test, w)
for seed in range(20):
    x, y, x_test, y_test = draw(seed)
    w, b = ridge(x, y, L2)
    zeros[seed, 1] = list(w[5:]).count(0)
    test_error[seed, 1] = mse(x_test, y_test, w, b)
gain = np.diff(test_error.mean(axis=0))[0]
""",
            "plain lists, own steps of the lasso": """
zeros, test_error = [], []
for seed in range(20):
    x, y, x_test, y_test = draw(seed)
    w = np.zeros(40)
    for _ in range(1000):
        moved = w + 0.2 / 50 * x.T @ (y - x @ w)
        w = moved - np.clip(moved, -0.1 * L1, 0.1 * L1)
    v, b = ridge(x, y, L2)
    zeros.append((int(np.isclose(w[5:], 0).sum()), 0))
    residuals = y_test - x_test @ w, y_test - x_test @ v - b
    test_error.append([np.mean(r**2) for r in residuals])
gain = sum(two - one for one, two in test_error) / 20
""",
        },
        "wrong": {
            "columns swapped": """
zeros, test_error = zeros[:, ::-1], test_error[:, ::-1]
gain = np.mean(test_error[:, 1] - test_error[:, 0])
""",
            "the error on the training rows": """
test_error = np.zeros((20, 2))
for seed in range(20):
    x, y, _, _ = draw(seed)
    w, (v, b) = lasso(x, y, L1), ridge(x, y, L2)
    test_error[seed] = np.mean((x @ w - y) ** 2), np.mean((x @ v + b - y) ** 2)
gain = np.mean(test_error[:, 1] - test_error[:, 0])
""",
            "fitted on the test rows": """
zeros, test_error = np.zeros((20, 2)), np.zeros((20, 2))
for seed in range(20):
    _, _, x, y = draw(seed)
    w, (v, b) = lasso(x, y, L1), ridge(x, y, L2)
    zeros[seed] = np.sum(w[5:] == 0), np.sum(v[5:] == 0)
    test_error[seed] = np.mean((x @ w - y) ** 2), np.mean((x @ v + b - y) ** 2)
gain = np.mean(test_error[:, 1] - test_error[:, 0])
""",
            "ridge without its intercept": """
test_error = test_error.copy()
for seed in range(20):
    x, y, x_test, y_test = draw(seed)
    v, b = ridge(x, y, L2)
    test_error[seed, 1] = np.mean((x_test @ v - y_test) ** 2)
gain = np.mean(test_error[:, 1] - test_error[:, 0])
""",
            "zeros among the first 35 weights": """
zeros = zeros.copy()
for seed in range(20):
    x, y, _, _ = draw(seed)
    zeros[seed, 0] = np.sum(lasso(x, y, L1)[:35] == 0)
""",
            "the weights that survive": """
zeros = 35 - zeros
""",
            "small weights counted as zeros": """
zeros = zeros.copy()
for seed in range(20):
    x, y, _, _ = draw(seed)
    zeros[seed] = [np.sum(np.abs(w[5:]) < 0.05) for w in (lasso(x, y, L1), ridge(x, y, L2)[0])]
""",
            "the same seed 20 times": """
zeros, test_error = np.tile(zeros[:1], (20, 1)), np.tile(test_error[:1], (20, 1))
gain = np.mean(test_error[:, 1] - test_error[:, 0])
""",
            "seeds 1 to 20": """
test_error = np.zeros((20, 2))
for seed in range(1, 21):
    x, y, x_test, y_test = draw(seed)
    w, (v, b) = lasso(x, y, L1), ridge(x, y, L2)
    predictions = x_test @ w, x_test @ v + b
    test_error[seed - 1] = [np.mean((p - y_test) ** 2) for p in predictions]
gain = np.mean(test_error[:, 1] - test_error[:, 0])
""",
            "the two coefficients swapped": """
test_error = np.zeros((20, 2))
for seed in range(20):
    x, y, x_test, y_test = draw(seed)
    w, (v, b) = lasso(x, y, L2), ridge(x, y, L1)
    predictions = x_test @ w, x_test @ v + b
    test_error[seed] = [np.mean((p - y_test) ** 2) for p in predictions]
gain = np.mean(test_error[:, 1] - test_error[:, 0])
""",
            "the root of the error": """
test_error = np.sqrt(test_error)
gain = np.mean(test_error[:, 1] - test_error[:, 0])
""",
            "the sum of the squares": """
test_error = test_error * 500
gain = np.mean(test_error[:, 1] - test_error[:, 0])
""",
            "the gain with the wrong sign": """
gain = np.mean(test_error[:, 0] - test_error[:, 1])
""",
            "a gain for each seed": """
gain = test_error[:, 1] - test_error[:, 0]
""",
            "the gain as a share": """
gain = 1 - test_error[:, 0].mean() / test_error[:, 1].mean()
""",
            "the means, typed in": """
zeros, test_error = np.tile([20.0, 0.0], (20, 1)), np.tile([1.9, 4.2], (20, 1))
gain = 2.3
""",
            "random numbers": """
zeros, test_error = np.random.randint(0, 35, (20, 2)), 1 + np.random.random((20, 2))
gain = np.mean(test_error[:, 1] - test_error[:, 0])
""",
        },
    },
}
