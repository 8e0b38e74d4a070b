"""Answers to the capstone on MNIST: right ones, and wrong ones that students really give."""

LOOK_INSIDE = """

def look_inside(l2, rate, x, seed):
    keras.utils.set_random_seed(seed)
    model = build(l2, rate)
    model(x)
    for weight in model.trainable_variables:
        weight.assign(weight + 0.1)
    weights = [np.asarray(weight) for weight in model.trainable_variables]
    penalty = float(np.sum([float(loss) for loss in model.losses]))
    noisy = np.mean([np.asarray(model(x, training=True)) for _ in range(3)], axis=0)
    return weights, penalty, np.asarray(model(x)), noisy
"""


def network(*layers):
    """Code of a ``build`` with these layers, and of ``look_inside``, which calls it."""
    lines = "".join(f"    model.add(keras.layers.{layer})\n" for layer in layers)
    return (
        "def build(l2, rate):\n"
        "    penalty = keras.regularizers.L2(l2)\n"
        "    model = keras.Sequential([keras.Input((784,))])\n"
        f"{lines}    return model\n{LOOK_INSIDE}"
    )


RUNS = """
test_accuracy = np.array([[440, 441, 442, 445, 440], [443, 445, 442, 446, 441]]) / 500
difference = test_accuracy[1] - test_accuracy[0]
gain = difference.mean()
half_width = stats.t.ppf(0.975, 4) * difference.std(ddof=1) / np.sqrt(5)
"""
HIDDEN = 'Dense(64, "relu", kernel_regularizer=penalty)'
DROPOUT = "Dropout(rate)"
OUTPUT = 'Dense(10, "softmax", kernel_regularizer=penalty)'

ANSWERS = {
    "q1": {
        "right": {
            "a loop over lists": """
def stratified_split(labels, share, seed):
    import random

    generator = random.Random(seed)
    train, validation = [], []
    for label in set(np.asarray(labels).tolist()):
        rows = [i for i, one in enumerate(labels) if one == label]
        generator.shuffle(rows)
        cut = round(share * len(rows))
        validation += rows[:cut]
        train += rows[cut:]
    return train, validation
""",
            "choice, and a mask": """
def stratified_split(labels, share, seed):
    np.random.seed(seed)
    mask = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        rows = np.where(labels == label)[0]
        mask[np.random.choice(rows, round(share * len(rows)), replace=False)] = True
    return np.flatnonzero(~mask), np.flatnonzero(mask)
""",
            "one shuffle, then counting": """
def stratified_split(labels, share, seed):
    order = np.random.default_rng(seed).permutation(len(labels))
    classes, counts = np.unique(labels, return_counts=True)
    left = {k: round(share * int(n)) for k, n in zip(classes, counts)}
    validation = []
    for row in order:
        if left[labels[row]] > 0:
            left[labels[row]] -= 1
            validation.append(row)
    return np.setdiff1d(order, validation), np.array(validation)
""",
            "random ranks within each class": """
def stratified_split(labels, share, seed):
    number = np.random.default_rng(seed).random(len(labels))
    for_validation = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        own = labels == label
        rank = number[own].argsort().argsort()
        for_validation[own] = rank < np.round(share * own.sum())
    return np.where(~for_validation)[0], np.where(for_validation)[0]
""",
        },
        "wrong": {
            "not stratified": """
def stratified_split(labels, share, seed):
    order = np.random.default_rng(seed).permutation(len(labels))
    cut = round(share * len(labels))
    return order[cut:], order[:cut]
""",
            "first rows of each class": """
def stratified_split(labels, share, seed):
    rows = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    cuts = [round(share * len(r)) for r in rows]
    train = np.concatenate([r[c:] for r, c in zip(rows, cuts)])
    return train, np.concatenate([r[:c] for r, c in zip(rows, cuts)])
""",
            "no seed": """
def stratified_split(labels, share, seed):
    rng, train, validation = np.random.default_rng(), [], []
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        validation.extend(rows[: round(share * len(rows))])
        train.extend(rows[round(share * len(rows)) :])
    return np.array(train), np.array(validation)
""",
            "always the seed 0": """
def stratified_split(labels, share, seed):
    rng, train, validation = np.random.default_rng(0), [], []
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        validation.extend(rows[: round(share * len(rows))])
        train.extend(rows[round(share * len(rows)) :])
    return np.array(train), np.array(validation)
""",
            "parts exchanged": """
def stratified_split(labels, share, seed):
    rng, train, validation = np.random.default_rng(seed), [], []
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        validation.extend(rows[: round(share * len(rows))])
        train.extend(rows[round(share * len(rows)) :])
    return np.array(validation), np.array(train)
""",
            "rounded down": """
def stratified_split(labels, share, seed):
    rng, train, validation = np.random.default_rng(seed), [], []
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        validation.extend(rows[: int(share * len(rows))])
        train.extend(rows[int(share * len(rows)) :])
    return np.array(train), np.array(validation)
""",
            "places in the class instead of row numbers": """
def stratified_split(labels, share, seed):
    rng, train, validation = np.random.default_rng(seed), [], []
    for label in np.unique(labels):
        rows = rng.permutation(np.sum(labels == label))
        validation.extend(rows[: round(share * len(rows))])
        train.extend(rows[round(share * len(rows)) :])
    return np.array(train), np.array(validation)
""",
            "labels instead of row numbers": """
def stratified_split(labels, share, seed):
    train, validation = [], []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        cut = round(share * len(rows))
        validation.extend(labels[rows[:cut]])
        train.extend(labels[rows[cut:]])
    return np.array(train), np.array(validation)
""",
            "masks instead of row numbers": """
def stratified_split(labels, share, seed):
    rng, mask = np.random.default_rng(seed), np.zeros(len(labels), bool)
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        mask[rows[: round(share * len(rows))]] = True
    return ~mask, mask
""",
            "drawn with replacement": """
def stratified_split(labels, share, seed):
    rng, validation = np.random.default_rng(seed), []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        validation.extend(rng.choice(rows, round(share * len(rows))))
    return np.setdiff1d(np.arange(len(labels)), validation), np.array(validation)
""",
            "validation rows stay in training": """
def stratified_split(labels, share, seed):
    rng, validation = np.random.default_rng(seed), []
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        validation.extend(rows[: round(share * len(rows))])
    return np.arange(len(labels)), np.array(validation)
""",
            "the same number of each class": """
def stratified_split(labels, share, seed):
    rng, train, validation = np.random.default_rng(seed), [], []
    cut = round(share * len(labels) / len(np.unique(labels)))
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        validation.extend(rows[:cut])
        train.extend(rows[cut:])
    return np.array(train), np.array(validation)
""",
            "the public example, typed in": """
def stratified_split(labels, share, seed):
    return np.array([2, 3, 5]), np.array([0, 1, 4])
""",
        },
    },
    "q2": {
        "right": {
            "layers added one by one": network(HIDDEN, DROPOUT, OUTPUT),
            "the functional interface": """
def build(l2, rate):
    x = keras.Input(shape=(784,))
    h = keras.layers.Dense(64, activation="relu", kernel_regularizer=keras.regularizers.L2(l2))(x)
    h = keras.layers.Dropout(rate)(h)
    out = keras.layers.Dense(10, activation="softmax", kernel_regularizer=keras.regularizers.L2(l2))
    return keras.Model(x, out(h))
"""
            + LOOK_INSIDE,
            "activations as layers of their own": network(
                "Dense(64, kernel_regularizer=keras.regularizers.l2(l2))",
                "ReLU()",
                "Dropout(rate)",
                "Dense(10, kernel_regularizer=keras.regularizers.L1L2(l1=0.0, l2=l2))",
                "Softmax()",
            ),
            "dropout before ReLU, which is the same": network(
                "Dense(64, kernel_regularizer=penalty)",
                "Dropout(rate)",
                "Activation(keras.activations.relu)",
                OUTPUT,
            ),
            "a list and functions": """
def build(l2, rate):
    def dense(units, activation):
        layer = keras.layers.Dense(units, kernel_regularizer=keras.regularizers.L2(l2))
        layer.activation = getattr(keras.activations, activation)
        return layer

    model = keras.Sequential([dense(64, "relu"), keras.layers.Dropout(rate), dense(10, "softmax")])
    model.build((None, 784))
    return model
"""
            + LOOK_INSIDE,
        },
        "wrong": {
            "biases penalized, too": network(
                'Dense(64, "relu", kernel_regularizer=penalty, bias_regularizer=penalty)',
                DROPOUT,
                'Dense(10, "softmax", kernel_regularizer=penalty, bias_regularizer=penalty)',
            ),
            "one of the biases penalized": network(
                HIDDEN,
                DROPOUT,
                'Dense(10, "softmax", kernel_regularizer=penalty, bias_regularizer=penalty)',
            ),
            "only the first kernel penalized": network(HIDDEN, DROPOUT, 'Dense(10, "softmax")'),
            "no penalty": network('Dense(64, "relu")', DROPOUT, 'Dense(10, "softmax")'),
            "half of the penalty": network(
                'Dense(64, "relu", kernel_regularizer=keras.regularizers.L2(l2 / 2))',
                DROPOUT,
                'Dense(10, "softmax", kernel_regularizer=keras.regularizers.L2(l2 / 2))',
            ),
            "L1 instead of L2": network(
                'Dense(64, "relu", kernel_regularizer=keras.regularizers.L1(l2))',
                DROPOUT,
                'Dense(10, "softmax", kernel_regularizer=keras.regularizers.L1(l2))',
            ),
            "outputs penalized instead of kernels": network(
                'Dense(64, "relu", activity_regularizer=penalty)',
                DROPOUT,
                'Dense(10, "softmax", activity_regularizer=penalty)',
            ),
            "logits": network(HIDDEN, DROPOUT, "Dense(10, kernel_regularizer=penalty)"),
            "sigmoid instead of softmax": network(
                HIDDEN, DROPOUT, 'Dense(10, "sigmoid", kernel_regularizer=penalty)'
            ),
            "no ReLU": network("Dense(64, kernel_regularizer=penalty)", DROPOUT, OUTPUT),
            "one hidden layer too many": network(HIDDEN, HIDDEN, DROPOUT, OUTPUT),
            "dropout before the hidden layer": network(DROPOUT, HIDDEN, OUTPUT),
            "dropout after the hidden layer and on the pixels": network(
                DROPOUT, HIDDEN, DROPOUT, OUTPUT
            ),
            "dropout after the output": network(HIDDEN, OUTPUT, DROPOUT),
            "the rate as the share that is kept": network(HIDDEN, "Dropout(1 - rate)", OUTPUT),
            "no dropout": network(HIDDEN, OUTPUT),
            "dropout with a fixed rate": network(HIDDEN, "Dropout(0.5)", OUTPUT),
            "noise instead of dropout": network(HIDDEN, "GaussianNoise(rate)", OUTPUT),
            "128 hidden units": network(
                'Dense(128, "relu", kernel_regularizer=penalty)', DROPOUT, OUTPUT
            ),
            "batch normalization added": network(HIDDEN, "BatchNormalization()", DROPOUT, OUTPUT),
            "the public example, typed in": """
def look_inside(l2, rate, x, seed):
    shapes = (784, 64), (64,), (64, 10), (10,)
    out = np.full((len(x), 10), 0.1)
    return [np.zeros(shape) for shape in shapes], 0.0, out, out
""",
        },
    },
    "q3": {
        "right": {
            "sum instead of mean, and a loop": """
best, chosen = -1, None
for row in range(5):
    total = sum(validation[row, seed] for seed in range(3))
    if total > best:
        best, chosen = total, row
""",
            "lists": """
validation = [[float(a) for a in row] for row in validation]
means = [np.mean(row) for row in validation]
chosen = means.index(max(means))
""",
            "NumPy's whole number": """
chosen = np.argmax(np.average(validation, axis=1))
""",
        },
        "wrong": {
            "counted from 1": """
chosen = int(validation.mean(axis=1).argmax()) + 1
""",
            "the smallest, as for a loss": """
chosen = int(validation.mean(axis=1).argmin())
""",
            "mean over the settings": """
validation = validation[np.argsort(validation.mean(axis=1))]
chosen = int(validation.mean(axis=0).argmax())
""",
            "place in the flattened array": """
validation = validation[np.argsort(validation.mean(axis=1))]
chosen = 3 * 4 + int(validation[4].argmax())
""",
            "the setting instead of its place": """
chosen = SETTINGS[chosen]
""",
            "settings and seeds exchanged": """
validation = validation.T
""",
            "one seed for all columns": """
validation = np.repeat(validation[:, :1], 3, axis=1)
chosen = int(validation.mean(axis=1).argmax())
""",
            "measured on the rows that were trained on": """
validation = np.ones((5, 3)) - np.array([0, 0, 4, 2, 3])[:, None] / 800
chosen = 0
""",
            "the best single run": """
right = [[178, 177, 179], [170, 171, 188], [175, 172, 174], [176, 173, 175], [177, 176, 171]]
validation = np.array(right) / 202
chosen = int(validation.max(axis=1).argmax())
""",
            "measured on the 500 test images": """
validation = np.round(500 * validation) / 500
chosen = int(validation.mean(axis=1).argmax())
""",
            "in per cent": """
validation = 100 * validation
""",
            "errors instead of accuracies": """
validation = 1 - validation
chosen = int(validation.mean(axis=1).argmin())
""",
            "the last seed only": """
validation = np.c_[np.zeros((5, 2)), validation[:, 2]]
chosen = int(validation[:, 2].argmax())
""",
            "typed in: zeros, and the first setting": """
validation, chosen = np.zeros((5, 3)), 0
""",
            "random numbers": """
validation = np.random.default_rng(0).uniform(0.8, 0.9, (5, 3))
chosen = int(validation.mean(axis=1).argmax())
""",
        },
    },
    "q4": {
        "right": {
            "the interval from SciPy": """
result = stats.ttest_rel(test_accuracy[1], test_accuracy[0])
interval = result.confidence_interval(0.95)
gain = np.mean(interval)
half_width = np.ptp(interval) / 2


def predict(x):
    return np.argmax(model.predict(x, verbose=0), axis=-1)
""",
            "loops and lists": """
d = [float(b - a) for a, b in zip(*test_accuracy)]
gain = sum(d) / len(d)
s = (sum((one - gain) ** 2 for one in d) / (len(d) - 1)) ** 0.5
half_width = 2.776 * s / len(d) ** 0.5
test_accuracy = test_accuracy.tolist()


def predict(x):
    return [int(np.argmax(row)) for row in np.asarray(model(x))]
""",
            "weights copied, NumPy predicts": """
final = [np.asarray(weight) for weight in model.get_weights()]
half_width = stats.sem(test_accuracy[1] - test_accuracy[0]) * stats.t(df=4).isf(0.025)
gain = test_accuracy[1].mean() - test_accuracy[0].mean()


def predict(x):
    hidden = np.maximum(x @ final[0] + final[1], 0)
    return (hidden @ final[2] + final[3]).argsort(axis=1)[:, -1]
""",
            "half of the interval that t gives": """
difference = np.diff(test_accuracy, axis=0)[0]
low, high = stats.t.interval(0.95, 4, difference.mean(), stats.sem(difference))
gain, half_width = difference.mean(), (high - low) / 2


def predict(x):
    probabilities = keras.ops.convert_to_numpy(model(np.asarray(x, "float32"), training=False))
    return np.nonzero(probabilities == probabilities.max(axis=1, keepdims=True))[1].astype("uint8")
""",
        },
        "wrong": {
            "normal quantile": """
half_width = 1.96 * difference.std(ddof=1) / np.sqrt(5)
""",
            "ddof left out": """
half_width = stats.t.ppf(0.975, 4) * difference.std() / np.sqrt(5)
""",
            "n degrees of freedom": """
half_width = stats.t.ppf(0.975, 5) * difference.std(ddof=1) / np.sqrt(5)
""",
            "not paired": """
variance = test_accuracy.var(axis=1, ddof=1).sum()
half_width = stats.t.ppf(0.975, 4) * np.sqrt(variance / 5)
""",
            "the whole width": """
half_width = 2 * stats.t.ppf(0.975, 4) * difference.std(ddof=1) / np.sqrt(5)
""",
            "plain minus chosen": RUNS
            + """
gain = -gain
""",
            "sum instead of mean": RUNS
            + """
gain = difference.sum()
""",
            "the difference of each seed": RUNS
            + """
gain = difference
""",
            "best run minus best run": RUNS
            + """
gain = test_accuracy[1].max() - test_accuracy[0].max()
""",
            "measured on the training images": """
test_accuracy = np.array([[1.0, 0.999, 1.0, 0.998, 1.0], [0.998, 0.997, 0.999, 0.996, 0.998]])
difference = test_accuracy[1] - test_accuracy[0]
gain = difference.mean()
half_width = stats.t.ppf(0.975, 4) * difference.std(ddof=1) / np.sqrt(5)
""",
            "the validation accuracies again": """
test_accuracy = validation[[0, chosen]]
""",
            "measured on the validation rows": """
test_accuracy = np.round(test_accuracy * 202) / 202
difference = test_accuracy[1] - test_accuracy[0]
gain = difference.mean()
half_width = stats.t.ppf(0.975, 4) * difference.std(ddof=1) / np.sqrt(5)
""",
            "the same seed five times": """
test_accuracy = np.repeat(test_accuracy[:, :1], 5, axis=1)
gain, half_width = np.diff(test_accuracy[:, 0])[0], 0.0
""",
            "seeds and settings exchanged": """
test_accuracy = test_accuracy.T
""",
            "predicts probabilities": """
def predict(x):
    return np.asarray(model(x))
""",
            "predicts the highest probability": """
def predict(x):
    return np.asarray(model(x)).max(axis=1)
""",
            "one digit for all images": """
def predict(x):
    return np.asarray(model(x)).argmax()
""",
            "the wrong axis": """
def predict(x):
    return np.asarray(model(x)).argmax(axis=0)
""",
            "digits of the test set, whatever the images": """
def predict(x):
    return np.resize(data.y_test, len(x))
""",
            "a network that isn't trained": """
def predict(x):
    keras.utils.set_random_seed(0)
    return np.asarray(build(0.0, 0.0)(x)).argmax(axis=1)
""",
            "images divided by 255 once more": """
def predict(x):
    return np.asarray(model(x / 255)).argmax(axis=1)
""",
            "text instead of whole numbers": """
def predict(x):
    return [str(k) for k in np.asarray(model(x)).argmax(axis=1)]
""",
            "counted from 1": """
def predict(x):
    return np.asarray(model(x)).argmax(axis=1) + 1
""",
            "typed in for the public example": """
def predict(x):
    return np.array([1, 1, 1])
""",
            "a constant": """
def predict(x):
    return np.full(len(x), 1)
""",
        },
    },
}
