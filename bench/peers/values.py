"""The values of bench/artifacts.ts, made anew: a file that is there already, a table, a document, and many small ones."""
import time
from pathlib import Path

import numpy
import pandas


def make_value(kind: str, amount: str):
    if kind == "file":
        return Path(amount)
    if kind == "table":
        rows = numpy.arange(int(amount))
        return pandas.DataFrame({f"column{column}": (rows * 31 + column) / 7 for column in range(10)})
    if kind == "small values":
        return [{"at": at, "name": f"value {at}", "list": [at, at + 1]} for at in range(int(amount))]
    return [
        {
            "id": at,
            "title": f"document {at}",
            "score": at / 7,
            "tags": ["a", "b", f"tag {at % 100}"],
            "nested": {
                "lengths": [at, at + 1, at + 2],
                "text": "the quick brown fox jumps over the lazy dog and runs on " * 2,
            },
        }
        for at in range(int(amount))
    ]


def print_time(work) -> None:
    """In milliseconds, as the last line."""
    start = time.perf_counter()
    work()
    print((time.perf_counter() - start) * 1000)
