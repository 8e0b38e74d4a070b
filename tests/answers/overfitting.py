"""Answers to the assignment on overfitting: right ones, and wrong ones that students give."""

ANSWERS = {
    "q1": {
        "right": {
            "draws the validation rows": """
def split(n, share, seed):
    rng = np.random.default_rng(seed)
    validation = rng.choice(n, size=round(share * n), replace=False)
    return np.setdiff1d(np.arange(n), validation), validation
""",
            "sorts random numbers": """
def split(n, share, seed):
    order = np.random.default_rng(seed).random(n).argsort()
    many = int(np.round(share * n))
    return order[many:], order[:many]
""",
            "NumPy's old generator and a mask": """
def split(n, share, seed):
    np.random.seed(seed)
    rows = np.arange(n)
    np.random.shuffle(rows)
    held_out = np.isin(np.arange(n), rows[: round(share * n)])
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)
""",
            "Python's generator, and lists": """
import random


def split(n, share, seed):
    rows = list(range(n))
    random.Random(seed).shuffle(rows)
    validation = [rows.pop() for _ in range(int(share * n + 0.5))]
    return rows, validation
""",
        },
        "wrong": {
            "no shuffling": """
def split(n, share, seed):
    cut = n - round(share * n)
    return np.arange(cut), np.arange(cut, n)
""",
            "no seed": """
def split(n, share, seed):
    order = np.random.permutation(n)
    cut = n - round(share * n)
    return order[:cut], order[cut:]
""",
            "always the same seed": """
def split(n, share, seed):
    order = np.random.default_rng(42).permutation(n)
    cut = n - round(share * n)
    return order[:cut], order[cut:]
""",
            "the parts swapped": """
def split(n, share, seed):
    order = np.random.default_rng(seed).permutation(n)
    cut = n - round(share * n)
    return order[cut:], order[:cut]
""",
            "rounded down": """
def split(n, share, seed):
    order = np.random.default_rng(seed).permutation(n)
    many = int(share * n)
    return order[many:], order[:many]
""",
            "drawn with replacement": """
def split(n, share, seed):
    rng = np.random.default_rng(seed)
    validation = rng.choice(n, size=round(share * n))
    return np.setdiff1d(np.arange(n), validation), validation
""",
            "two draws that overlap": """
def split(n, share, seed):
    rng = np.random.default_rng(seed)
    many = round(share * n)
    return rng.permutation(n)[: n - many], rng.permutation(n)[:many]
""",
            "each row by its own coin": """
def split(n, share, seed):
    coin = np.random.default_rng(seed).random(n) < share
    return np.flatnonzero(~coin), np.flatnonzero(coin)
""",
            "every few rows, from a place that the seed gives": """
def split(n, share, seed):
    validation = (seed + np.arange(round(share * n)) * int(1 / share)) % n
    return np.setdiff1d(np.arange(n), validation), validation
""",
            "a block of rows": """
def split(n, share, seed):
    rows = np.roll(np.arange(n), 7 * seed)
    return rows[round(share * n) :], rows[: round(share * n)]
""",
            "masks, not row numbers": """
def split(n, share, seed):
    held_out = np.zeros(n, bool)
    held_out[np.random.default_rng(seed).permutation(n)[: round(share * n)]] = True
    return ~held_out, held_out
""",
            "counts from 1": """
def split(n, share, seed):
    order = np.random.default_rng(seed).permutation(n) + 1
    cut = n - round(share * n)
    return order[:cut], order[cut:]
""",
            "one row lost at the cut": """
def split(n, share, seed):
    order = np.random.default_rng(seed).permutation(n)
    cut = n - round(share * n)
    return order[: cut - 1], order[cut:]
""",
            "the public example, typed in": """
def split(n, share, seed):
    return np.array([0, 1, 2, 3, 4, 5, 6]), np.array([7, 8, 9])
""",
            "nothing": """
def split(n, share, seed):
    pass
""",
        },
    },
    "q2": {
        "right": {
            "polyfit, turned round": """
def fit_polynomial(x, y, degree):
    return np.polyfit(x, y, degree)[::-1]


def error(coefficients, x, y):
    return ((np.polyval(coefficients[::-1], x) - y) ** 2).mean()
""",
            "normal equations, and Horner's rule": """
def fit_polynomial(x, y, degree):
    a = np.array([x**p for p in range(degree + 1)]).T
    return np.linalg.solve(a.T @ a, a.T @ y)


def error(coefficients, x, y):
    value = 0
    for c in list(coefficients)[::-1]:
        value = value * x + c
    return float(np.dot(y - value, y - value) / len(y))
""",
            "pseudoinverse, and loops": """
def fit_polynomial(x, y, degree):
    powers = np.power.outer(x, np.arange(degree + 1))
    return np.linalg.pinv(powers) @ y


def error(coefficients, x, y):
    total = 0.0
    for a, b in zip(x, y):
        total += (sum(c * a**p for p, c in enumerate(coefficients)) - b) ** 2
    return total / len(x)
""",
            "NumPy's polynomials": """
def fit_polynomial(x, y, degree):
    return list(np.polynomial.Polynomial.fit(x, y, degree).convert().coef)


def error(coefficients, x, y):
    return np.average(np.square(np.polynomial.Polynomial(coefficients)(x) - y))
""",
        },
        "wrong": {
            "constant last": """
def fit_polynomial(x, y, degree):
    return np.polyfit(x, y, degree)


def error(coefficients, x, y):
    return np.mean((np.polyval(coefficients, x) - y) ** 2)
""",
            "constant last in the error only": """
def error(coefficients, x, y):
    return np.mean((np.polyval(coefficients, x) - y) ** 2)
""",
            "one power too few": """
def fit_polynomial(x, y, degree):
    return np.linalg.lstsq(np.vander(x, degree, increasing=True), y, rcond=None)[0]
""",
            "no constant": """
def fit_polynomial(x, y, degree):
    powers = np.stack([x**p for p in range(1, degree + 2)], axis=1)
    return np.linalg.lstsq(powers, y, rcond=None)[0]
""",
            "a penalty that nobody asked for": """
def fit_polynomial(x, y, degree):
    a = np.vander(x, degree + 1, increasing=True)
    return np.linalg.solve(a.T @ a + 0.01 * np.eye(degree + 1), a.T @ y)
""",
            "scaled x, and the coefficients of the scaled one": """
def fit_polynomial(x, y, degree):
    return np.polynomial.Polynomial.fit(x, y, degree).coef
""",
            "everything that lstsq returns": """
def fit_polynomial(x, y, degree):
    return np.linalg.lstsq(np.vander(x, degree + 1, increasing=True), y, rcond=None)
""",
            "fits only as many points as coefficients": """
def fit_polynomial(x, y, degree):
    a = np.vander(x[: degree + 1], degree + 1, increasing=True)
    return np.linalg.solve(a, y[: degree + 1])
""",
            "the sum of the squares": """
def error(coefficients, x, y):
    return np.sum((np.polynomial.polynomial.polyval(x, coefficients) - y) ** 2)
""",
            "the root of the mean square": """
def error(coefficients, x, y):
    return np.sqrt(np.mean((np.polynomial.polynomial.polyval(x, coefficients) - y) ** 2))
""",
            "half of the mean square": """
def error(coefficients, x, y):
    return np.mean((np.polynomial.polynomial.polyval(x, coefficients) - y) ** 2) / 2
""",
            "absolute values": """
def error(coefficients, x, y):
    return np.mean(np.abs(np.polynomial.polynomial.polyval(x, coefficients) - y))
""",
            "the square of the mean": """
def error(coefficients, x, y):
    return np.mean(np.polynomial.polynomial.polyval(x, coefficients) - y) ** 2
""",
            "n - 1 in the denominator": """
def error(coefficients, x, y):
    residual = np.polynomial.polynomial.polyval(x, coefficients) - y
    return np.sum(residual**2) / (len(y) - 1)
""",
            "a column minus a row": """
def error(coefficients, x, y):
    powers = np.vander(x, len(coefficients), increasing=True)
    return np.mean((powers @ np.reshape(coefficients, (-1, 1)) - y) ** 2)
""",
            "no mean": """
def error(coefficients, x, y):
    return (np.polynomial.polynomial.polyval(x, coefficients) - y) ** 2
""",
            "the public example, typed in": """
def fit_polynomial(x, y, degree):
    return np.array([1.0, 2.0])


def error(coefficients, x, y):
    return 3.0
""",
        },
    },
    "q3": {
        "right": {
            "a loop that remembers the best": """
def choose_degree(x, y, degrees, seed):
    train, validation = split(len(x), 0.3, seed)
    best, lowest = None, np.inf
    for degree in degrees:
        c = fit_polynomial(x[train], y[train], degree)
        e = error(c, x[validation], y[validation])
        if e < lowest:
            best, lowest = degree, e
    return best
""",
            "min with a key": """
def choose_degree(x, y, degrees, seed):
    t, v = split(len(x), 0.3, seed)
    return min(degrees, key=lambda d: error(fit_polynomial(x[t], y[t], d), x[v], y[v]))
""",
            "polyfit, and an array of degrees": """
def choose_degree(x, y, degrees, seed):
    train, validation = (np.asarray(rows) for rows in split(len(x), 0.3, seed))
    fits = [np.polyfit(x[train], y[train], d) for d in degrees]
    errors = np.array([np.mean((np.polyval(f, x[validation]) - y[validation]) ** 2) for f in fits])
    return np.array(degrees)[errors == errors.min()][0]
""",
            "a dictionary, sorted": """
def choose_degree(x, y, degrees, seed):
    train, validation = split(len(x), 0.3, seed)
    errors = {}
    for d in degrees:
        coefficients = fit_polynomial(x[train], y[train], d)
        errors[d] = error(coefficients, x[validation], y[validation])
    return sorted(errors, key=errors.get)[0]
""",
        },
        "wrong": {
            "the lowest training error": """
def choose_degree(x, y, degrees, seed):
    t, v = split(len(x), 0.3, seed)
    return min(degrees, key=lambda d: error(fit_polynomial(x[t], y[t], d), x[t], y[t]))
""",
            "fits on all points": """
def choose_degree(x, y, degrees, seed):
    t, v = split(len(x), 0.3, seed)
    return min(degrees, key=lambda d: error(fit_polynomial(x, y, d), x[v], y[v]))
""",
            "judges on all points": """
def choose_degree(x, y, degrees, seed):
    t, v = split(len(x), 0.3, seed)
    return min(degrees, key=lambda d: error(fit_polynomial(x[t], y[t], d), x, y))
""",
            "the parts swapped": """
def choose_degree(x, y, degrees, seed):
    v, t = split(len(x), 0.3, seed)
    return min(degrees, key=lambda d: error(fit_polynomial(x[t], y[t], d), x[v], y[v]))
""",
            "another seed": """
def choose_degree(x, y, degrees, seed):
    t, v = split(len(x), 0.3, 0)
    return min(degrees, key=lambda d: error(fit_polynomial(x[t], y[t], d), x[v], y[v]))
""",
            "another share": """
def choose_degree(x, y, degrees, seed):
    t, v = split(len(x), 0.5, seed)
    return min(degrees, key=lambda d: error(fit_polynomial(x[t], y[t], d), x[v], y[v]))
""",
            "a new split for each degree": """
def choose_degree(x, y, degrees, seed):
    errors = []
    for d in degrees:
        t, v = split(len(x), 0.3, seed + d)
        errors.append(error(fit_polynomial(x[t], y[t], d), x[v], y[v]))
    return degrees[int(np.argmin(errors))]
""",
            "the place in the list": """
def choose_degree(x, y, degrees, seed):
    t, v = split(len(x), 0.3, seed)
    errors = [error(fit_polynomial(x[t], y[t], d), x[v], y[v]) for d in degrees]
    return int(np.argmin(errors))
""",
            "the place in the list plus 1": """
def choose_degree(x, y, degrees, seed):
    t, v = split(len(x), 0.3, seed)
    errors = [error(fit_polynomial(x[t], y[t], d), x[v], y[v]) for d in degrees]
    return int(np.argmin(errors)) + 1
""",
            "the highest error": """
def choose_degree(x, y, degrees, seed):
    t, v = split(len(x), 0.3, seed)
    return max(degrees, key=lambda d: error(fit_polynomial(x[t], y[t], d), x[v], y[v]))
""",
            "the error, not the degree": """
def choose_degree(x, y, degrees, seed):
    t, v = split(len(x), 0.3, seed)
    return min(error(fit_polynomial(x[t], y[t], d), x[v], y[v]) for d in degrees)
""",
            "stops at the first rise": """
def choose_degree(x, y, degrees, seed):
    t, v = split(len(x), 0.3, seed)
    errors = [error(fit_polynomial(x[t], y[t], d), x[v], y[v]) for d in degrees]
    for i in range(1, len(degrees)):
        if errors[i] > errors[i - 1]:
            return degrees[i - 1]
    return degrees[-1]
""",
            "the public example, typed in": """
def choose_degree(x, y, degrees, seed):
    return 2
""",
            "always the lowest degree": """
def choose_degree(x, y, degrees, seed):
    return min(degrees)
""",
        },
    },
    "q4": {
        "right": {
            "lists, and polyfit": """
rows = []
for seed in range(200):
    x, y, x_test, y_test = draw(seed)
    t, v = split(30, 0.3, seed)
    parts = (x[t], y[t]), (x[v], y[v]), (x_test, y_test)
    fits = [np.polyfit(x[t], y[t], degree) for degree in DEGREES]
    rows.append([[np.mean((np.polyval(f, a) - b) ** 2) for f in fits] for a, b in parts])
train_error, validation_error, test_error = np.moveaxis(np.array(rows), 1, 0)
best = validation_error.argmin(axis=1)[:, None]
optimism = np.take_along_axis(test_error - validation_error, best, axis=1)[:, 0]
mean_optimism = np.mean(optimism)
half_width = stats.sem(optimism) * stats.t.ppf(0.975, 199)
""",
            "a loop, and SciPy's interval": """
optimism = []
for v, t in zip(validation_error, test_error):
    best = list(v).index(min(v))
    optimism.append(t[best] - v[best])
mean_optimism = sum(optimism) / len(optimism)
low, high = stats.t.interval(0.95, 199, loc=mean_optimism, scale=stats.sem(optimism))
half_width = (high - low) / 2
""",
            "a function, then columns": """
def three_errors(seed, degree):
    x, y, x_test, y_test = draw(seed)
    t, v = split(30, 0.3, seed)
    c = fit_polynomial(x[t], y[t], degree)
    return error(c, x[t], y[t]), error(c, x[v], y[v]), error(c, x_test, y_test)


table = np.array([[three_errors(s, d) for s in range(200)] for d in DEGREES])
train_error, validation_error, test_error = (table[:, :, i].T for i in range(3))
winner = validation_error == validation_error.min(axis=1, keepdims=True)
optimism = test_error[winner] - validation_error[winner]
mean_optimism = float(optimism.sum() / 200)
s = np.sqrt(((optimism - mean_optimism) ** 2).sum() / 199)
half_width = 1.971957 * s / 200**0.5
""",
        },
        "wrong": {
            "fitted on training and validation data": """
train_error, validation_error = train_error.copy(), validation_error.copy()
test_error = test_error.copy()
for seed in range(200):
    x, y, x_test, y_test = draw(seed)
    train, validation = split(30, 0.3, seed)
    for column, degree in enumerate(DEGREES):
        c = fit_polynomial(x, y, degree)
        train_error[seed, column] = error(c, x[train], y[train])
        validation_error[seed, column] = error(c, x[validation], y[validation])
        test_error[seed, column] = error(c, x_test, y_test)
chosen = validation_error.argmin(axis=1)
optimism = (test_error - validation_error)[rows, chosen]
mean_optimism = optimism.mean()
half_width = stats.t.ppf(0.975, 199) * optimism.std(ddof=1) / np.sqrt(200)
""",
            "the column taken for the degree": """
train_error, validation_error = train_error.copy(), validation_error.copy()
test_error = test_error.copy()
for seed in range(200):
    x, y, x_test, y_test = draw(seed)
    train, validation = split(30, 0.3, seed)
    for degree in range(6):
        c = fit_polynomial(x[train], y[train], degree)
        train_error[seed, degree] = error(c, x[train], y[train])
        validation_error[seed, degree] = error(c, x[validation], y[validation])
        test_error[seed, degree] = error(c, x_test, y_test)
optimism = (test_error - validation_error)[rows, validation_error.argmin(axis=1)]
mean_optimism = optimism.mean()
half_width = stats.t.ppf(0.975, 199) * optimism.std(ddof=1) / np.sqrt(200)
""",
            "one split for all seeds": """
validation_error, test_error = np.zeros((200, 6)), np.zeros((200, 6))
train, validation = split(30, 0.3, 0)
for seed in range(200):
    x, y, x_test, y_test = draw(seed)
    for column, degree in enumerate(DEGREES):
        c = fit_polynomial(x[train], y[train], degree)
        validation_error[seed, column] = error(c, x[validation], y[validation])
        test_error[seed, column] = error(c, x_test, y_test)
optimism = (test_error - validation_error)[rows, validation_error.argmin(axis=1)]
mean_optimism = optimism.mean()
half_width = stats.t.ppf(0.975, 199) * optimism.std(ddof=1) / np.sqrt(200)
""",
            "validation and test error swapped": """
validation_error, test_error = test_error, validation_error
""",
            "chosen by training error": """
chosen = train_error.argmin(axis=1)
optimism = (test_error - validation_error)[rows, chosen]
mean_optimism = optimism.mean()
half_width = stats.t.ppf(0.975, 199) * optimism.std(ddof=1) / np.sqrt(200)
""",
            "chosen by test error": """
chosen = test_error.argmin(axis=1)
optimism = (test_error - validation_error)[rows, chosen]
mean_optimism = optimism.mean()
half_width = stats.t.ppf(0.975, 199) * optimism.std(ddof=1) / np.sqrt(200)
""",
            "the lowest of each": """
optimism = test_error.min(axis=1) - validation_error.min(axis=1)
mean_optimism = optimism.mean()
half_width = stats.t.ppf(0.975, 199) * optimism.std(ddof=1) / np.sqrt(200)
""",
            "one degree for all rows": """
best = validation_error.mean(axis=0).argmin()
optimism = test_error[:, best] - validation_error[:, best]
mean_optimism = optimism.mean()
half_width = stats.t.ppf(0.975, 199) * optimism.std(ddof=1) / np.sqrt(200)
""",
            "the wrong sign": """
optimism = validation_error[rows, chosen] - test_error[rows, chosen]
mean_optimism = optimism.mean()
half_width = stats.t.ppf(0.975, 199) * optimism.std(ddof=1) / np.sqrt(200)
""",
            "minus the training error": """
optimism = test_error[rows, chosen] - train_error[rows, chosen]
mean_optimism = optimism.mean()
half_width = stats.t.ppf(0.975, 199) * optimism.std(ddof=1) / np.sqrt(200)
""",
            "the wrong axis": """
optimism = (test_error - validation_error)[validation_error.argmin(axis=0), np.arange(6)]
mean_optimism = optimism.mean()
half_width = stats.t.ppf(0.975, 199) * optimism.std(ddof=1) / np.sqrt(200)
""",
            "chosen columns without their rows": """
optimism = test_error[:, chosen] - validation_error[:, chosen]
mean_optimism = optimism.mean()
half_width = stats.t.ppf(0.975, 199) * optimism.std(ddof=1) / np.sqrt(200)
""",
            "n in the denominator": """
half_width = stats.t.ppf(0.975, 199) * optimism.std() / np.sqrt(200)
""",
            "1.96, not Student's quantile": """
half_width = 1.96 * optimism.std(ddof=1) / np.sqrt(200)
""",
            "the quantile of a one-sided interval": """
half_width = stats.t.ppf(0.95, 199) * optimism.std(ddof=1) / np.sqrt(200)
""",
            "not divided by the root of n": """
half_width = stats.t.ppf(0.975, 199) * optimism.std(ddof=1)
""",
            "divided by n": """
half_width = stats.t.ppf(0.975, 199) * optimism.std(ddof=1) / 200
""",
            "the whole width": """
half_width = 2 * stats.t.ppf(0.975, 199) * optimism.std(ddof=1) / np.sqrt(200)
""",
            "the standard deviation": """
half_width = optimism.std(ddof=1)
""",
            "both ends of the interval": """
half_width = stats.t.interval(0.95, 199, loc=mean_optimism, scale=stats.sem(optimism))
""",
            "the median for the mean": """
mean_optimism = np.median(optimism)
""",
            "random numbers of the right shape": """
train_error, validation_error, test_error = np.random.default_rng(0).random((3, 200, 6))
optimism = test_error[rows, 0] - validation_error[rows, 0]
mean_optimism, half_width = 0.1, 0.05
""",
            "zeros, as in the beginning": """
train_error, validation_error, test_error = np.zeros((3, 200, 6))
optimism, mean_optimism, half_width = np.zeros(200), 0.0, 0.0
""",
        },
    },
}
