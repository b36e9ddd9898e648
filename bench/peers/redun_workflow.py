"""redun: lazy tasks, each reused by its source and its arguments. Run with `redun run redun_workflow.py main`."""
from redun import task

import work

redun_namespace = "bench"


@task(nout=2)
def split(seed: int):
    return work.split(seed)


@task()
def train(train_set, shrink: float):
    return work.train(train_set, shrink)


@task()
def evaluate(model, test_set):
    return work.evaluate(model, test_set)


@task()
def main(seed: int = 42, shrink: float = 0.01):
    train_set, test_set = split(seed)
    return evaluate(train(train_set, shrink), test_set)
