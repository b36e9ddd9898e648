"""ZenML: typed steps in a pipeline, with caching on, on the default local stack."""
from typing import Annotated

from zenml import pipeline, step

import work


@step
def split(seed: int) -> tuple[Annotated[list, "train_set"], Annotated[list, "test_set"]]:
    # ZenML counts the outputs by the return statement.
    train_set, test_set = work.split(seed)
    return train_set, test_set


@step
def train(train_set: list, shrink: float) -> Annotated[list, "model"]:
    return work.train(train_set, shrink)


@step
def evaluate(model: list, test_set: list) -> Annotated[float, "accuracy"]:
    return work.evaluate(model, test_set)


@pipeline(enable_cache=True)
def three(seed: int = 42, shrink: float = 0.01):
    train_set, test_set = split(seed)
    evaluate(train(train_set, shrink), test_set)


if __name__ == "__main__":
    three()
