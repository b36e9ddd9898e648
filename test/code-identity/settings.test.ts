/** Options of a step that say how it is cached are no part of its code; what it computes with is, and so is what it says that it reads. */
import { describeCases, type CodeCase } from "./code-case.ts";

const main = "src/main.ts";

describeCases(
  "the options of a step",
  [
    option("a setting that is written out", "retry: 1", "retry: 2", "same"),
    option("a policy that is written out", 'http: "ignore"', 'http: "revalidate"', "same"),
    option("a policy with a ttl that is written out", 'http: { ttl: "1h" }', 'http: { ttl: "2h" }', "same"),
    option("a policy that comes, where there was none", "", 'http: { ttl: "2h" }', "same"),
    option("a policy with a ttl that is computed", "http: { ttl: hours * 2 }", "http: { ttl: hours * 3 }", "changed"),
    option("declared reads", 'reads: [{ file: "a.csv" }]', 'reads: [{ file: "b.csv" }]', "changed"),
    option(
      "a function that says what is read",
      "reads: () => [{ file: `${hours}.csv` }]",
      "reads: () => [{ file: `${hours}.txt` }]",
      "changed",
    ),
  ],
  { loader: "node" },
);

function option(name: string, from: string, to: string, expected: CodeCase["expected"]): CodeCase {
  const text = (written: string): string =>
    `import { step } from "reprise";\nconst hours = 3;\nexport const work = step({\n  name: "work",\n  ${written === "" ? "" : `${written},`}\n  run: () => 1,\n});\n`;
  return {
    name,
    files: { "package.json": JSON.stringify({ name: "settings", type: "module" }), [main]: text(from) },
    edit: (draft) => draft.remove(main).add(main, text(to)),
    expected,
  };
}
