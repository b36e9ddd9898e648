/** Shapes of projects: package managers, workspaces, and the maps by which specifiers find files. */
import type { CodeCase } from "./code-case.ts";
import {
  basePackages,
  install,
  packageFiles,
  type Installed,
  type InstalledPackage,
  type Manager,
} from "./installed-packages.ts";
import { Draft, type Edit, type Files } from "./project.ts";

const main = "src/main.ts";
const usesLeft =
  'import { step } from "reprise";\nimport { left } from "left";\nexport const work = step({ name: "work", run: ({ x }: { x: number }) => ({ y: left(x) }) });\n';

function stepOf(expression: string, head = ""): string {
  return `import { step } from "reprise";\n${head}\nexport const work = step({ name: "work", run: async ({ x }: { x: number }) => ({ y: ${expression} }) });\n`;
}

/** Replaces the files of one installation by those of another. */
function reinstall(manager: Manager, was: Installed, is: Installed): Edit {
  return (draft) => swap(draft, install(manager, was), install(manager, is));
}

function swap(draft: Draft, was: Files, is: Files): void {
  for (const path of Object.keys(was)) draft.remove(path);
  for (const [path, entry] of Object.entries(is)) draft.add(path, entry);
}

function withPackage(name: string, change: Partial<InstalledPackage>): Installed {
  const known = basePackages[name];
  if (known === undefined) throw new Error(`there is no package ${name}`);
  return { ...basePackages, [name]: { ...known, ...change } };
}

export const managerCases: readonly CodeCase[] = (["npm", "pnpm", "yarn 1", "yarn 4"] as const).flatMap(
  (manager): CodeCase[] => {
    const files = { ...install(manager, basePackages), [main]: usesLeft };
    const upgraded = (name: string): Edit => reinstall(manager, basePackages, withPackage(name, { version: "1.1.0" }));
    return [
      { name: `${manager}: a package upgraded`, files, edit: upgraded("left"), expected: "changed" },
      { name: `${manager}: a package of a package upgraded`, files, edit: upgraded("right"), expected: "changed" },
      {
        name: `${manager}: a package upgraded that the step does not use`,
        files,
        edit: upgraded("spare"),
        expected: "same",
      },
      {
        name: `${manager}: a package patched`,
        files,
        edit: reinstall(
          manager,
          basePackages,
          withPackage("left", { patch: "-1\n+2\n", text: "export const left = (x) => x + 2;\n" }),
        ),
        expected: "changed",
      },
      {
        name: `${manager}: a package of a package patched`,
        files,
        edit: reinstall(
          manager,
          basePackages,
          withPackage("right", { patch: "-1\n+2\n", text: "export const right = (x) => x * 3;\n" }),
        ),
        expected: "changed",
      },
      {
        name: `${manager}: a package patched that the step does not use`,
        files,
        edit: reinstall(
          manager,
          basePackages,
          withPackage("spare", { patch: "-1\n+2\n", text: "export const spare = (x) => x - 2;\n" }),
        ),
        expected: "same",
      },
      {
        name: `${manager}: the same packages in another order of the lock file`,
        files,
        edit: reinstall(manager, basePackages, Object.fromEntries(Object.entries(basePackages).toReversed())),
        expected: "same",
      },
      {
        name: `${manager}: a package added that nothing uses`,
        files,
        edit: reinstall(manager, basePackages, {
          ...basePackages,
          extra: { version: "1.0.0", text: "export const extra = 1;\n" },
        }),
        expected: "same",
      },
    ];
  },
);

const withoutLock: Files = {
  "package.json": JSON.stringify({ name: "shapes", type: "module" }),
  ...Object.assign(
    {},
    ...Object.entries(basePackages).map(([name, each]) => packageFiles(`node_modules/${name}`, name, each)),
  ),
  [main]: usesLeft,
};

const nested: Files = {
  ...withoutLock,
  ...packageFiles("node_modules/left/node_modules/right", "right", {
    version: "2.0.0",
    text: "export const right = (x) => x * 4;\n",
  }),
};

function bumped(path: string, from = "1.0.0", to = "1.2.0"): Edit {
  return (draft) => draft.replace(`${path}/package.json`, `"version":"${from}"`, `"version":"${to}"`);
}

export const packageCases: readonly CodeCase[] = [
  {
    name: "a package upgraded where there is no lock file",
    files: withoutLock,
    edit: bumped("node_modules/left"),
    expected: "changed",
  },
  {
    name: "a package of a package upgraded where there is no lock file",
    files: withoutLock,
    edit: bumped("node_modules/right"),
    expected: "changed",
  },
  {
    name: "a nested package upgraded",
    files: nested,
    edit: bumped("node_modules/left/node_modules/right", "2.0.0"),
    expected: "changed",
  },
  {
    name: "a package upgraded that a nested one hides",
    files: nested,
    edit: bumped("node_modules/right"),
    expected: "same",
  },
  {
    name: "a package that is installed in another version than the lock file says",
    files: { ...install("npm", basePackages), [main]: usesLeft },
    edit: bumped("node_modules/left"),
    expected: "changed",
  },
  {
    name: "types alone imported from a package, and it upgraded",
    files: { ...withoutLock, [main]: stepOf("x as Left", 'import type { Left } from "left";') },
    edit: bumped("node_modules/left"),
    expected: "same",
  },
  {
    name: "a package imported for its effects alone, and it upgraded",
    files: { ...withoutLock, [main]: stepOf("x", 'import "left";') },
    edit: bumped("node_modules/left"),
    expected: "changed",
  },
  {
    name: "a file of a package by its subpath, and it upgraded",
    files: { ...withoutLock, [main]: stepOf("left(x)", 'import { left } from "left/sub";') },
    edit: bumped("node_modules/left"),
    expected: "changed",
  },
  {
    name: "a package imported dynamically, and it upgraded",
    files: { ...withoutLock, [main]: stepOf('(await import("left")).left(x)') },
    edit: bumped("node_modules/left"),
    expected: "changed",
  },
  {
    name: "a package required, and it upgraded",
    files: {
      ...withoutLock,
      "src/legacy.cjs": 'const { left } = require("left");\nmodule.exports = left;\n',
      [main]: stepOf("legacy(x)", 'import legacy from "./legacy.cjs";'),
    },
    edit: bumped("node_modules/left"),
    expected: "changed",
  },
  {
    name: "a package used by a helper of a helper, and it upgraded",
    files: {
      ...withoutLock,
      "src/deep.ts": 'import { left } from "left";\nexport const deep = (x: number) => left(x);\n',
      "src/helper.ts": 'export * from "./deep.ts";\n',
      [main]: stepOf("deep(x)", 'import { deep } from "./helper.ts";'),
    },
    edit: bumped("node_modules/right"),
    expected: "changed",
  },
  {
    name: "a package with a peer, and the peer upgraded",
    files: {
      ...withoutLock,
      "node_modules/plugin/package.json":
        '{"name":"plugin","version":"1.0.0","type":"module","exports":"./index.js","peerDependencies":{"spare":"^1.0.0"}}',
      "node_modules/plugin/index.js": 'import { spare } from "spare";\nexport const plugin = spare;\n',
      [main]: stepOf("plugin(x)", 'import { plugin } from "plugin";'),
    },
    edit: bumped("node_modules/spare"),
    expected: "changed",
  },
  {
    name: "packages that need each other, and one upgraded",
    files: {
      ...withoutLock,
      ...packageFiles("node_modules/ping", "ping", {
        version: "1.0.0",
        text: 'import "pong";\nexport const ping = 1;\n',
        dependencies: ["pong"],
      }),
      ...packageFiles("node_modules/pong", "pong", {
        version: "1.0.0",
        text: 'import "ping";\nexport const pong = 1;\n',
        dependencies: ["ping"],
      }),
      [main]: stepOf("ping", 'import { ping } from "ping";'),
    },
    edit: bumped("node_modules/pong"),
    expected: "changed",
  },
  {
    name: "an optional package that is installed at last",
    files: { ...withoutLock, [main]: stepOf('import("maybe").catch(() => 0)') },
    edit: (draft) => {
      for (const [path, text] of Object.entries(
        packageFiles("node_modules/maybe", "maybe", { version: "1.0.0", text: "export const maybe = 1;\n" }),
      ))
        draft.add(path, text);
    },
    expected: "changed or opaque",
  },
  {
    name: "a linked folder outside of the project, edited",
    files: {
      "app/package.json": JSON.stringify({ name: "app", type: "module" }),
      "app/src/main.ts": stepOf("linked(x)", 'import { linked } from "linked";'),
      "app/node_modules/linked": { link: "linked" },
      ...packageFiles("linked", "linked", {
        version: "1.0.0",
        text: "export const linked = (x) => x + 1;\nexport const unused = 1;\n",
      }),
    },
    entry: "app/src/main.ts",
    root: "app",
    edit: (draft) => draft.replace("linked/index.js", "x + 1", "x + 2"),
    expected: "changed",
  },
];

const workspace: Files = {
  "package.json": JSON.stringify({ name: "monorepo", private: true, workspaces: ["packages/*"] }),
  "package-lock.json": JSON.stringify({
    name: "monorepo",
    lockfileVersion: 3,
    packages: {
      "": { name: "monorepo", workspaces: ["packages/*"] },
      "node_modules/@acme/lib": { resolved: "packages/lib", link: true },
      "packages/lib": { name: "@acme/lib", version: "1.0.0" },
      "packages/app": { name: "@acme/app", version: "1.0.0" },
    },
  }),
  "packages/lib/package.json": JSON.stringify({
    name: "@acme/lib",
    version: "1.0.0",
    type: "module",
    exports: { ".": "./src/index.ts", "./extra": "./src/extra.ts" },
  }),
  "packages/lib/src/index.ts": 'export { used } from "./used.ts";\nexport const unused = 1;\n',
  "packages/lib/src/used.ts":
    "// of use\nexport function used(x: number) {\n  return x + 1;\n}\n\nexport function unusedToo(x: number) {\n  return x;\n}\n",
  "packages/lib/src/extra.ts": "export function used(x: number) {\n  return x + 10;\n}\n",
  "packages/app/package.json": JSON.stringify({
    name: "@acme/app",
    version: "1.0.0",
    type: "module",
    dependencies: { "@acme/lib": "*" },
  }),
  "packages/app/src/main.ts": stepOf("used(x)", 'import { used } from "@acme/lib";'),
};

const workspaceShapes: Readonly<Record<string, Files>> = {
  npm: {
    ...workspace,
    "node_modules/@acme/lib": { link: "packages/lib" },
    "node_modules/@acme/app": { link: "packages/app" },
  },
  pnpm: {
    ...without(workspace, "package-lock.json"),
    "pnpm-workspace.yaml": "packages:\n  - packages/*\n",
    "pnpm-lock.yaml":
      "lockfileVersion: '9.0'\n\nimporters:\n\n  .: {}\n\n  packages/app:\n    dependencies:\n      '@acme/lib':\n        specifier: workspace:*\n        version: link:../lib\n\n  packages/lib: {}\n",
    "packages/app/node_modules/@acme/lib": { link: "packages/lib" },
  },
};

export const workspaceCases: readonly CodeCase[] = Object.entries(workspaceShapes).flatMap(([manager, files]) =>
  [".", "packages/app"].flatMap((root): CodeCase[] => {
    const named = (name: string, edit: Edit, expected: CodeCase["expected"]): CodeCase => ({
      name: `${manager} workspace seen from ${root}: ${name}`,
      files,
      edit,
      expected,
      entry: "packages/app/src/main.ts",
      root,
    });
    return [
      named(
        "what the step uses of another package",
        (d) => d.replace("packages/lib/src/used.ts", "x + 1", "x + 2"),
        "changed",
      ),
      named(
        "what the step does not use of another package",
        (d) =>
          d
            .replace("packages/lib/src/index.ts", "unused = 1", "unused = 2")
            .replace("packages/lib/src/used.ts", "return x;", "return -x;"),
        "same",
      ),
      named(
        "a comment in another package",
        (d) => d.replace("packages/lib/src/used.ts", "// of use\n", "// of much use\n"),
        "same",
      ),
      named(
        "another package's exports point elsewhere",
        (d) => d.replace("packages/lib/package.json", '".":"./src/index.ts"', '".":"./src/extra.ts"'),
        "changed",
      ),
      named("the step itself", (d) => d.replace("packages/app/src/main.ts", "used(x)", "used(x + 1)"), "changed"),
    ];
  }),
);

const mapped: Files = {
  "package.json": `{
  "name": "shapes",
  "type": "module",
  "imports": {
    "#env": { "browser": "./src/env-browser.ts", "node": "./src/env-node.ts", "default": "./src/env-other.ts" },
    "#lib/*": "./src/lib/*.ts",
    "#dual": { "require": "./src/dual.cjs", "import": "./src/dual.mts" }
  },
  "exports": { "./self": "./src/self.ts" }
}`,
  "src/env-node.ts": "export const env = 1;\n",
  "src/env-browser.ts": "export const env = 2;\n",
  "src/env-other.ts": "export const env = 3;\n",
  "src/lib/tool.ts": "export const tool = 4;\n",
  "src/self.ts": "export const self = 5;\n",
  "src/dual.mts": "export const dual = 6;\n",
  "src/dual.cjs": "exports.dual = 7;\n",
  "src/legacy.cjs": 'module.exports = require("#dual").dual;\n',
  [main]: stepOf(
    "[env, tool, self, dual, legacy]",
    'import { env } from "#env";\nimport { tool } from "#lib/tool";\nimport { self } from "shapes/self";\nimport { dual } from "#dual";\nimport legacy from "./legacy.cjs";',
  ),
};

const configured: Files = {
  "package.json": JSON.stringify({ name: "shapes", type: "module" }),
  "tsconfig.json": '{ "extends": "./tsconfig.base.json", "compilerOptions": { "strict": true } }',
  "tsconfig.base.json":
    '{\n  /* one for all */\n  "compilerOptions": { "paths": { "~/*": ["./src/lib/*", "./src/other/*"], "exact": ["./src/exact.ts"] } }\n}',
  "src/lib/tool.ts": "export const tool = 1;\n",
  "src/other/second.ts": "export const second = 2;\n",
  "src/exact.ts": "export const exact = 3;\n",
  "src/written.ts": "export const written = 4;\n",
  "src/folder/index.ts": "export const folder = 5;\n",
  [main]: stepOf(
    "[tool, second, exact, written, folder]",
    'import { tool } from "~/tool";\nimport { second } from "~/second";\nimport { exact } from "exact";\nimport { written } from "./written.js";\nimport { folder } from "./folder";',
  ),
};

function shaped(
  name: string,
  files: Files,
  edit: Edit,
  expected: CodeCase["expected"],
  loader: "node" | "tsx" = "node",
): CodeCase {
  return { name, files, edit, expected, loader };
}

export const mapCases: readonly CodeCase[] = [
  shaped("the file of the condition that holds", mapped, (d) => d.replace("src/env-node.ts", "1", "11"), "changed"),
  shaped(
    "the file of a condition that does not hold",
    mapped,
    (d) => d.replace("src/env-browser.ts", "2", "22").replace("src/env-other.ts", "3", "33"),
    "same",
  ),
  shaped(
    "a condition taken out of the map",
    mapped,
    (d) => d.replace("package.json", '"node": "./src/env-node.ts", ', ""),
    "changed",
  ),
  shaped("the file of a pattern", mapped, (d) => d.replace("src/lib/tool.ts", "4", "44"), "changed"),
  shaped(
    "a pattern that points elsewhere",
    mapped,
    (d) =>
      d
        .replace("package.json", "./src/lib/*.ts", "./src/lib2/*.ts")
        .add("src/lib2/tool.ts", "export const tool = 44;\n"),
    "changed",
  ),
  shaped("the project's own export", mapped, (d) => d.replace("src/self.ts", "5", "55"), "changed"),
  shaped("what an import finds behind two conditions", mapped, (d) => d.replace("src/dual.mts", "6", "66"), "changed"),
  shaped("what a require finds behind two conditions", mapped, (d) => d.replace("src/dual.cjs", "7", "77"), "changed"),
  shaped(
    "a field of package.json that no code sees",
    mapped,
    (d) => d.replace("package.json", '"name": "shapes",', '"name": "shapes",\n  "description": "Shapes",'),
    "same",
  ),
  ...(
    [
      ["a file by tsconfig paths", "src/lib/tool.ts", "1", "11"],
      ["a file by the second of two paths", "src/other/second.ts", "2", "22"],
      ["a file by an exact path", "src/exact.ts", "3", "33"],
      ["a .ts file imported as .js", "src/written.ts", "4", "44"],
      ["the index of a folder", "src/folder/index.ts", "5", "55"],
    ] as const
  ).map(([name, path, from, to]) => shaped(name, configured, (d) => d.replace(path, from, to), "changed", "tsx")),
  shaped(
    "a file that the first of two paths finds now",
    configured,
    (d) => d.add("src/lib/second.ts", "export const second = 22;\n"),
    "changed",
    "tsx",
  ),
  shaped(
    "paths of an extended tsconfig that point elsewhere",
    configured,
    (d) =>
      d
        .replace("tsconfig.base.json", "./src/exact.ts", "./src/exact2.ts")
        .add("src/exact2.ts", "export const exact = 33;\n"),
    "changed",
    "tsx",
  ),
  shaped(
    "paths taken over by the extending tsconfig",
    configured,
    (d) =>
      d
        .replace(
          "tsconfig.json",
          '"strict": true',
          '"strict": true, "paths": { "~/*": ["./src/lib/*", "./src/other/*"], "exact": ["./src/exact2.ts"] }',
        )
        .add("src/exact2.ts", "export const exact = 33;\n"),
    "changed",
    "tsx",
  ),
  shaped(
    "an option of tsconfig that no code sees",
    configured,
    (d) => d.replace("tsconfig.json", '"strict": true', '"strict": false, "noUnusedLocals": true'),
    "same",
    "tsx",
  ),
  shaped(
    "a file beside a folder with an index",
    configured,
    (d) => d.add("src/folder.ts", "export const folder = 55;\n"),
    "changed",
    "tsx",
  ),
];

function without(files: Files, path: string): Files {
  return Object.fromEntries(Object.entries(files).filter(([each]) => each !== path));
}
