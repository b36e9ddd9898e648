/** A step sees what was done to what it reads while modules were loaded, however it was done. */
import { describeCases, type CodeCase } from "./code-case.ts";
import { effectForms } from "./fuzz-effects.ts";
import type { Files } from "./project.ts";

const manifest = JSON.stringify({ name: "effects", type: "module" });
const state = "export const log = [];\n";
const step = 'export const work = step({ name: "work", run: () => ({ y: [...log] }) });\n';
const reprise = 'import { step } from "reprise";\n';
/** Those that change nothing: a step may stay the same or not. */
const harmless: readonly string[] = ["nothing at all", "a copy"];

describeCases("an effect in the file of the step", casesOf(inOneFile), { loader: "node" });
describeCases("an effect in a module that is imported for it", casesOf(inAnotherFile), { loader: "node" });

function casesOf(place: (effect: string) => Files): readonly CodeCase[] {
  return Object.entries(effectForms).flatMap(([name, print]): CodeCase[] => {
    if (harmless.includes(name)) return [];
    const files = place(print("log", "11", 1));
    const become = (effect: string): CodeCase["edit"] => {
      const edited = place(effect);
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
    if (print("log", "11", 1) === print("log", "12", 1)) return [removed];
    return [removed, { ...removed, name: `${name}, of another value`, edit: become(print("log", "12", 1)) }];
  });
}

function inOneFile(effect: string): Files {
  return { "package.json": manifest, "src/main.ts": `${reprise}${state}${effect}\n${step}` };
}

function inAnotherFile(effect: string): Files {
  return {
    "package.json": manifest,
    "src/log.ts": state,
    "src/effect.ts": `import { log } from "./log.ts";\n${effect}\n`,
    "src/main.ts": `${reprise}import { log } from "./log.ts";\nimport "./effect.ts";\n${step}`,
  };
}
