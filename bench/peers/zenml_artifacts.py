"""ZenML: an artifact by name, outside of a step, written by the materializer that ZenML has for its type."""
import sys

from zenml import load_artifact, save_artifact

from values import make_value, print_time

action, kind, amount = sys.argv[1:]
# The first artifact connects to the store, which is not what is timed.
save_artifact(1, "first")
if action == "store":
    value = make_value(kind, amount)
    print_time(lambda: save_artifact(value, "value", include_visualizations=False))
else:
    print_time(lambda: load_artifact("value"))
