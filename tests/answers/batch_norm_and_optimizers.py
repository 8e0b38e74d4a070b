"""Answers on batch normalization and optimizers: right ones, and wrong ones of students."""


def backward(dx, gamma="(gradient * z).sum(axis=0)", beta="gradient.sum(axis=0)"):
    """Code of a ``batch_norm_backward`` that returns these three."""
    return f"""
def batch_norm_backward(gradient, x, gamma, epsilon):
    root = np.sqrt(x.var(axis=0) + epsilon)
    z, d = (x - x.mean(axis=0)) / root, gradient * gamma
    return {dx}, {gamma}, {beta}
"""


AFTER = """
places = accuracy[..., 0].mean(axis=0).argmax(axis=1)
best = [ARMS[arm][2][place] for arm, place in enumerate(places)]
test = np.array([accuracy[:, arm, place, 1] for arm, place in enumerate(places)])
difference = test[1:] - test[0]
half_width = stats.t.ppf(0.975, 7) * stats.sem(difference, axis=1)
"""
DX = "(d - d.mean(axis=0) - z * (d * z).mean(axis=0)) / root"


ANSWERS = {
    "q1": {
        "right": {
            "a loop over the units": """
def batch_norm(x, gamma, beta, epsilon):
    out, means, variances = np.empty(x.shape), [], []
    for j in range(x.shape[1]):
        column = x[:, j]
        mean = sum(column) / len(column)
        variance = sum((column - mean) ** 2) / len(column)
        out[:, j] = gamma[j] * (column - mean) / (variance + epsilon) ** 0.5 + beta[j]
        means.append(mean)
        variances.append(variance)
    return out, means, variances
""",
            "mean of the squares minus the squared mean": """
def batch_norm(x, gamma, beta, epsilon):
    n = x.shape[0]
    mean = x.sum(axis=0) / n
    variance = (x * x).sum(axis=0) / n - mean * mean
    scale = gamma * (variance + epsilon) ** -0.5
    return x * scale + (beta - mean * scale), mean, variance
""",
            "kept dimensions": """
def batch_norm(x, gamma, beta, epsilon):
    mean = np.mean(x, axis=0, keepdims=True)
    variance = np.mean(np.square(x - mean), axis=0, keepdims=True)
    z = (x - mean) / np.sqrt(variance + epsilon)
    return gamma[None, :] * z + beta[None, :], mean.ravel(), variance[0]
""",
            "transposed": """
def batch_norm(x, gamma, beta, epsilon):
    rows = x.T
    mean, deviation = rows.mean(axis=1), rows.std(axis=1)
    z = (rows - mean[:, None]) / np.hypot(deviation, np.sqrt(epsilon))[:, None]
    return [z.T * gamma + beta, mean, deviation**2]
""",
        },
        "wrong": {
            "over the units: layer normalization": """
def batch_norm(x, gamma, beta, epsilon):
    mean, variance = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
    out = gamma * (x - mean) / np.sqrt(variance + epsilon) + beta
    return out, mean[:, 0], variance[:, 0]
""",
            "wrong axis, without kept dimensions": """
def batch_norm(x, gamma, beta, epsilon):
    mean, variance = x.mean(axis=1), x.var(axis=1)
    return gamma * (x - mean) / np.sqrt(variance + epsilon) + beta, mean, variance
""",
            "one mean for everything": """
def batch_norm(x, gamma, beta, epsilon):
    mean, variance = x.mean(), x.var()
    out = gamma * (x - mean) / np.sqrt(variance + epsilon) + beta
    return out, np.full(x.shape[1], mean), np.full(x.shape[1], variance)
""",
            "variance with n - 1": """
def batch_norm(x, gamma, beta, epsilon):
    mean, variance = x.mean(axis=0), x.var(axis=0, ddof=1)
    return gamma * (x - mean) / np.sqrt(variance + epsilon) + beta, mean, variance
""",
            "epsilon outside of the root": """
def batch_norm(x, gamma, beta, epsilon):
    mean, variance = x.mean(axis=0), x.var(axis=0)
    return gamma * (x - mean) / (np.sqrt(variance) + epsilon) + beta, mean, variance
""",
            "no epsilon": """
def batch_norm(x, gamma, beta, epsilon):
    mean, variance = x.mean(axis=0), x.var(axis=0)
    return gamma * (x - mean) / np.sqrt(variance) + beta, mean, variance
""",
            "divided by the variance": """
def batch_norm(x, gamma, beta, epsilon):
    mean, variance = x.mean(axis=0), x.var(axis=0)
    return gamma * (x - mean) / (variance + epsilon) + beta, mean, variance
""",
            "beta added before gamma multiplies": """
def batch_norm(x, gamma, beta, epsilon):
    mean, variance = x.mean(axis=0), x.var(axis=0)
    return gamma * ((x - mean) / np.sqrt(variance + epsilon) + beta), mean, variance
""",
            "gamma and beta left out": """
def batch_norm(x, gamma, beta, epsilon):
    mean, variance = x.mean(axis=0), x.var(axis=0)
    return (x - mean) / np.sqrt(variance + epsilon), mean, variance
""",
            "returns the variance with epsilon": """
def batch_norm(x, gamma, beta, epsilon):
    mean, variance = x.mean(axis=0), x.var(axis=0) + epsilon
    return gamma * (x - mean) / np.sqrt(variance) + beta, mean, variance
""",
            "returns the standard deviation": """
def batch_norm(x, gamma, beta, epsilon):
    mean, variance = x.mean(axis=0), x.var(axis=0)
    out = gamma * (x - mean) / np.sqrt(variance + epsilon) + beta
    return out, mean, np.sqrt(variance)
""",
            "returns the statistics of the output": """
def batch_norm(x, gamma, beta, epsilon):
    out = gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + epsilon) + beta
    return out, out.mean(axis=0), out.var(axis=0)
""",
            "the public example, typed in": """
def batch_norm(x, gamma, beta, epsilon):
    return np.array([[-1.0, -1.0], [1.0, 1.0]]), np.array([2.0, 2.0]), np.array([1.0, 4.0])
""",
        },
    },
    "q2": {
        "right": {
            "old value plus a share of the difference": """
def update(moving, batch, momentum):
    return moving + (1 - momentum) * (batch - moving)


def batch_norm_predict(x, gamma, beta, moving_mean, moving_variance, epsilon):
    scale = gamma / np.sqrt(moving_variance + epsilon)
    return x * scale + beta - moving_mean * scale
""",
            "loops": """
def update(moving, batch, momentum):
    return [momentum * a + (1 - momentum) * b for a, b in zip(moving, batch)]


def batch_norm_predict(x, gamma, beta, moving_mean, moving_variance, epsilon):
    out = np.zeros(x.shape)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            z = (x[i, j] - moving_mean[j]) / (moving_variance[j] + epsilon) ** 0.5
            out[i, j] = gamma[j] * z + beta[j]
    return out
""",
            "in place": """
def update(moving, batch, momentum):
    moving *= momentum
    moving += (1 - momentum) * batch
    return moving


def batch_norm_predict(x, gamma, beta, moving_mean, moving_variance, epsilon):
    out = x.copy()
    out -= moving_mean
    out *= gamma
    out /= (moving_variance + epsilon) ** 0.5
    out += beta
    return out
""",
            "NumPy's average, and a matrix product": """
def update(moving, batch, momentum):
    return np.average([moving, batch], axis=0, weights=[momentum, 1 - momentum])


def batch_norm_predict(x, gamma, beta, moving_mean, moving_variance, epsilon):
    return (x - moving_mean) @ np.diag(gamma / np.sqrt(moving_variance + epsilon)) + beta
""",
        },
        "wrong": {
            "momentum as in PyTorch": """
def update(moving, batch, momentum):
    return (1 - momentum) * moving + momentum * batch
""",
            "plain mean of both": """
def update(moving, batch, momentum):
    return (moving + batch) / 2
""",
            "batch not weighted": """
def update(moving, batch, momentum):
    return momentum * moving + batch
""",
            "the mean over the units, too": """
def update(moving, batch, momentum):
    return momentum * moving + (1 - momentum) * batch.mean()
""",
            "statistics of the batch at prediction": """
def batch_norm_predict(x, gamma, beta, moving_mean, moving_variance, epsilon):
    return batch_norm(x, gamma, beta, epsilon)[0]
""",
            "batch statistics only when there is a batch": """
def batch_norm_predict(x, gamma, beta, moving_mean, moving_variance, epsilon):
    if len(x) > 1:
        moving_mean, moving_variance = x.mean(axis=0), x.var(axis=0)
    return gamma * (x - moving_mean) / np.sqrt(moving_variance + epsilon) + beta
""",
            "no epsilon": """
def batch_norm_predict(x, gamma, beta, moving_mean, moving_variance, epsilon):
    return gamma * (x - moving_mean) / np.sqrt(moving_variance) + beta
""",
            "epsilon outside of the root": """
def batch_norm_predict(x, gamma, beta, moving_mean, moving_variance, epsilon):
    return gamma * (x - moving_mean) / (np.sqrt(moving_variance) + epsilon) + beta
""",
            "root forgotten": """
def batch_norm_predict(x, gamma, beta, moving_mean, moving_variance, epsilon):
    return gamma * (x - moving_mean) / (moving_variance + epsilon) + beta
""",
            "gamma and beta left out": """
def batch_norm_predict(x, gamma, beta, moving_mean, moving_variance, epsilon):
    return (x - moving_mean) / np.sqrt(moving_variance + epsilon)
""",
            "only the first row": """
def batch_norm_predict(x, gamma, beta, moving_mean, moving_variance, epsilon):
    return gamma * (x[0] - moving_mean) / np.sqrt(moving_variance + epsilon) + beta
""",
            "the public example, typed in": """
def update(moving, batch, momentum):
    return np.array([2.0])


def batch_norm_predict(x, gamma, beta, moving_mean, moving_variance, epsilon):
    return np.array([[2.0]])
""",
        },
    },
    "q3": {
        "right": {
            "through variance and mean, one after the other": """
def batch_norm_backward(gradient, x, gamma, epsilon):
    n = len(x)
    centred = x - x.mean(axis=0)
    inverse = (x.var(axis=0) + epsilon) ** -0.5
    d = gradient * gamma
    variance = (d * centred).sum(axis=0) * -0.5 * inverse**3
    mean = -(d * inverse).sum(axis=0)
    back = d * inverse + variance * 2 * centred / n + mean / n
    return back, (gradient * centred * inverse).sum(axis=0), gradient.sum(axis=0)
""",
            "a matrix for each unit": """
def batch_norm_backward(gradient, x, gamma, epsilon):
    back, scales = np.empty(x.shape), []
    n = len(x)
    for j in range(x.shape[1]):
        root = np.sqrt(x[:, j].var() + epsilon)
        z = (x[:, j] - x[:, j].mean()) / root
        jacobian = (np.eye(n) - 1 / n - np.outer(z, z) / n) * gamma[j] / root
        back[:, j] = jacobian @ gradient[:, j]
        scales.append(z @ gradient[:, j])
    return [back.tolist(), scales, np.ones(n) @ gradient]
""",
            "gamma at the end": """
def batch_norm_backward(gradient, x, gamma, epsilon):
    beta_slope = np.sum(gradient, axis=0)
    root = np.sqrt(np.mean((x - x.mean(axis=0)) ** 2, axis=0) + epsilon)
    z = (x - x.mean(axis=0)) / root
    gamma_slope = np.einsum("nu,nu->u", gradient, z)
    back = len(x) * gradient - beta_slope - z * gamma_slope
    return back * gamma / (root * len(x)), gamma_slope, beta_slope
""",
        },
        "wrong": {
            "mean and variance as constants": backward("d / root"),
            "through the mean only": backward("(d - d.mean(axis=0)) / root"),
            "through the variance only": backward("(d - z * (d * z).mean(axis=0)) / root"),
            "sums for means": backward("(d - d.sum(axis=0) - z * (d * z).sum(axis=0)) / root"),
            "gamma forgotten": backward(f"({DX}) / gamma"),
            "not divided by the root": backward("d - d.mean(axis=0) - z * (d * z).mean(axis=0)"),
            "no epsilon": backward(DX.replace("root", "x.std(axis=0)")),
            "over the units": backward(DX.replace("axis=0", "axis=1, keepdims=True")),
            "means for sums": backward(DX, "(gradient * z).mean(axis=0)", "gradient.mean(axis=0)"),
            "gamma's gradient with gamma in it": backward(DX, "(d * z).sum(axis=0)"),
            "gamma's gradient from x": backward(DX, "(gradient * x).sum(axis=0)"),
            "beta and gamma exchanged": backward(
                DX, "gradient.sum(axis=0)", "(gradient * z).sum(axis=0)"
            ),
            "only the gradient of x": """
def batch_norm_backward(gradient, x, gamma, epsilon):
    return gradient - gradient.mean(axis=0)
""",
            "the public example, typed in": """
def batch_norm_backward(gradient, x, gamma, epsilon):
    return np.zeros(x.shape), np.zeros(len(gamma)), np.zeros(len(gamma))
""",
            "right once, then empty": """
once, calls = batch_norm_backward, []


def batch_norm_backward(gradient, x, gamma, epsilon):
    calls.append(1)
    return once(gradient, x, gamma, epsilon) if len(calls) < 2 else ((), (), ())
""",
        },
    },
    "q4": {
        "right": {
            "line by line": """
def adamw_step(weights, gradient, m, v, t, rate, beta1=0.9, beta2=0.999, epsilon=1e-7, decay=0.0):
    m_new = m * beta1 + gradient * (1 - beta1)
    v_new = v * beta2 + np.square(gradient) * (1 - beta2)
    m_hat = m_new / (1 - np.power(beta1, t))
    v_hat = v_new / (1 - np.power(beta2, t))
    shrunk = weights * (1 - rate * decay)
    return shrunk - rate * m_hat / (v_hat**0.5 + epsilon), m_new, v_new
""",
            "a loop over the weights": """
def adamw_step(weights, gradient, m, v, t, rate, beta1=0.9, beta2=0.999, epsilon=1e-7, decay=0.0):
    weights, m, v = weights.copy(), m.copy(), v.copy()
    for i in np.ndindex(weights.shape):
        m[i] = beta1 * m[i] + (1 - beta1) * gradient[i]
        v[i] = beta2 * v[i] + (1 - beta2) * gradient[i] ** 2
        a, b = m[i] / (1 - beta1**t), v[i] / (1 - beta2**t)
        weights[i] -= rate * (decay * weights[i] + a / (np.sqrt(b) + epsilon))
    return weights, m, v
""",
            "in place, the decay first": """
def adamw_step(weights, gradient, m, v, t, rate, beta1=0.9, beta2=0.999, epsilon=1e-7, decay=0.0):
    m += (1 - beta1) * (gradient - m)
    v += (1 - beta2) * (gradient**2 - v)
    weights -= rate * decay * weights
    weights -= rate * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + epsilon)
    return weights, m, v
""",
            "corrections moved into the rate, lists": """
def adamw_step(weights, gradient, m, v, t, rate, beta1=0.9, beta2=0.999, epsilon=1e-7, decay=0.0):
    m = beta1 * m + (1 - beta1) * gradient
    v = beta2 * v + (1 - beta2) * gradient * gradient
    root = (1 - beta2**t) ** 0.5
    step = rate * root / (1 - beta1**t) * m / (np.sqrt(v) + epsilon * root)
    new = weights - step - rate * decay * weights
    return [new, m, v]
""",
        },
        "wrong": {
            "no corrections": """
def adamw_step(weights, gradient, m, v, t, rate, beta1=0.9, beta2=0.999, epsilon=1e-7, decay=0.0):
    m = beta1 * m + (1 - beta1) * gradient
    v = beta2 * v + (1 - beta2) * gradient**2
    return weights - rate * decay * weights - rate * m / (np.sqrt(v) + epsilon), m, v
""",
            "corrections without the power": """
def adamw_step(weights, gradient, m, v, t, rate, beta1=0.9, beta2=0.999, epsilon=1e-7, decay=0.0):
    m = beta1 * m + (1 - beta1) * gradient
    v = beta2 * v + (1 - beta2) * gradient**2
    step = (m / (1 - beta1)) / (np.sqrt(v / (1 - beta2)) + epsilon)
    return weights - rate * decay * weights - rate * step, m, v
""",
            "steps counted from 0": """
def adamw_step(weights, gradient, m, v, t, rate, beta1=0.9, beta2=0.999, epsilon=1e-7, decay=0.0):
    m = beta1 * m + (1 - beta1) * gradient
    v = beta2 * v + (1 - beta2) * gradient**2
    step = (m / (1 - beta1 ** (t + 1))) / (np.sqrt(v / (1 - beta2 ** (t + 1))) + epsilon)
    return weights - rate * decay * weights - rate * step, m, v
""",
            "epsilon under the root": """
def adamw_step(weights, gradient, m, v, t, rate, beta1=0.9, beta2=0.999, epsilon=1e-7, decay=0.0):
    m = beta1 * m + (1 - beta1) * gradient
    v = beta2 * v + (1 - beta2) * gradient**2
    step = (m / (1 - beta1**t)) / np.sqrt(v / (1 - beta2**t) + epsilon)
    return weights - rate * decay * weights - rate * step, m, v
""",
            "L2 in the gradient": """
def adamw_step(weights, gradient, m, v, t, rate, beta1=0.9, beta2=0.999, epsilon=1e-7, decay=0.0):
    gradient = gradient + decay * weights
    m = beta1 * m + (1 - beta1) * gradient
    v = beta2 * v + (1 - beta2) * gradient**2
    step = (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + epsilon)
    return weights - rate * step, m, v
""",
            "decay without the rate": """
def adamw_step(weights, gradient, m, v, t, rate, beta1=0.9, beta2=0.999, epsilon=1e-7, decay=0.0):
    m = beta1 * m + (1 - beta1) * gradient
    v = beta2 * v + (1 - beta2) * gradient**2
    step = (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + epsilon)
    return weights - decay * weights - rate * step, m, v
""",
            "decay of the new weights": """
def adamw_step(weights, gradient, m, v, t, rate, beta1=0.9, beta2=0.999, epsilon=1e-7, decay=0.0):
    m = beta1 * m + (1 - beta1) * gradient
    v = beta2 * v + (1 - beta2) * gradient**2
    new = weights - rate * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + epsilon)
    return new - rate * decay * new, m, v
""",
            "decay with a plus": """
def adamw_step(weights, gradient, m, v, t, rate, beta1=0.9, beta2=0.999, epsilon=1e-7, decay=0.0):
    m = beta1 * m + (1 - beta1) * gradient
    v = beta2 * v + (1 - beta2) * gradient**2
    step = (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + epsilon)
    return weights + rate * decay * weights - rate * step, m, v
""",
            "no decay: plain Adam": """
def adamw_step(weights, gradient, m, v, t, rate, beta1=0.9, beta2=0.999, epsilon=1e-7, decay=0.0):
    m = beta1 * m + (1 - beta1) * gradient
    v = beta2 * v + (1 - beta2) * gradient**2
    step = (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + epsilon)
    return weights - rate * step, m, v
""",
            "returns the corrected moments": """
def adamw_step(weights, gradient, m, v, t, rate, beta1=0.9, beta2=0.999, epsilon=1e-7, decay=0.0):
    m = (beta1 * m + (1 - beta1) * gradient) / (1 - beta1**t)
    v = (beta2 * v + (1 - beta2) * gradient**2) / (1 - beta2**t)
    return weights - rate * decay * weights - rate * m / (np.sqrt(v) + epsilon), m, v
""",
            "square of the gradient forgotten": """
def adamw_step(weights, gradient, m, v, t, rate, beta1=0.9, beta2=0.999, epsilon=1e-7, decay=0.0):
    m = beta1 * m + (1 - beta1) * gradient
    v = beta2 * v + (1 - beta2) * abs(gradient)
    step = (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + epsilon)
    return weights - rate * decay * weights - rate * step, m, v
""",
            "betas exchanged": """
def adamw_step(weights, gradient, m, v, t, rate, beta1=0.9, beta2=0.999, epsilon=1e-7, decay=0.0):
    m = (1 - beta1) * m + beta1 * gradient
    v = (1 - beta2) * v + beta2 * gradient**2
    step = (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + epsilon)
    return weights - rate * decay * weights - rate * step, m, v
""",
            "goes uphill": """
def adamw_step(weights, gradient, m, v, t, rate, beta1=0.9, beta2=0.999, epsilon=1e-7, decay=0.0):
    m = beta1 * m + (1 - beta1) * gradient
    v = beta2 * v + (1 - beta2) * gradient**2
    step = (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + epsilon)
    return weights - rate * decay * weights + rate * step, m, v
""",
            "returns the old moments": """
def adamw_step(weights, gradient, m, v, t, rate, beta1=0.9, beta2=0.999, epsilon=1e-7, decay=0.0):
    a = (beta1 * m + (1 - beta1) * gradient) / (1 - beta1**t)
    b = (beta2 * v + (1 - beta2) * gradient**2) / (1 - beta2**t)
    return weights - rate * decay * weights - rate * a / (np.sqrt(b) + epsilon), m, v
""",
            "the public example: the sign of the gradient": """
def adamw_step(weights, gradient, m, v, t, rate, beta1=0.9, beta2=0.999, epsilon=1e-7, decay=0.0):
    return weights - rate * np.sign(gradient), m, v
""",
        },
    },
    "q5": {
        "right": {
            "loops": """
def compare_once(seed):
    one = np.zeros((3, 5, 2))
    for arm in range(3):
        optimizer, normalize, rates = ARMS[arm]
        for place in range(5):
            one[arm, place] = accuracies(optimizer, normalize, rates[place], seed)
    return one


prediction = "contains 0"
means = accuracy.mean(axis=0)
rows = [int(np.argmax(means[arm, :, 0])) for arm in range(3)]
best = np.array([SGD_RATES[rows[0]], SGD_RATES[rows[1]], ADAM_RATES[rows[2]]])
plain = accuracy[:, 0, rows[0], 1]
difference = [accuracy[:, arm, rows[arm], 1] - plain for arm in (1, 2)]
half_width = [2.364624 * np.std(d, ddof=1) / np.sqrt(8) for d in difference]
""",
            "lists and dictionaries": """
def compare_once(seed):
    pairs = lambda o, b, rates: [accuracies(o, b, rate, seed) for rate in rates]
    return [pairs(*ARMS[0]), pairs(*ARMS[1]), pairs(*ARMS[2])]


prediction = "below 0"
best, tests = [], []
for arm, (_, _, rates) in enumerate(ARMS):
    table = {rate: accuracy[:, arm, place] for place, rate in enumerate(rates)}
    best.append(max(table, key=lambda rate: table[rate][:, 0].sum()))
    tests.append(table[best[-1]][:, 1].tolist())
difference = [[a - b for a, b in zip(tests[arm], tests[0])] for arm in (1, 2)]
half_width = [float(stats.sem(d)) * stats.t(7).isf(0.025) for d in difference]
accuracy = accuracy.tolist()
""",
            "the interval from SciPy": """
result = stats.ttest_rel(test[1:], test[:1], axis=1).confidence_interval()
half_width = (result.high - result.low) / 2
""",
        },
        "wrong": {
            "an invented table without a function": """
compare_once = ...
accuracy = np.random.default_rng(0).uniform(0.9, 0.95, (8, 3, 5, 2))
"""
            + AFTER,
            "a table of other seeds, copied": """
accuracy = np.roll(accuracy, 1, axis=0)
"""
            + AFTER,
            "a function that knows the table only": """
known = accuracy.copy()


def compare_once(seed):
    return known[seed % 8]
""",
            "right at the first call, then nothing": """
once, calls = compare_once, []


def compare_once(seed):
    calls.append(seed)
    return once(seed) if len(calls) < 2 else ()
""",
            "no prediction": """
prediction = None
""",
            "one seed, whatever is asked": """
known = accuracy.copy()


def compare_once(seed):
    return known[0]


accuracy = np.array([compare_once(seed) for seed in range(8)])
"""
            + AFTER,
            "validation and test exchanged": """
once = compare_once


def compare_once(seed):
    return once(seed)[:, :, ::-1]


accuracy = accuracy[..., ::-1]
"""
            + AFTER,
            "no arm with batch normalization": """
once = compare_once


def compare_once(seed):
    return once(seed)[[0, 0, 2]]


accuracy = accuracy[:, [0, 0, 2]]
"""
            + AFTER,
            "the arms in another order": """
once = compare_once


def compare_once(seed):
    return once(seed)[[0, 2, 1]]


accuracy = accuracy[:, [0, 2, 1]]
difference, best = difference[::-1], [best[0], best[2], best[1]]
""",
            "places instead of rates": """
best = places
""",
            "all at the rate 0.01": """
best = [0.01] * 3
difference = accuracy[:, [1, 2], [0, 2], 1].T - accuracy[:, 0, 0, 1]
half_width = stats.t.ppf(0.975, 7) * stats.sem(difference, axis=1)
""",
            "the best rate by test accuracy": """
accuracy = accuracy.copy()
accuracy[..., 0] = accuracy[:, :, [0, 1, 2, 4, 3], 0]
""",
            "the smallest value taken, as for a loss": """
best = [arm[2][place] for arm, place in zip(ARMS, accuracy[..., 0].mean(axis=0).argmin(axis=1))]
""",
            "sign of the difference": """
difference = -difference
""",
            "difference of the validation accuracies": """
valid = np.array([accuracy[:, arm, place, 0] for arm, place in enumerate(places)])
difference = valid[1:] - valid[0]
half_width = stats.t.ppf(0.975, 7) * stats.sem(difference, axis=1)
""",
            "both minus each other": """
difference = np.array([test[1] - test[2], test[2] - test[1]])
half_width = stats.t.ppf(0.975, 7) * stats.sem(difference, axis=1)
""",
            "normal quantile": """
half_width = 1.96 * difference.std(axis=1, ddof=1) / np.sqrt(8)
""",
            "ddof left out": """
half_width = stats.t.ppf(0.975, 7) * difference.std(axis=1) / np.sqrt(8)
""",
            "not paired": """
half_width = stats.t.ppf(0.975, 7) * np.sqrt((test.var(axis=1, ddof=1)[1:] + test[0].var()) / 8)
""",
            "constants of the right shape": """
accuracy, difference, half_width = np.full((8, 3, 5, 2), 0.9), np.zeros((2, 8)), np.zeros(2)
best = [0.01, 0.01, 0.0001]
""",
        },
    },
}
