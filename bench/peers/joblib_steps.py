"""joblib: two functions whose results are kept on disk, called as often as there are steps."""
import sys

from joblib import Memory

from shapes import call_steps

memory = Memory("cache", verbose=0)


@memory.cache
def item(at: int, before: int) -> int:
    return at + before


@memory.cache
def join(at: int, left: int, right: int) -> int:
    return at + (left + right) % 1000


if __name__ == "__main__":
    shape, size = sys.argv[1], int(sys.argv[2])
    print(call_steps(item, join, shape, size)[-1])
