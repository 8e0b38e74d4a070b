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
            "a model of its own, and a loop": """
def run_once(l2, rate, rows, x, y, seed):
    keras.utils.set_random_seed(int(seed))
    model = build(l2, rate)
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    model.fit(images[rows], digits[rows], batch_size=50, epochs=15, verbose=0)
    right = [int(row.argmax()) == label for row, label in zip(model.predict(x, verbose=0), y)]
    return sum(right) / len(right)


prediction = "contains 0"
best, chosen = -1, None
for row in range(6):
    total = sum(validation[row, seed] for seed in range(3))
    if total > best:
        best, chosen = total, row
""",
            "lists, and text for the reason on two lines": """
validation = [[float(a) for a in row] for row in validation]
means = [np.mean(row) for row in validation]
chosen = means.index(max(means))
reason = "A rate of 0.5 is what the first paper on dropout used\\nfor hidden layers of any size."
prediction = "below 0"
""",
            "NumPy's whole number, an array for the pair": """
chosen = np.argmax(np.average(validation, axis=1))
own = np.array(own)


def run_once(l2, rate, rows, x, y, seed):
    return np.array(accuracy(fit(l2, rate, list(rows), seed), x, y))
""",
        },
        "wrong": {
            "an invented table without a function": """
run_once = ...
validation = np.round(np.random.default_rng(0).uniform(170, 182, (6, 3))) / 202
chosen = int(validation.mean(axis=1).argmax())
""",
            "a table of other seeds, copied": """
validation = np.roll(validation, 1, axis=1)
validation[1] = np.sort(validation[1])[[2, 0, 1]] - 5 / 202
validation[4] -= 5 / 202
chosen = int(validation.mean(axis=1).argmax())
""",
            "a function that knows the table only": """
known = {(*setting, seed): validation[row, seed] for row, setting in enumerate(SETTINGS)
         for seed in range(3)}


def run_once(l2, rate, rows, x, y, seed):
    return known.get((l2, rate, seed), 0.87)
""",
            "right at the first call, then nothing": """
calls = []


def run_once(l2, rate, rows, x, y, seed):
    calls.append(seed)
    return accuracy(fit(l2, rate, rows, seed), x, y) if len(calls) < 2 else ()
""",
            "no reason": """
reason = "I like it"
""",
            "a reason of one word": """
reason = "dropout " * 12
""",
            "one of the given settings": """
own = (0.0, 0.3)
""",
            "no prediction": """
prediction = "0.01"
""",
            "trained on all rows": """
def run_once(l2, rate, rows, x, y, seed):
    return accuracy(fit(l2, rate, np.arange(1000), seed), x, y)
""",
            "measured on the rows that were trained on": """
def run_once(l2, rate, rows, x, y, seed):
    return accuracy(fit(l2, rate, rows, seed), images[rows], digits[rows])
""",
            "always the plain setting": """
def run_once(l2, rate, rows, x, y, seed):
    return accuracy(fit(0.0, 0.0, rows, seed), x, y)
""",
            "the error instead of the accuracy": """
def run_once(l2, rate, rows, x, y, seed):
    return 1 - accuracy(fit(l2, rate, rows, seed), x, y)
""",
            "counted from 1": """
chosen = chosen + 1
""",
            "the smallest, as for a loss": """
chosen = int(validation.mean(axis=1).argmin())
""",
            "mean over the settings": """
validation = validation[np.argsort(validation.mean(axis=1))]
chosen = int(validation.mean(axis=0).argmax())
""",
            "the setting instead of its place": """
chosen = SETTINGS[chosen]
""",
            "settings and seeds exchanged": """
validation = validation.T
""",
            "the best single run": """
right = [[178, 177, 179], [170, 171, 188], [175, 172, 174], [176, 173, 175], [177, 176, 171]]
validation = np.array([*right, [170, 170, 170]]) / 202
chosen = int(validation.max(axis=1).argmax())
""",
            "in per cent": """
validation = 100 * validation
""",
            "typed in: zeros, and the first setting": """
validation, chosen = np.zeros((6, 3)), 0
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
weights = tuple(np.asarray(weight) for weight in model.trainable_variables)


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
            "NumPy predicts": """
half_width = stats.sem(test_accuracy[1] - test_accuracy[0]) * stats.t(df=4).isf(0.025)
gain = test_accuracy[1].mean() - test_accuracy[0].mean()


def predict(x):
    hidden = np.maximum(x @ weights[0] + weights[1], 0)
    return (hidden @ weights[2] + weights[3]).argsort(axis=1)[:, -1]
""",
        },
        "wrong": {
            "invented numbers without a function": """
run_once = ...
test_accuracy = np.array([[440, 441, 442, 445, 440], [443, 445, 442, 446, 441]]) / 500
difference = test_accuracy[1] - test_accuracy[0]
gain = difference.mean()
half_width = stats.t.ppf(0.975, 4) * difference.std(ddof=1) / np.sqrt(5)
""",
            "a function that knows the table only": """
known = {(*setting, 10 + k): test_accuracy[row, k] for row, setting in enumerate(pair)
         for k in range(5)}


def run_once(l2, rate, rows, x, y, seed):
    return known.get((l2, rate, seed), 0.88) + 0.01 * (len(x) == 200)
""",
            "right at the first call, then nothing": """
calls = []


def run_once(l2, rate, rows, x, y, seed):
    calls.append(seed)
    return accuracy(fit(l2, rate, rows, seed), x, y) if len(calls) < 2 else ()
""",
            "the other seeds first": """
test_accuracy = test_accuracy[:, ::-1] + np.array([[0.01], [-0.01]])
""",
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
            "the difference of each seed": """
gain = difference
""",
            "in per cent": """
test_accuracy, gain, half_width = 100 * test_accuracy, 100 * gain, 100 * half_width
""",
            "the same seed five times": """
test_accuracy = np.repeat(test_accuracy[:, :1], 5, axis=1)
gain, half_width = np.diff(test_accuracy[:, 0])[0], 0.0
""",
            "seeds and settings exchanged": """
test_accuracy = test_accuracy.T
""",
            "looks images up in the data": """
from utils.data import load_mnist

everything = load_mnist()
place = {image.tobytes(): row for row, image in enumerate(everything.x_train)}


def predict(x):
    own = np.asarray(model(x)).argmax(axis=1)
    rows = [place.get(np.reshape(image, (28, 28)).tobytes()) for image in x]
    return np.array([k if r is None else everything.y_train[r] for k, r in zip(own, rows)])


weights = build(0.0, 0.0).get_weights()
""",
            "the nearest of all images in the data": """
from utils.data import load_mnist

nearest = load_mnist(n_train=20_000)
flat = nearest.x_train.reshape(20_000, -1)


def predict(x):
    distance = (flat**2).sum(axis=1) - 2 * x @ flat.T
    return nearest.y_train[distance.argmin(axis=1)]
""",
            "another network than that of the weights": """
other = build(0.0, 0.0)


def predict(x):
    return np.asarray(other(x)).argmax(axis=1)
""",
            "a network that isn't trained": """
weights = build(0.0, 0.0).get_weights()


def predict(x):
    return (np.maximum(x @ weights[0], 0) @ weights[2]).argmax(axis=1)
""",
            "predicts probabilities": """
def predict(x):
    return np.asarray(model(x))
""",
            "one digit for all images": """
def predict(x):
    return np.asarray(model(x)).argmax()
""",
            "the wrong axis": """
def predict(x):
    return np.asarray(model(x)).argmax(axis=0)
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
        },
    },
}
