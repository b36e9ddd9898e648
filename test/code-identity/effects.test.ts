/** A step sees what was done to what it reads while modules were loaded, however it was done. */
import { describeCases, type CodeCase } from "./code-case.ts";
import { effectForms } from "./fuzz-effects.ts";
import type { Files } from "./project.ts";

const manifest = JSON.stringify({ name: "effects", type: "module" });
const reprise = 'import { step } from "reprise";\n';
/** Those that change nothing: a step may stay the same or not. */
const harmless: ReadonlySet<string> = new Set(["nothing at all", "a copy"]);

/** Where the array is, by how it is reached. */
const places = {
  log: { binding: "log", declared: "export const log = [];\n" },
  "state.log": { binding: "state", declared: "export const state = { log: [] };\n" },
  "Box.log": { binding: "Box", declared: "export class Box {\n  static log = [];\n}\n" },
  "logOf()": { binding: "logOf", declared: "const log = [];\nexport function logOf() {\n  return log;\n}\n" },
  'logs.get("log")': { binding: "logs", declared: 'export const logs = new Map([["log", []]]);\n' },
} as const;

type Place = keyof typeof places;

describeCases("an effect in the file of the step", casesOf("log", inOneFile), { loader: "node" });
for (const place of Object.keys(places) as Place[]) {
  describeCases(`an effect on ${place} in a module that is imported for it`, casesOf(place, inAnotherFile), {
    loader: "node",
  });
}

function casesOf(place: Place, filesWith: (place: Place, effect: string) => Files): readonly CodeCase[] {
  return Object.entries(effectForms).flatMap(([name, print]): CodeCase[] => {
    if (harmless.has(name)) return [];
    const files = filesWith(place, print(place, "11", 1));
    const become = (effect: string): CodeCase["edit"] => {
      const edited = filesWith(place, effect);
      return (draft) => {
        for (const [path, entry] of Object.entries(edited)) draft.remove(path).add(path, entry);
      };
    };
    const removed: CodeCase = {
      name: `${name}, removed`,
      files,
      edit: become(""),
      expected: "changed",
      mayAssume: true,
    };
    if (place !== "log" || print(place, "11", 1) === print(place, "12", 1)) return [removed];
    return [removed, { ...removed, name: `${name}, of another value`, edit: become(print(place, "12", 1)) }];
  });
}

function stepReading(place: Place): string {
  return `export const work = step({ name: "work", run: () => ({ y: [...${place}] }) });\n`;
}

function inOneFile(place: Place, effect: string): Files {
  return {
    "package.json": manifest,
    "src/main.ts": `${reprise}${places[place].declared}${effect}\n${stepReading(place)}`,
  };
}

function inAnotherFile(place: Place, effect: string): Files {
  const { binding, declared } = places[place];
  return {
    "package.json": manifest,
    "src/log.ts": declared,
    "src/effect.ts": `import { ${binding} } from "./log.ts";\n${effect}\n`,
    "src/main.ts": `${reprise}import { ${binding} } from "./log.ts";\nimport "./effect.ts";\n${stepReading(place)}`,
  };
}
