"""The work of the three steps: the same as in bench/three-steps.ts, written for Python, without any library."""


def split(seed: int):
    state = seed

    def random():
        nonlocal state
        state = (state * 1_103_515_245 + 12_345) & 0x7FFFFFFF
        return state / 0x7FFFFFFF

    rows = []
    for index in range(178):
        target = index % 3
        rows.append({"features": [target + random() * 2 for _ in range(13)], "target": target})
    return rows[:142], rows[142:]


def train(train_set, shrink: float):
    model = []
    for target in range(3):
        own = [row["features"] for row in train_set if row["target"] == target]
        model.append([(1 - shrink) * sum(column) / len(own) for column in zip(*own)])
    return model


def evaluate(model, test_set) -> float:
    right = 0
    for row in test_set:
        distances = [sum((a - b) ** 2 for a, b in zip(centroid, row["features"])) for centroid in model]
        right += distances.index(min(distances)) == row["target"]
    return right / len(test_set)
