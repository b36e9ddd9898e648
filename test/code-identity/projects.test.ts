/** Package managers, workspaces and maps: code is followed to where Node finds it, and packages to what is installed. */
import { describeCases } from "./code-case.ts";
import { managerCases, mapCases, packageCases, workspaceCases } from "./project-cases.ts";

describeCases("packages under each package manager", managerCases, { loader: "node" });
describeCases("packages as they are installed", packageCases, { loader: "node" });
describeCases("packages of a workspace", workspaceCases, { loader: "node" });
describeCases(
  "imports and exports maps",
  mapCases.filter(({ loader }) => loader === "node"),
  { loader: "node" },
);
describeCases(
  "paths of tsconfig",
  mapCases.filter(({ loader }) => loader === "tsx"),
  { loader: "tsx" },
);
