"""Prefect: a flow of tasks whose results are persisted, and reused by their inputs and source."""
from prefect import flow, task
from prefect.cache_policies import INPUTS, TASK_SOURCE

import work

policy = INPUTS + TASK_SOURCE


@task(persist_result=True, cache_policy=policy)
def split(seed: int):
    return work.split(seed)


@task(persist_result=True, cache_policy=policy)
def train(train_set, shrink: float):
    return work.train(train_set, shrink)


@task(persist_result=True, cache_policy=policy)
def evaluate(model, test_set):
    return work.evaluate(model, test_set)


@flow
def three(seed: int = 42, shrink: float = 0.01):
    train_set, test_set = split(seed)
    return evaluate(train(train_set, shrink), test_set)


if __name__ == "__main__":
    print("accuracy", three())
