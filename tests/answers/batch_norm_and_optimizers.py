"""Answers on batch normalization and optimizers: right ones, and wrong ones of students."""

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
    "q4": {
        "right": {
            "loops": """
sgd, adam = np.zeros((5, 6, 2)), np.zeros((5, 6, 2))
for seed in range(6):
    for row in range(5):
        sgd[row, seed] = accuracies("sgd", SGD_RATES[row], seed)
        adam[row, seed] = accuracies("adam", ADAM_RATES[row], seed)
mean_sgd, mean_adam = sgd.mean(axis=1), adam.mean(axis=1)
i, j = np.argmax(mean_sgd[:, 0]), np.argmax(mean_adam[:, 0])
best_sgd, best_adam = SGD_RATES[i], ADAM_RATES[j]
difference = adam[j][:, 1] - sgd[i][:, 1]
""",
            "dictionaries and lists": """
table = {rate: adam[row] for row, rate in enumerate(ADAM_RATES)}
best_adam = max(table, key=lambda rate: table[rate][:, 0].sum())
other = {rate: sgd[row] for row, rate in enumerate(SGD_RATES)}
best_sgd = max(other, key=lambda rate: other[rate][:, 0].sum())
difference = [a[1] - b[1] for a, b in zip(table[best_adam], other[best_sgd])]
sgd, adam = sgd.tolist(), adam.tolist()
""",
            "a function for both, sorting": """
def best(results, rates):
    order = np.argsort(-np.mean(results[..., 0], axis=-1), kind="stable")
    return np.array(rates)[order[0]], results[order[0], :, -1]


best_sgd, test_sgd = best(sgd, SGD_RATES)
best_adam, test_adam = best(adam, ADAM_RATES)
difference = np.subtract(test_adam, test_sgd)
""",
        },
        "wrong": {
            "places instead of rates": """
best_sgd, best_adam = row_sgd, row_adam
""",
            "sign of the difference": """
difference = sgd[row_sgd, :, 1] - adam[row_adam, :, 1]
""",
            "difference of the validation accuracies": """
difference = adam[row_adam, :, 0] - sgd[row_sgd, :, 0]
""",
            "both at the rate 0.01": """
best_sgd = best_adam = 0.01
difference = adam[2, :, 1] - sgd[0, :, 1]
""",
            "the right rates, but the difference at 0.01": """
difference = adam[2, :, 1] - sgd[0, :, 1]
""",
            "the same row for both": """
difference = (adam - sgd)[row_adam, :, 1]
""",
            "the default rate of Keras": """
best_adam = 0.001
difference = adam[1, :, 1] - sgd[row_sgd, :, 1]
""",
            "the smallest value taken, as for a loss": """
i, j = sgd[:, :, 0].mean(axis=1).argmin(), adam[:, :, 0].mean(axis=1).argmin()
best_sgd, best_adam = SGD_RATES[i], ADAM_RATES[j]
difference = adam[j, :, 1] - sgd[i, :, 1]
""",
            "a best rate for each seed": """
best_sgd = np.array(SGD_RATES)[sgd[:, :, 0].argmax(axis=0)]
best_adam = np.array(ADAM_RATES)[adam[:, :, 0].argmax(axis=0)]
difference = adam[:, :, 1].max(axis=0) - sgd[:, :, 1].max(axis=0)
""",
            "mean of the difference": """
difference = np.mean(adam[row_adam, :, 1] - sgd[row_sgd, :, 1])
""",
            "validation and test exchanged": """
sgd, adam = sgd[:, :, ::-1], adam[:, :, ::-1]
""",
            "seeds from 1": """
sgd, adam = np.roll(sgd, -1, axis=1), np.roll(adam, -1, axis=1)
difference = adam[row_adam, :, 1] - sgd[row_sgd, :, 1]
""",
            "seeds and rates exchanged": """
sgd, adam = sgd.transpose(1, 0, 2), adam.transpose(1, 0, 2)
""",
            "the rates of SGD for Adam, too": """
runs = [[accuracies("adam", r, s, steps=80) for s in (0, 4)] for r in (0.03, 0.1)]
adam = adam.copy()
adam[1:3, [0, 4]] = runs
difference = adam[row_adam, :, 1] - sgd[row_sgd, :, 1]
""",
            "Adam misspelt, so that SGD runs": """
adam = np.array([[accuracies("Adam", r, s) for s in range(6)] for r in ADAM_RATES])
row_adam = adam[:, :, 0].mean(axis=1).argmax()
best_adam = ADAM_RATES[row_adam]
difference = adam[row_adam, :, 1] - sgd[row_sgd, :, 1]
""",
            "constants of the right shape": """
sgd, adam, difference = np.full((5, 6, 2), 0.9), np.full((5, 6, 2), 0.9), np.zeros(6)
""",
        },
    },
}
