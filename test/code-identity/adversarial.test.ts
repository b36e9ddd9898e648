/** Constructs that are easily misread: no edit that changes what a step computes goes unseen. */
import { adversarialCases } from "./adversarial-cases.ts";
import { describeCases } from "./code-case.ts";

const underNode = adversarialCases.filter(({ loader = "node" }) => loader === "node");

describeCases("adversarial edits in .ts files", underNode, { loader: "node" });
for (const extension of ["mts", "js", "mjs"] as const) {
  const cases = underNode.filter(({ also = [] }) => also.includes(extension));
  describeCases(`adversarial edits in .${extension} files`, cases, { loader: "node", extension });
}
describeCases("adversarial edits under tsx", adversarialCases, { loader: "tsx" });
