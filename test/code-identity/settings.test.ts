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
    option("its own version, which is in its key", 'version: "1"', 'version: "2"', "same"),
    calling("the version of a step that it calls", 'version: "1"', 'version: "2"', "changed"),
    calling("a version that comes, of a step that it calls", "", 'version: "2"', "changed"),
    calling("how a step that it calls is cached", 'cache: "off"', "cache: true", "same"),
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

/** A step that calls another one's function: the option is the other one's. */
function calling(name: string, from: string, to: string, expected: CodeCase["expected"]): CodeCase {
  const own = `import { step } from "reprise";\nimport { other } from "./other.ts";\nexport const work = step({\n  name: "work",\n  run: () => other.run(),\n});\n`;
  const text = (written: string): string =>
    `import { step } from "reprise";\nexport const other = step({\n  name: "other",\n  ${written === "" ? "" : `${written},`}\n  run: () => 1,\n});\n`;
  return {
    name,
    files: {
      "package.json": JSON.stringify({ name: "settings", type: "module" }),
      [main]: own,
      "src/other.ts": text(from),
    },
    edit: (draft) => draft.remove("src/other.ts").add("src/other.ts", text(to)),
    expected,
  };
}

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
