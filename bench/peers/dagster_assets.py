"""Dagster: assets, materialized in one process. A materialization always computes."""
from dagster import AssetIn, AssetOut, DagsterInstance, asset, materialize, multi_asset

import work


@multi_asset(outs={"train_set": AssetOut(), "test_set": AssetOut()})
def sets():
    return work.split(42)


@asset
def model(train_set):
    return work.train(train_set, 0.01)


@asset(ins={"model": AssetIn(), "test_set": AssetIn()})
def accuracy(model, test_set):
    return work.evaluate(model, test_set)


if __name__ == "__main__":
    result = materialize([sets, model, accuracy], instance=DagsterInstance.get())
    print("accuracy", result.output_for_node("accuracy"))
