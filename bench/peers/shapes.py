"""The graphs of bench/shapes.ts: steps in a chain, a fan-out or diamonds, called through the peer's own functions."""


def call_steps(item, join, shape: str, size: int):
    """Calls `size` steps and answers with the outputs that no other step takes."""
    first = last = item(0, 0)
    if shape == "fan-out":
        return [item(at, first) for at in range(1, size)]
    if shape == "chain":
        for at in range(1, size):
            last = item(at, last)
    if shape == "diamond":
        for at in range(1, size, 3):
            last = join(at + 2, item(at, last), item(at + 1, last))
    return [last]
