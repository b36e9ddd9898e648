"""Metaflow: a class of steps. There is no cache between runs; `resume` takes the finished steps of an earlier run."""
from metaflow import FlowSpec, Parameter, step

import work


class ThreeFlow(FlowSpec):
    seed = Parameter("seed", default=42)
    shrink = Parameter("shrink", default=0.01)

    @step
    def start(self):
        self.train_set, self.test_set = work.split(self.seed)
        self.next(self.train)

    @step
    def train(self):
        self.model = work.train(self.train_set, self.shrink)
        self.next(self.end)

    @step
    def end(self):
        self.accuracy = work.evaluate(self.model, self.test_set)
        print("accuracy", self.accuracy)


if __name__ == "__main__":
    ThreeFlow()
