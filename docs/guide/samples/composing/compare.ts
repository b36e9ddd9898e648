import { pipeline, step, type Ref } from "reprise";

interface Score {
  rate: number;
  error: number;
}

const load = step({ name: "load", run: () => ({ points: [1, 3, 5, 7, 9] }) });

const train = step({
  name: "train",
  run: ({ points, rate }: { points: number[]; rate: number }) => {
    let slope = 0;
    for (const [x, y] of points.entries()) slope += rate * x * (y - 1 - slope * x);
    return { slope };
  },
});

const score = step({
  name: "score",
  run: ({ slope, rate }: { slope: number; rate: number }, { metric }): { score: Score } => {
    const error = Math.abs(2 - slope);
    metric("error", error);
    return { score: { rate, error } };
  },
});

/** From points to the score of one model. */
export const trainAndScore = pipeline({
  name: "train_and_score",
  build({ points, rate }: { points: Ref<number[]>; rate: number }) {
    const { slope } = train({ points, rate });
    return score({ slope, rate });
  },
});

const choose = step({
  name: "choose",
  run: ({ scores }: { scores: Score[] }) => ({ best: scores.toSorted((a, b) => a.error - b.error)[0] }),
});

export const compare = pipeline({
  name: "compare",
  build() {
    const { points } = load();
    const scored = [0.02, 0.05, 0.1].map((rate, at) => trainAndScore({ points, rate }, { name: `model_${at + 1}` }));
    return choose({ scores: scored.map(({ score }) => score) });
  },
});
