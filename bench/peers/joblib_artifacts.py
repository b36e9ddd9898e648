"""joblib: a value in a file of its own. It knows no files as values: their bytes are one."""
import sys

import joblib

from values import make_value, print_time


def store(value) -> None:
    joblib.dump(value.read_bytes() if kind == "file" else value, "value.joblib")


action, kind, amount = sys.argv[1:]
if action == "store":
    value = make_value(kind, amount)
    print_time(lambda: store(value))
else:
    print_time(lambda: joblib.load("value.joblib"))
