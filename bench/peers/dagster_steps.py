"""Dagster: a job of ops, one made for each step and executed in one process. An execution always computes."""
import sys

from dagster import DagsterInstance, job, op

from shapes import call_steps

shape, size = sys.argv[1], int(sys.argv[2])


@op
def item_0() -> int:
    return 0


def item(at: int, before):
    if at == 0:
        return item_0()

    @op(name=f"item_{at}")
    def later(before: int) -> int:
        return at + before

    return later(before)


def join(at: int, left, right):
    @op(name=f"join_{at}")
    def both(left: int, right: int) -> int:
        return at + (left + right) % 1000

    return both(left, right)


@job
def shaped():
    call_steps(item, join, shape, size)


if __name__ == "__main__":
    quiet = {"loggers": {"console": {"config": {"log_level": "WARNING"}}}}
    result = shaped.execute_in_process(instance=DagsterInstance.get(), run_config=quiet)
    print(result.success)
