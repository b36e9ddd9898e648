"""Prefect: a flow that calls tasks whose results are persisted, and reused by their inputs and source."""
import sys

from prefect import flow, task
from prefect.cache_policies import INPUTS, TASK_SOURCE

from shapes import call_steps

policy = INPUTS + TASK_SOURCE


@task(persist_result=True, cache_policy=policy)
def item(at: int, before: int) -> int:
    return at + before


@task(persist_result=True, cache_policy=policy)
def join(at: int, left: int, right: int) -> int:
    return at + (left + right) % 1000


@flow
def shaped(shape: str, size: int) -> int:
    return call_steps(item, join, shape, size)[-1]


if __name__ == "__main__":
    print(shaped(sys.argv[1], int(sys.argv[2])))
