/** Traps and holes: no edit goes unseen, and what cannot be seen is said to be opaque. */
import { describeCases } from "./code-case.ts";
import { holeCases } from "./hole-cases.ts";
import { trapCases } from "./trap-cases.ts";

describeCases(
  "traps under Node",
  trapCases.filter(({ loader = "node" }) => loader === "node"),
  { loader: "node" },
);
describeCases(
  "traps under tsx",
  trapCases.filter(({ loader }) => loader === "tsx"),
  { loader: "tsx" },
);
describeCases("holes", holeCases, { loader: "node" });
