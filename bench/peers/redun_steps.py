"""redun: lazy tasks. Run with `redun run redun_steps.py main --shape fan-out --size 100`."""
from redun import task

from shapes import call_steps

redun_namespace = "bench"


@task()
def item(at: int, before: int) -> int:
    return at + before


@task()
def join(at: int, left: int, right: int) -> int:
    return at + (left + right) % 1000


@task()
def main(shape: str, size: int):
    return call_steps(item, join, shape, size)
