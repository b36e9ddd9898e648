"""joblib: functions whose results are kept on disk."""
from joblib import Memory

import work

memory = Memory("cache", verbose=0)
split = memory.cache(work.split)
train = memory.cache(work.train)
evaluate = memory.cache(work.evaluate)

train_set, test_set = split(42)
model = train(train_set, 0.01)
print("accuracy", evaluate(model, test_set))
