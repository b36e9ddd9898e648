/** What no analysis can tell: it must at least be seen. */
import type { CodeCase } from "./code-case.ts";
import type { Files } from "./project.ts";
import { main, stepOf, trap } from "./trap-cases.ts";

export const holeCases: readonly CodeCase[] = [
  hole("import of an expression", "(await import(name)).a", 'const name = "./a.ts";'),
  hole("import of a concatenation", '(await import("./" + x + ".ts")).a'),
  hole(
    "require of an expression",
    "require(name).a",
    'import { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);\nconst name = "./a.ts";',
  ),
  hole(
    "require passed on",
    "[`./a.ts`].map(require)",
    'import { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);',
  ),
  hole("eval", 'eval("x + 1")'),
  hole("an indirect eval", '(0, eval)("1")'),
  hole("eval under another name", 'run("1")', "const run = eval;"),
  hole("eval of globalThis", 'globalThis.eval("1")'),
  hole("new Function", 'new Function("return 1")()'),
  hole("Function called", 'Function("return 1")()'),
  hole("a helper of a helper that imports an expression", "helper(x)", 'import { helper } from "./helper.ts";', {
    "src/helper.ts": 'import { load } from "./load.ts";\nexport const helper = (n: number) => load(`./${n}.ts`);\n',
    "src/load.ts": "export const load = (name: string) => import(name);\n",
  }),
  hole("CommonJS that requires an expression", "legacy(x)", 'import legacy from "./legacy.cjs";', {
    "src/legacy.cjs": "module.exports = (name) => require(`./${name}.cjs`);\n",
  }),
  trap(
    "import of an expression elsewhere in the file, not reached",
    { [main]: stepOf("x", "export const load = (name: string) => import(name);") },
    (d) => d.replace(main, "y: x", "y: x + 1"),
    "changed",
  ),
];

/** A step with one expression that cannot be told; the edit is somewhere that it may lead to. */
function hole(name: string, expression: string, head = "", files: Files = {}): CodeCase {
  return trap(
    name,
    { [main]: stepOf(expression, head), "src/a.ts": "export const a = 1;\n", ...files },
    (d) => d.replace("src/a.ts", "a = 1", "a = 2"),
    "opaque",
  );
}
