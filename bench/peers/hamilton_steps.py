"""Hamilton: two functions that @parameterize makes into as many nodes as there are steps; the driver caches."""
import sys

from hamilton import driver
from hamilton.function_modifiers import parameterize, source, value

from shapes import call_steps

shape, size, cache = sys.argv[1], int(sys.argv[2]), sys.argv[3]
items, joins = {}, {}


def _item(at: int, before):
    items[f"step_{at}"] = {"at": value(at), "before": value(before) if at == 0 else source(before)}
    return f"step_{at}"


def _join(at: int, left: str, right: str):
    joins[f"step_{at}"] = {"at": value(at), "left": source(left), "right": source(right)}
    return f"step_{at}"


wanted = call_steps(_item, _join, shape, size)


@parameterize(**items)
def item(at: int, before: int) -> int:
    return at + before


if joins:

    @parameterize(**joins)
    def join(at: int, left: int, right: int) -> int:
        return at + (left + right) % 1000


if __name__ == "__main__":
    import hamilton_steps

    # Nodes are visited by recursion: a long chain needs more of it than Python allows by itself.
    sys.setrecursionlimit(1_000_000)
    builder = driver.Builder().with_modules(hamilton_steps)
    if cache == "cached":
        builder = builder.with_cache(path="cache")
    print(builder.build().execute(wanted)[wanted[-1]])
