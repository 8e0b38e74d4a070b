"""Answers to the assignment on data augmentation: right ones, and wrong ones of students."""

ANSWERS = {
    "q1": {
        "right": {
            "a loop over the pixels": """
def shift(images, down, right):
    out = np.zeros(images.shape)
    n, height, width = images.shape
    for r in range(height):
        for c in range(width):
            if 0 <= r - down < height and 0 <= c - right < width:
                out[:, r, c] = images[:, r - down, c - right]
    return out
""",
            "zeros around, then cut out": """
def shift(images, down, right):
    n, height, width = images.shape
    a, b = abs(down), abs(right)
    wide = np.pad(images, ((0, 0), (a, a), (b, b)))
    return wide[:, a - down : a - down + height, b - right : b - right + width]
""",
            "roll, then the edges to zero": """
def shift(images, down, right):
    out = np.roll(images, (down, right), axis=(1, 2))
    if down > 0:
        out[:, :down] = 0
    if down < 0:
        out[:, down:] = 0
    if right > 0:
        out[:, :, :right] = 0
    if right < 0:
        out[:, :, right:] = 0
    return out
""",
            "SciPy moves it": """
def shift(images, down, right):
    from scipy import ndimage

    return ndimage.shift(images, (0, down, right), order=1, cval=0)
""",
            "matrices with ones off the diagonal": """
def shift(images, down, right):
    n, height, width = images.shape
    return np.eye(height, k=-down) @ images @ np.eye(width, k=right)
""",
        },
        "wrong": {
            "wraps around the edge": """
def shift(images, down, right):
    return np.roll(images, (down, right), axis=(1, 2))
""",
            "rows and columns exchanged": """
def shift(images, down, right):
    n, height, width = images.shape
    return np.eye(height, k=-right) @ images @ np.eye(width, k=down)
""",
            "moves up and to the left": """
def shift(images, down, right):
    n, height, width = images.shape
    return np.eye(height, k=down) @ images @ np.eye(width, k=-right)
""",
            "repeats the edge": """
def shift(images, down, right):
    n, height, width = images.shape
    a, b = abs(down), abs(right)
    wide = np.pad(images, ((0, 0), (a, a), (b, b)), mode="edge")
    return wide[:, a - down : a - down + height, b - right : b - right + width]
""",
            "positive numbers only": """
def shift(images, down, right):
    out = np.zeros_like(images)
    n, height, width = images.shape
    out[:, down:, right:] = images[:, : height - down, : width - right]
    return out
""",
            "the shape grows": """
def shift(images, down, right):
    below, above = (down, 0) if down > 0 else (0, -down)
    left, after = (right, 0) if right > 0 else (0, -right)
    return np.pad(images, ((0, 0), (below, above), (left, after)))
""",
            "rolls the flattened image": """
def shift(images, down, right):
    n, height, width = images.shape
    flat = np.roll(images.reshape(n, -1), down * width + right, axis=1)
    return flat.reshape(images.shape)
""",
            "moves along the axis of the images": """
def shift(images, down, right):
    out = np.roll(images, (down, right), axis=(0, 1))
    out[:, :down] = 0
    return out
""",
            "the distance taken modulo the size": """
def shift(images, down, right):
    n, height, width = images.shape
    down = int(np.sign(down)) * (abs(down) % height)
    right = int(np.sign(right)) * (abs(right) % width)
    return np.eye(height, k=-down) @ images @ np.eye(width, k=right)
""",
            "an edge of zeros with minus zero for the end": """
def shift(images, down, right):
    out = np.roll(images, (down, right), axis=(1, 2))
    out[:, :down] = 0
    out[:, :, :right] = 0
    return out
""",
            "the public example, typed in": """
def shift(images, down, right):
    out = np.zeros(np.shape(images))
    out[0, 1, 2] = 1
    return out
""",
            "no return": """
def shift(images, down, right):
    images[:, down:, right:] = images[:, :-down, :-right]
""",
        },
    },
    "q2": {
        "right": {
            "a loop, a generator, two draws": """
def random_shifts(images, most, seed):
    rng = np.random.default_rng(seed)
    out = np.zeros(images.shape)
    for i in range(len(images)):
        down = rng.integers(-most, most + 1)
        right = rng.integers(-most, most + 1)
        out[i] = shift(images[i : i + 1], down, right)[0]
    return out
""",
            "the old random numbers, with a seed": """
def random_shifts(images, most, seed):
    np.random.seed(seed)
    moves = np.random.randint(-most, most + 1, (len(images), 2))
    out = [shift(images[i : i + 1], moves[i, 0], moves[i, 1]) for i in range(len(images))]
    return np.concatenate(out)
""",
            "choice from a list of shifts": """
def random_shifts(images, most, seed):
    rng = np.random.default_rng(seed)
    possible = np.arange(-most, most + 1)
    down, right = rng.choice(possible, len(images)), rng.choice(possible, len(images))
    out = images.copy()
    for a in possible:
        for b in possible:
            rows = (down == a) & (right == b)
            out[rows] = shift(images[rows], a, b)
    return out
""",
            "endpoint, and an index into padded images": """
def random_shifts(images, most, seed):
    n, height, width = images.shape
    moves = np.random.default_rng(seed).integers(-most, most, (2, n, 1, 1), endpoint=True)
    wide = np.pad(images, ((0, 0), (most, most), (most, most)))
    rows = np.arange(height)[:, None] + most - moves[0]
    columns = np.arange(width) + most - moves[1]
    return wide[np.arange(n)[:, None, None], rows, columns]
""",
        },
        "wrong": {
            "upper end left out": """
def random_shifts(images, most, seed):
    moves = np.random.default_rng(seed).integers(-most, max(most, 1 - most), (len(images), 2))
    return np.stack([shift(a[None], *m)[0] for a, m in zip(images, moves)])
""",
            "one shift for all images": """
def random_shifts(images, most, seed):
    down, right = np.random.default_rng(seed).integers(-most, most + 1, size=2)
    return shift(images, down, right)
""",
            "a new generator for each image": """
def random_shifts(images, most, seed):
    out = []
    for image in images:
        move = np.random.default_rng(seed).integers(-most, most + 1, size=2)
        out.append(shift(image[None], *move)[0])
    return np.stack(out)
""",
            "no seed": """
def random_shifts(images, most, seed):
    moves = np.random.default_rng().integers(-most, most + 1, size=(len(images), 2))
    return np.stack([shift(a[None], *m)[0] for a, m in zip(images, moves)])
""",
            "always the seed 0": """
def random_shifts(images, most, seed):
    moves = np.random.default_rng(0).integers(-most, most + 1, size=(len(images), 2))
    return np.stack([shift(a[None], *m)[0] for a, m in zip(images, moves)])
""",
            "down and right by the same number": """
def random_shifts(images, most, seed):
    moves = np.random.default_rng(seed).integers(-most, most + 1, size=len(images))
    return np.stack([shift(a[None], m, m)[0] for a, m in zip(images, moves)])
""",
            "down only": """
def random_shifts(images, most, seed):
    moves = np.random.default_rng(seed).integers(-most, most + 1, size=len(images))
    return np.stack([shift(a[None], m, 0)[0] for a, m in zip(images, moves)])
""",
            "never up or to the left": """
def random_shifts(images, most, seed):
    moves = np.random.default_rng(seed).integers(0, most + 1, size=(len(images), 2))
    return np.stack([shift(a[None], *m)[0] for a, m in zip(images, moves)])
""",
            "rounded, so that the ends are rarer": """
def random_shifts(images, most, seed):
    moves = np.random.default_rng(seed).uniform(-most, most, (len(images), 2))
    moves = np.round(moves).astype(int)
    return np.stack([shift(a[None], *m)[0] for a, m in zip(images, moves)])
""",
            "always by the full distance": """
def random_shifts(images, most, seed):
    moves = np.random.default_rng(seed).choice([-most, most], (len(images), 2))
    return np.stack([shift(a[None], *m)[0] for a, m in zip(images, moves)])
""",
            "the public example: nothing moves": """
def random_shifts(images, most, seed):
    return images.copy()
""",
        },
    },
    "q3": {
        "right": {
            "a loop over the rows": """
def mixup(images, labels, partner, weight, classes):
    mixed = np.zeros(images.shape)
    targets = np.zeros((len(images), classes))
    for i in range(len(images)):
        j, w = partner[i], weight[i]
        mixed[i] = w * images[i] + (1 - w) * images[j]
        targets[i, labels[i]] += w
        targets[i, labels[j]] += 1 - w
    return mixed, targets
""",
            "a matrix of weights": """
def mixup(images, labels, partner, weight, classes):
    n = len(images)
    matrix = np.diag(weight) + (1 - weight)[:, None] * np.eye(n)[partner]
    one_hot = (labels[:, None] == np.arange(classes)).astype(float)
    return np.tensordot(matrix, images, 1), matrix @ one_hot
""",
            "flattened, and partner plus weight times the difference": """
def mixup(images, labels, partner, weight, classes):
    def mix(a):
        flat = a.reshape(len(a), -1)
        return (flat[partner] + weight[:, None] * (flat - flat[partner])).reshape(a.shape)

    one_hot = np.zeros((len(labels), classes))
    one_hot[np.arange(len(labels)), labels] = 1
    return mix(images), mix(one_hot)
""",
            "einsum, and lists": """
def mixup(images, labels, partner, weight, classes):
    first = np.einsum("i,ihw->ihw", weight, images)
    second = np.einsum("i,ihw->ihw", 1 - weight, images[partner])
    targets = [
        [w * (a == k) + (1 - w) * (b == k) for k in range(classes)]
        for a, b, w in zip(labels, labels[partner], weight)
    ]
    return first + second, targets
""",
        },
        "wrong": {
            "labels not mixed": """
def mixup(images, labels, partner, weight, classes):
    w = weight[:, None, None]
    return w * images + (1 - w) * images[partner], np.eye(classes)[labels]
""",
            "label of the heavier image": """
def mixup(images, labels, partner, weight, classes):
    w = weight[:, None, None]
    heavier = np.where(weight >= 0.5, labels, labels[partner])
    return w * images + (1 - w) * images[partner], np.eye(classes)[heavier]
""",
            "weights the wrong way round": """
def mixup(images, labels, partner, weight, classes):
    w, t = 1 - weight, np.eye(classes)[labels]
    mixed = w[:, None, None] * images + (1 - w)[:, None, None] * images[partner]
    return mixed, w[:, None] * t + (1 - w)[:, None] * t[partner]
""",
            "labels mixed with the weights exchanged": """
def mixup(images, labels, partner, weight, classes):
    w, t = weight[:, None, None], np.eye(classes)[labels]
    targets = (1 - weight[:, None]) * t + weight[:, None] * t[partner]
    return w * images + (1 - w) * images[partner], targets
""",
            "one weight for each column of pixels": """
def mixup(images, labels, partner, weight, classes):
    w, t = weight[: images.shape[2]], np.eye(classes)[labels]
    v = weight[:, None]
    return w * images + (1 - w) * images[partner], v * t + (1 - v) * t[partner]
""",
            "one weight for all images": """
def mixup(images, labels, partner, weight, classes):
    w, t = weight[0], np.eye(classes)[labels]
    return w * images + (1 - w) * images[partner], w * t + (1 - w) * t[partner]
""",
            "class numbers averaged": """
def mixup(images, labels, partner, weight, classes):
    w = weight[:, None, None]
    mixed_labels = weight * labels + (1 - weight) * labels[partner]
    return w * images + (1 - w) * images[partner], mixed_labels
""",
            "only as many classes as there are labels": """
def mixup(images, labels, partner, weight, classes):
    w, v = weight[:, None, None], weight[:, None]
    t = np.eye(labels.max() + 1)[labels]
    return w * images + (1 - w) * images[partner], v * t + (1 - v) * t[partner]
""",
            "the partner's image added without its weight": """
def mixup(images, labels, partner, weight, classes):
    w, t = weight[:, None], np.eye(classes)[labels]
    return weight[:, None, None] * images + images[partner], w * t + t[partner]
""",
            "overwrites images that are partners later": """
def mixup(images, labels, partner, weight, classes):
    t = np.eye(classes)[labels]
    for i, (j, w) in enumerate(zip(partner, weight)):
        images[i] = w * images[i] + (1 - w) * images[j]
        t[i] = w * t[i] + (1 - w) * t[j]
    return images, t
""",
            "the public example, typed in": """
def mixup(images, labels, partner, weight, classes):
    return images, np.array([[0.75, 0.25, 0], [0, 1, 0]])
""",
        },
    },
    "q4": {
        "right": {
            "a loop and a growing list": """
def training_set(images, labels, train, copies, most, seed):
    x, y = [images[train]], [labels[train]]
    for k in range(copies):
        x.append(random_shifts(images[train], most, seed + k))
        y.append(labels[train])
    return np.concatenate(x), np.concatenate(y)
""",
            "an array made first": """
def training_set(images, labels, train, copies, most, seed):
    n = len(train)
    x = np.zeros((n * (copies + 1), *images.shape[1:]))
    x[:n] = images[train]
    for k in range(1, copies + 1):
        x[k * n : (k + 1) * n] = random_shifts(x[:n], most, seed + k - 1)
    return x, labels[list(train) * (copies + 1)]
""",
            "vstack and lists": """
def training_set(images, labels, train, copies, most, seed):
    x, y = images[train], list(labels[train])
    for s in range(seed, seed + copies):
        x = np.vstack((x, random_shifts(images[train], most, s)))
    return x, y * (copies + 1)
""",
            "all shifted, then the training rows taken": """
def training_set(images, labels, train, copies, most, seed):
    blocks = [images[train]]
    for k in range(copies):
        blocks.append(random_shifts(images, most, seed + k)[train])
    return np.concatenate(blocks), np.hstack([labels[train]] * (1 + copies))
""",
        },
        "wrong": {
            "copies of all rows": """
def training_set(images, labels, train, copies, most, seed):
    x = [images[train]] + [random_shifts(images, most, seed + k) for k in range(copies)]
    y = [labels[train]] + [labels] * copies
    return np.concatenate(x), np.concatenate(y)
""",
            "as many rows, but from the start of the data": """
def training_set(images, labels, train, copies, most, seed):
    n = len(train)
    x = [images[train]] + [random_shifts(images[:n], most, seed + k) for k in range(copies)]
    y = [labels[train]] + [labels[:n]] * copies
    return np.concatenate(x), np.concatenate(y)
""",
            "the same seed for all copies": """
def training_set(images, labels, train, copies, most, seed):
    own = images[train]
    x = [own] + [random_shifts(own, most, seed) for k in range(copies)]
    return np.concatenate(x), np.tile(labels[train], copies + 1)
""",
            "seeds from seed + 1": """
def training_set(images, labels, train, copies, most, seed):
    own = images[train]
    x = [own] + [random_shifts(own, most, seed + k) for k in range(1, copies + 1)]
    return np.concatenate(x), np.tile(labels[train], copies + 1)
""",
            "copies of copies": """
def training_set(images, labels, train, copies, most, seed):
    x = [images[train]]
    for k in range(copies):
        x.append(random_shifts(x[-1], most, seed + k))
    return np.concatenate(x), np.tile(labels[train], copies + 1)
""",
            "labels repeated one by one": """
def training_set(images, labels, train, copies, most, seed):
    own = images[train]
    x = [own] + [random_shifts(own, most, seed + k) for k in range(copies)]
    return np.concatenate(x), np.repeat(labels[train], copies + 1)
""",
            "originals left out": """
def training_set(images, labels, train, copies, most, seed):
    own = images[train]
    x = [random_shifts(own, most, seed + k) for k in range(copies)] or [own]
    return np.concatenate(x), np.tile(labels[train], max(copies, 1))
""",
            "originals last": """
def training_set(images, labels, train, copies, most, seed):
    own = images[train]
    x = [random_shifts(own, most, seed + k) for k in range(copies)] + [own]
    return np.concatenate(x), np.tile(labels[train], copies + 1)
""",
            "copies that aren't shifted": """
def training_set(images, labels, train, copies, most, seed):
    return np.tile(images[train], (copies + 1, 1, 1)), np.tile(labels[train], copies + 1)
""",
            "one copy too few": """
def training_set(images, labels, train, copies, most, seed):
    own = images[train]
    x = [own] + [random_shifts(own, most, seed + k) for k in range(copies - 1)]
    return np.concatenate(x), np.tile(labels[train], len(x))
""",
            "rows sorted": """
def training_set(images, labels, train, copies, most, seed):
    rows = np.sort(train)
    own = images[rows]
    x = [own] + [random_shifts(own, most, seed + k) for k in range(copies)]
    return np.concatenate(x), np.tile(labels[rows], copies + 1)
""",
            "the public example: no copies": """
def training_set(images, labels, train, copies, most, seed):
    return images[train], labels[train]
""",
        },
    },
    "q5": {
        "right": {
            "one model after the other": """
accuracy = np.zeros((2, 2, 10))
for m, kind in enumerate([lambda: KNeighborsClassifier(n_neighbors=1), RidgeClassifier]):
    for seed in range(10):
        order = np.random.default_rng(seed).permutation(1797)
        for c, copies in enumerate([0, 4]):
            x, y = training_set(images, digits, order[:50], copies, 1, seed * 100)
            model = kind().fit(x.reshape(-1, 64), y)
            guess = model.predict(images[order[50:1050]].reshape(-1, 64))
            accuracy[m, c, seed] = np.mean(guess == digits[order[50:1050]])
paired = accuracy[:, 1, :] - accuracy[:, 0, :]
gain = paired.mean(axis=-1)
half_width = stats.sem(paired, axis=1) * stats.t(9).ppf(0.975)
""",
            "the interval from SciPy": """
result = stats.ttest_rel(accuracy[:, 1], accuracy[:, 0], axis=1)
interval = result.confidence_interval(0.95)
gain = (interval.low + interval.high) / 2
half_width = (interval.high - interval.low) / 2
""",
            "loops and lists": """
gain, half_width = [], []
for model in range(2):
    d = [accuracy[model, 1, s] - accuracy[model, 0, s] for s in range(10)]
    mean = sum(d) / 10
    s = (sum((value - mean) ** 2 for value in d) / 9) ** 0.5
    gain.append(mean)
    half_width.append(2.262 * s / 10**0.5)
accuracy = accuracy.tolist()
""",
            "difference of the means": """
gain = accuracy[:, 1].mean(axis=1) - accuracy[:, 0].mean(axis=1)
covariances = [np.cov(model) for model in accuracy]
variance = np.array([c[0, 0] + c[1, 1] - 2 * c[0, 1] for c in covariances])
half_width = 2.2621571628 * np.sqrt(variance / 10)
""",
        },
        "wrong": {
            "normal quantile": """
half_width = 1.96 * difference.std(axis=1, ddof=1) / np.sqrt(10)
""",
            "ddof left out": """
half_width = stats.t.ppf(0.975, 9) * difference.std(axis=1) / np.sqrt(10)
""",
            "the whole width": """
half_width = 2 * stats.t.ppf(0.975, 9) * difference.std(axis=1, ddof=1) / np.sqrt(10)
""",
            "the quantile 0.95": """
half_width = stats.t.ppf(0.95, 9) * difference.std(axis=1, ddof=1) / np.sqrt(10)
""",
            "not divided by the root of n": """
half_width = stats.t.ppf(0.975, 9) * difference.std(axis=1, ddof=1)
""",
            "not paired": """
variance = accuracy.var(axis=2, ddof=1).sum(axis=1)
half_width = stats.t.ppf(0.975, 9) * np.sqrt(variance / 10)
""",
            "without minus with": """
gain = accuracy[:, 0].mean(axis=1) - accuracy[:, 1].mean(axis=1)
""",
            "sum instead of mean": """
gain = difference.sum(axis=1)
""",
            "in per cent": """
gain, half_width = 100 * gain, 100 * half_width
""",
            "mean over the models": """
gain = difference.mean(axis=0)
""",
            "the test rows have copies, too": """
accuracy = accuracy.copy()
for seed in range(10):
    order = np.random.default_rng(seed).permutation(1797)
    for c, copies in enumerate((0, 4)):
        x, y = training_set(images, digits, order[:50], copies, 1, 100 * seed)
        a, b = training_set(images, digits, order[50:1050], copies, 1, 7)
        for m, model in enumerate(MODELS):
            model.fit(x.reshape(len(x), -1), y)
            accuracy[m, c, seed] = model.score(a.reshape(len(a), -1), b)
gain = (accuracy[:, 1] - accuracy[:, 0]).mean(axis=1)
half_width = stats.t.ppf(0.975, 9) * stats.sem(accuracy[:, 1] - accuracy[:, 0], axis=1)
""",
            "tested on the training rows": """
accuracy = accuracy.copy()
for seed in range(10):
    order = np.random.default_rng(seed).permutation(1797)
    for c, copies in enumerate((0, 4)):
        x, y = training_set(images, digits, order[:50], copies, 1, 100 * seed)
        for m, model in enumerate(MODELS):
            accuracy[m, c, seed] = model.fit(x.reshape(len(x), -1), y).score(
                images[order[:1000]].reshape(1000, -1), digits[order[:1000]]
            )
gain = (accuracy[:, 1] - accuracy[:, 0]).mean(axis=1)
half_width = stats.t.ppf(0.975, 9) * stats.sem(accuracy[:, 1] - accuracy[:, 0], axis=1)
""",
            "the same rows for all seeds": """
accuracy = np.repeat(accuracy[:, :, :1], 10, axis=2)
gain = (accuracy[:, 1] - accuracy[:, 0]).mean(axis=1)
half_width = np.zeros(2)
""",
            "the seed for the copies not multiplied": """
accuracy = accuracy.copy()
for seed in range(10):
    order = np.random.default_rng(seed).permutation(1797)
    x, y = training_set(images, digits, order[:50], 4, 1, seed)
    a, b = images[order[50:1050]].reshape(1000, -1), digits[order[50:1050]]
    for m, model in enumerate(MODELS):
        accuracy[m, 1, seed] = model.fit(x.reshape(len(x), -1), y).score(a, b)
gain = (accuracy[:, 1] - accuracy[:, 0]).mean(axis=1)
half_width = stats.t.ppf(0.975, 9) * stats.sem(accuracy[:, 1] - accuracy[:, 0], axis=1)
""",
            "with and without exchanged": """
accuracy = accuracy[:, ::-1]
gain = -gain
""",
            "the models exchanged": """
accuracy, gain, half_width = accuracy[::-1], gain[::-1], half_width[::-1]
""",
            "random numbers": """
accuracy = np.random.default_rng(0).uniform(0.6, 0.9, (2, 2, 10))
gain = (accuracy[:, 1] - accuracy[:, 0]).mean(axis=1)
half_width = np.full(2, 0.01)
""",
        },
    },
}
