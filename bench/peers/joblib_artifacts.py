"""joblib: a value in a file of its own. It knows no files as values: their bytes are one."""
import os
import sys

import joblib

from values import make_value, print_time

action, kind, amount = sys.argv[1:]


def store(value) -> None:
    if kind == "small values":
        for at, each in enumerate(value):
            joblib.dump(each, f"small/{at}.joblib")
    else:
        joblib.dump(value.read_bytes() if kind == "file" else value, "value.joblib")


def load() -> None:
    if kind == "small values":
        for at in range(int(amount)):
            joblib.load(f"small/{at}.joblib")
    else:
        joblib.load("value.joblib")


if action == "store":
    os.makedirs("small")
    made = make_value(kind, amount)
    print_time(lambda: store(made))
else:
    print_time(load)
