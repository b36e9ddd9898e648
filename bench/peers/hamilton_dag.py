"""Hamilton: functions whose arguments name the functions that feed them; the driver caches."""
from hamilton.function_modifiers import extract_fields

import work


@extract_fields({"train_set": list, "test_set": list})
def sets(seed: int) -> dict:
    train_set, test_set = work.split(seed)
    return {"train_set": train_set, "test_set": test_set}


def model(train_set: list, shrink: float) -> list:
    return work.train(train_set, shrink)


def accuracy(model: list, test_set: list) -> float:
    return work.evaluate(model, test_set)


if __name__ == "__main__":
    import hamilton_dag
    from hamilton import driver

    dag = driver.Builder().with_modules(hamilton_dag).with_cache(path="cache").build()
    print(dag.execute(["accuracy"], inputs={"seed": 42, "shrink": 0.01}))
