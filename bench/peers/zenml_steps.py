"""ZenML: steps called in a loop, with caching on, on the default local stack."""
import sys

from zenml import pipeline, step

from shapes import call_steps


@step
def item(at: int, before: int) -> int:
    return at + before


@step
def join(at: int, left: int, right: int) -> int:
    return at + (left + right) % 1000


@pipeline(enable_cache=True)
def shaped(shape: str, size: int):
    call_steps(item, join, shape, size)


if __name__ == "__main__":
    shaped(sys.argv[1], int(sys.argv[2]))
