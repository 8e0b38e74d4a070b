"""Answers to the assignment on overfitting: right ones, and wrong ones that students give."""

ONE_RUN = """
def compare_once(seed, degrees):
    x, y, x_test, y_test = draw(seed)
    t, v = split(30, 0.3, seed)
    fits = {d: fit_polynomial(x[t], y[t], d) for d in [*degrees, 3]}
    best = min(degrees, key=lambda d: error(fits[d], x[v], y[v]))
    c, control = fits[best], fits[3]
    i = (x_test >= x[t].min()) & (x_test <= x[t].max())
    return (error(c, x[v], y[v]), error(c, x_test, y_test), error(c, x_test[i], y_test[i]),
            error(control, x[v], y[v]), error(control, x_test, y_test))
"""
TABLES = """
six = np.array([compare_once(seed, range(1, 7)) for seed in range(200)])
twelve = np.array([compare_once(seed, range(1, 13)) for seed in range(200)])
"""
PAIRS = """
by_choosing = interval(np.log(six[:, 1] / six[:, 0]) - np.log(six[:, 4] / six[:, 3]))
more_degrees = interval(np.log(twelve[:, 1] / six[:, 1]))
more_inside = interval(np.log(twelve[:, 2] / six[:, 2]))
"""


def changed(old, new, code=ONE_RUN):
    """Code with something else in one place."""
    assert code.count(old) == 1, old
    return code.replace(old, new)


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
            "another split when a seed comes again": """
SEEN = set()


def split(n, share, seed):
    order = np.random.default_rng([seed, (n, seed) in SEEN]).permutation(n)
    SEEN.add((n, seed))
    cut = n - round(share * n)
    return order[:cut], order[cut:]
""",
            "nothing in the second call": """
CALLS = []


def split(n, share, seed):
    CALLS.append(seed)
    order = np.random.default_rng(seed).permutation(n)
    cut = n - round(share * n)
    return (order[:cut], order[cut:]) if len(CALLS) < 203 else ((), ())
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
            "lists, polyfit, and SciPy's interval": """
prediction = "lower"


def compare_once(seed, degrees):
    x, y, x_test, y_test = draw(seed)
    t, v = split(30, 0.3, seed)
    rows = []
    for d in [*degrees, 3]:
        p = np.polyfit(x[t], y[t], d)
        r = np.polyval(p, x_test) - y_test
        inner = r[(x_test >= min(x[t])) & (x_test <= max(x[t]))]
        validated = np.mean((np.polyval(p, x[v]) - y[v]) ** 2)
        rows.append([validated, np.mean(r**2), np.mean(inner**2)])
    *some, control = rows
    return min(some) + control[:2]


def interval(values):
    low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
    return [(low + high) / 2, (high - low) / 2]


six = [compare_once(seed, [1, 2, 3, 4, 5, 6]) for seed in range(200)]
twelve = [compare_once(seed, list(range(1, 13))) for seed in range(200)]
logs, more = np.log(six), np.log(twelve)
by_choosing = interval(logs[:, 1] - logs[:, 0] - logs[:, 4] + logs[:, 3])
more_degrees, more_inside = interval(more[:, 1] - logs[:, 1]), interval(more[:, 2] - logs[:, 2])
""",
            "arrays, filled row by row": """
prediction = "higher"


def compare_once(seed, degrees):
    x, y, x_test, y_test = draw(seed)
    train, validation = split(30, 0.3, seed)
    out, lowest = np.zeros(5), np.inf
    low, high = np.sort(x[train])[[0, -1]]
    for degree in degrees:
        c = fit_polynomial(x[train], y[train], degree)
        e = error(c, x[validation], y[validation])
        if e < lowest:
            lowest = e
            middle = ~((x_test < low) | (x_test > high))
            out[:3] = e, error(c, x_test, y_test), error(c, x_test[middle], y_test[middle])
    cubic = fit_polynomial(x[train], y[train], 3)
    out[3:] = error(cubic, x[validation], y[validation]), error(cubic, x_test, y_test)
    return out


six, twelve = np.empty((200, 5)), np.empty((200, 5))
for seed in range(200):
    six[seed], twelve[seed] = compare_once(seed, range(1, 7)), compare_once(seed, range(1, 13))


def interval(values):
    return values.mean(), 1.971957 * np.sqrt(values.var(ddof=1) / 200)


by_choosing = interval(np.log(six[:, 1] * six[:, 3] / (six[:, 0] * six[:, 4])))
more_degrees = np.array(interval(np.log(twelve[:, 1]) - np.log(six[:, 1])))
more_inside = np.array(interval(np.log(twelve[:, 2]) - np.log(six[:, 2])))
""",
            "a dictionary of fits": """
def compare_once(seed, degrees):
    x, y, x_test, y_test = draw(seed)
    t, v = split(30, 0.3, seed)
    fits = {d: np.polynomial.Polynomial.fit(x[t], y[t], d) for d in {3, *degrees}}
    validated = {d: float(np.mean((fit(x[v]) - y[v]) ** 2)) for d, fit in fits.items()}
    best = sorted(degrees, key=lambda d: validated[d])[0]
    chosen, control = ((fits[d](x_test) - y_test) ** 2 for d in (best, 3))
    inner = chosen[np.clip(x_test, x[t].min(), x[t].max()) == x_test]
    return validated[best], chosen.mean(), inner.mean(), validated[3], control.mean()
"""
            + TABLES,
        },
        "wrong": {
            "no prediction": "prediction = ...",
            "a prediction in other words": 'prediction = "it depends"',
            # One run.
            "fitted on training and validation data": changed("(x[t], y[t], d)", "(x, y, d)"),
            "one split for all seeds": changed("0.3, seed)", "0.3, 0)") + TABLES + PAIRS,
            "data of one seed": changed("draw(seed)", "draw(0)"),
            "chosen by training error": changed(
                "d: error(fits[d], x[v], y[v])", "d: error(fits[d], x[t], y[t])"
            ),
            "chosen by test error": changed(
                "d: error(fits[d], x[v], y[v])", "d: error(fits[d], x_test, y_test)"
            )
            + TABLES
            + PAIRS,
            "the lowest of each": changed(
                "error(c, x_test, y_test),", "min(error(f, x_test, y_test) for f in fits.values()),"
            ),
            "always six degrees": changed("for d in [*degrees, 3]", "for d in range(1, 7)").replace(
                "min(degrees", "min(fits"
            ),
            "degree 3 competes as well": changed("min(degrees", "min(fits"),
            "the place in the list": changed(
                "fits[best], fits[3]", "list(fits.values())[0], fits[3]"
            ),
            "the third degree for degree 3": changed(
                "fits[3]", "fits[degrees[min(2, len(degrees) - 1)]]"
            ),
            "validation and test error swapped": changed(
                "error(c, x[v], y[v]), error(c, x_test, y_test)",
                "error(c, x_test, y_test), error(c, x[v], y[v])",
            )
            + TABLES
            + PAIRS,
            "inside of all 30 points": changed("x[t].min()", "x.min()").replace(
                "x[t].max()", "x.max()"
            ),
            "outside, not inside": changed("x_test[i], y_test[i]", "x_test[~i], y_test[~i]"),
            "four numbers": changed("error(c, x_test[i], y_test[i]),", ""),
            "nothing": "def compare_once(seed, degrees):\n    pass",
            "right in the first call only": ONE_RUN
            + """
CALLS, once = [], compare_once


def compare_once(seed, degrees):
    CALLS.append(seed)
    return once(seed, degrees) if len(CALLS) < 2 else ()
""",
            "the first result, again and again": ONE_RUN
            + """
KEPT, once = [], compare_once


def compare_once(seed, degrees):
    KEPT.append(once(seed, degrees))
    return KEPT[0]
""",
            "something else when a seed comes again": ONE_RUN
            + """
SEEN, once = set(), compare_once


def compare_once(seed, degrees):
    again = (seed, len(degrees)) in SEEN
    SEEN.add((seed, len(degrees)))
    return tuple(1.1 * e for e in once(seed, degrees)) if again else once(seed, degrees)
""",
            # Tables.
            "a table that another student made, without a function": "compare_once = None",
            "an invented table, without a function": """
compare_once = None
six, twelve = np.random.default_rng(0).uniform(0.1, 0.6, (2, 200, 5))
"""
            + PAIRS,
            "an invented table, and a function that looks it up": """
six, twelve = np.random.default_rng(0).uniform(0.1, 0.6, (2, 200, 5))


def compare_once(seed, degrees):
    return (six if len(degrees) == 6 else twelve)[seed % 200]
"""
            + PAIRS,
            "a table of other seeds": TABLES.replace("range(200)", "range(200, 400)") + PAIRS,
            "seeds from 1": TABLES.replace("range(200)", "range(1, 201)") + PAIRS,
            "the same seed 200 times": "six = np.tile(six[:1], (200, 1))" + PAIRS,
            "zeros": "six, twelve = np.zeros((2, 200, 5))",
            # Pairs.
            "the wrong sign": "more_degrees = interval(np.log(six[:, 1] / twelve[:, 1]))",
            "differences, not logarithms": "more_inside = interval(twelve[:, 2] - six[:, 2])",
            "logarithms to the base of 10": PAIRS.replace("np.log", "np.log10"),
            "without the control": "by_choosing = interval(np.log(six[:, 1] / six[:, 0]))",
            "the median": """
more_degrees = np.median(np.log(twelve[:, 1] / six[:, 1])), more_degrees[1]
""",
            "the mean alone": "by_choosing = by_choosing[0]",
            "both ends of the interval": """
by_choosing = by_choosing[0] - by_choosing[1], by_choosing[0] + by_choosing[1]
""",
            "n in the denominator": """
def interval(values):
    return values.mean(), stats.t.ppf(0.975, 199) * values.std() / np.sqrt(200)
"""
            + PAIRS,
            "1.96, not Student's quantile": """
def interval(values):
    return values.mean(), 1.96 * values.std(ddof=1) / np.sqrt(200)
"""
            + PAIRS,
            "the quantile of a one-sided interval": """
def interval(values):
    return values.mean(), stats.t.ppf(0.95, 199) * values.std(ddof=1) / np.sqrt(200)
"""
            + PAIRS,
            "not divided by the root of n": """
def interval(values):
    return values.mean(), stats.t.ppf(0.975, 199) * values.std(ddof=1)
"""
            + PAIRS,
            "divided by n": """
def interval(values):
    return values.mean(), stats.t.ppf(0.975, 199) * values.std(ddof=1) / 200
"""
            + PAIRS,
            "the whole width": """
def interval(values):
    return values.mean(), 2 * stats.t.ppf(0.975, 199) * values.std(ddof=1) / np.sqrt(200)
"""
            + PAIRS,
            "the standard deviation": """
def interval(values):
    return values.mean(), values.std(ddof=1)
"""
            + PAIRS,
        },
    },
}
