"""Metaflow: a fan-out is a foreach, and a task of it a process. A start, a join and an end belong to the steps."""
from metaflow import FlowSpec, Parameter, step


class FanOutFlow(FlowSpec):
    size = Parameter("size", default=100)

    @step
    def start(self):
        self.before = 0
        self.numbers = list(range(1, self.size - 2))
        self.next(self.item, foreach="numbers")

    @step
    def item(self):
        self.value = self.input + self.before
        self.next(self.join)

    @step
    def join(self, inputs):
        self.last = inputs[-1].value
        self.next(self.end)

    @step
    def end(self):
        print(self.last)


if __name__ == "__main__":
    FanOutFlow()
