/** Ways to change an array when a module is loaded, from plain to roundabout. */

type Printer = (state: string, value: string, id: number) => string;

/** `state` is how the array reads in the module, `value` an expression for a number, `id` good for names of one's own. */
export const effectForms = {
  push: (state, value) => `${state}.push(${value});`,
  block: (state, value) => `for (const local of [1, 2]) {\n  if (local > 0) ${state}.push(local + ${value});\n}`,
  alias: (state, value, id) => `const alias${id} = ${state};\nalias${id}.push(${value});`,
  "let alias": (state, value, id) => `let alias${id};\nalias${id} = ${state};\nalias${id}.push(${value});`,
  destructured: (state, value, id) => `const { list${id} } = { list${id}: ${state} };\nlist${id}.push(${value});`,
  "destructured array": (state, value, id) => `const [list${id}] = [${state}];\nlist${id}.push(${value});`,
  argument: (state, value, id) => `function put${id}(list, n) {\n  list.push(n);\n}\nput${id}(${state}, ${value});`,
  "argument of an arrow": (state, value, id) =>
    `const put${id} = (list, n) => list.push(n);\nconst done${id} = put${id}(${state}, ${value});`,
  returned: (state, value, id) => `function get${id}() {\n  return ${state};\n}\nget${id}().push(${value});`,
  holder: (state, value, id) => `const holder${id} = { list: ${state} };\nholder${id}.list.push(${value});`,
  method: (state, value, id) =>
    `const owner${id} = {\n  add(n) {\n    ${state}.push(n);\n  },\n};\nowner${id}.add(${value});`,
  getter: (state, value, id) =>
    `const owner${id} = {\n  get touched() {\n    return ${state}.push(${value});\n  },\n};\nconst touched${id} = owner${id}.touched;`,
  setter: (state, value, id) =>
    `const owner${id} = {\n  set touched(n) {\n    ${state}.push(n);\n  },\n};\nowner${id}.touched = ${value};`,
  constructed: (state, value, id) =>
    `class Putter${id} {\n  constructor(n) {\n    ${state}.push(n);\n  }\n}\nconst putter${id} = new Putter${id}(${value});`,
  field: (state, value, id) => `class Putter${id} {\n  n = ${state}.push(${value});\n}\nnew Putter${id}();`,
  static: (state, value, id) => `class Putter${id} {\n  static n = ${state}.push(${value});\n}`,
  "static block": (state, value, id) => `class Putter${id} {\n  static {\n    ${state}.push(${value});\n  }\n}`,
  "computed key": (state, value, id) => `const keyed${id} = { [${state}.push(${value})]: 1 };`,
  callback: (state, value) => `[${value}].forEach((n) => ${state}.push(n));`,
  "callback by name": (state, value, id) =>
    `const each${id} = (n) => {\n  ${state}.push(n);\n};\n[${value}].forEach(each${id});`,
  mapped: (state, value, id) => `const mapped${id} = [${value}].map((n) => ${state}.push(n));`,
  "from an iterable": (state, value, id) => `const made${id} = Array.from([${value}], (n) => ${state}.push(n));`,
  sorted: (state, value, id) =>
    `const sorted${id} = [1, ${value}].toSorted((a, b) => {\n  ${state}.push(a);\n  return a - b;\n});`,
  immediate: (state, value) => `(() => {\n  ${state}.push(${value});\n})();`,
  generator: (state, value, id) =>
    `function* numbers${id}() {\n  ${state}.push(${value});\n  yield 1;\n}\nconst spread${id} = [...numbers${id}()];`,
  conversion: (state, value, id) =>
    `const text${id} = \`\${{\n  toString() {\n    ${state}.push(${value});\n    return "";\n  },\n}}\`;`,
  tag: (state, value, id) =>
    `const tag${id} = (parts, n) => ${state}.push(n);\nconst tagged${id} = tag${id}\`\${${value}}\`;`,
  default: (state, value) => `(function (n = ${state}.push(${value})) {\n  return n;\n})();`,
  condition: (state, value, id) => `const yes${id} = ${value} !== -1 && ${state}.push(${value});`,
  choice: (state, value) => `${value} === -1 ? 0 : ${state}.push(${value});`,
  sequence: (state, value, id) => `const last${id} = (${state}.push(${value}), 1);`,
  length: (state, value) => `${state}.length = ${value} & 1;`,
  element: (state, value) => `${state}[0] = ${value};`,
  update: (state, value) => `${state}[0] ??= ${value};`,
  deleted: (state) => `delete ${state}[0];`,
  "assigned by pattern": (state, value) => `[${state}[0]] = [${value}];`,
  "assigned by loop": (state, value) => `for (${state}[0] of [${value}]);`,
  assign: (state, value) => `Object.assign(${state}, [${value}]);`,
  reflect: (state, value) => `Reflect.set(${state}, "0", ${value});`,
  define: (state, value) =>
    `Object.defineProperty(${state}, 0, { value: ${value}, configurable: true, writable: true });`,
  apply: (state, value) => `Array.prototype.push.call(${state}, ${value});`,
  bound: (state, value, id) => `const push${id} = ${state}.push.bind(${state});\npush${id}(${value});`,
  proxy: (state, value, id) => `const proxy${id} = new Proxy(${state}, {});\nproxy${id}.push(${value});`,
  chained: (state, value) => `${state}.concat([]).forEach((n, at) => (${state}[at] = n + ${value}));`,
  itself: (state, value) => `${state}.fill(${value}).reverse().push(1);`,
  optional: (state, value) => `${state}?.push?.(${value});`,
  computed: (state, value) => `${state}["push"](${value});`,
  later: (state, value) => `Promise.resolve(${value}).then((n) => ${state}.push(n));`,
  caught: (state, value) => `try {\n  throw ${value};\n} catch (n) {\n  ${state}.push(n);\n}`,
  switched: (state, value) => `switch (${value}) {\n  default:\n    ${state}.push(${value});\n}`,
  labelled: (state, value) => `once: {\n  ${state}.push(${value});\n  break once;\n}`,
  "nothing at all": (state, value, id) => `const copy${id} = [...${state}, ${value}];`,
  "a copy": (state, value, id) => `const copy${id} = ${state}.slice();\ncopy${id}.push(${value});`,
} as const satisfies Readonly<Record<string, Printer>>;

export type EffectForm = keyof typeof effectForms;
