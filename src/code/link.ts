/** From names to nodes: what each reference of a unit stands for. */
import type { Edge, GraphNode, Target, Destination, SourceFile } from "./graph.ts";
import type { Project } from "./project.ts";
import type { RequestRecord } from "./record.ts";

export class Linker {
  readonly #project: Project;
  readonly #nodes = new Map<string, GraphNode>();
  readonly #exports = new Map<string, readonly Target[]>();

  constructor(project: Project) {
    this.#project = project;
  }

  /** What a node refers to, in the order of its text. */
  edges(node: GraphNode): readonly Edge[] {
    node.edges ??= this.#link(node);
    return node.edges;
  }

  /** The nodes of a file's units, in the order of its text. */
  units(file: SourceFile): readonly GraphNode[] {
    if (file.units.size === 0 && file.record.units.length > 0) this.#addUnits(file);
    return [...file.units.values()];
  }

  unit(file: SourceFile, key: string): GraphNode | undefined {
    this.units(file);
    return file.units.get(key);
  }

  destination(file: SourceFile, request: number): Destination {
    return this.#project.destination(file, request);
  }

  /** Takes over an edited file: units keep their nodes where they keep their names. */
  replace(file: SourceFile, names: "same" | "other"): void {
    if (names === "same") {
      for (const unit of file.record.units) {
        const node = file.units.get(unit.key);
        if (node === undefined) continue;
        if (node.unit!.refs.join(" ") !== unit.refs.join(" ")) node.edges = undefined;
        Object.assign(node, { unit, own: unit.digest });
      }
    } else {
      file.units.clear();
      file.byName.clear();
    }
    for (const id of ["", "#*"]) {
      const whole = this.#nodes.get(`${file.name}${id}`);
      if (whole !== undefined) this.#describe(whole);
    }
  }

  /** Forgets every edge that was followed through a file. */
  unlinkConsumers(file: SourceFile): void {
    this.#exports.clear();
    this.unlink(file);
    for (const consumer of file.consumers) this.unlink(consumer);
  }

  unlink(file: SourceFile): void {
    for (const node of file.units.values()) node.edges = undefined;
    for (const id of ["", "#*"]) {
      const node = this.#nodes.get(`${file.name}${id}`);
      if (node !== undefined) node.edges = undefined;
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.#nodes.clear();
    this.#exports.clear();
    for (const file of this.#project.files.values()) {
      file.units.clear();
      file.byName.clear();
      file.consumers.clear();
    }
  }

  packageNode(folder: string): GraphNode {
    const installed = this.#project.packages.read(folder);
    return this.#fixed(installed.name, folder, {
      kind: "package",
      own: `package ${installed.digest}`,
      version: installed.version,
      module: installed.name,
    });
  }

  #addUnits(file: SourceFile): void {
    for (const unit of file.record.units) {
      const id = `${file.name}#${unit.key}`;
      const node: GraphNode = { id, kind: "unit", own: unit.digest, file, unit, edges: undefined };
      file.units.set(unit.key, node);
      for (const [binding, name] of unit.names.entries()) {
        const list = file.byName.get(name);
        if (list === undefined) file.byName.set(name, [{ node, binding }]);
        else list.push({ node, binding });
      }
    }
  }

  #link(node: GraphNode): readonly Edge[] {
    const { file, unit } = node;
    if (file === undefined) return [];
    if (node.kind === "unit" && unit !== undefined) return unit.refs.map((ref) => this.#follow(file, ref));
    if (node.kind === "namespace") {
      this.#describe(node);
      const names = this.#exportedNames(file);
      return names.map((name) => ({ targets: this.#lookUp(file, name) }));
    }
    if (node.kind === "whole" && (file.record.format === "commonjs" || file.record.format === "module")) {
      return this.units(file).map((inner) => ({ targets: [{ node: inner, binding: "0" }] }));
    }
    return [];
  }

  #follow(file: SourceFile, ref: string): Edge {
    if (ref === "@") return { targets: [{ node: this.#whole(file), binding: "*" }] };
    if (ref.startsWith("#")) return this.#followRequest(file, Number(ref.slice(1)));
    const [name = "", ...members] = ref.split(".");
    this.units(file);
    const local = file.byName.get(name);
    if (local !== undefined) {
      return { targets: local.map(({ node, binding }) => ({ node, binding: String(binding) })) };
    }
    const imported = file.record.imports[name];
    if (imported === undefined) return { targets: [this.#missing(file, name)] };
    const request = file.record.requests[imported.request]!;
    const targets = this.#imported(file, imported.request, imported.name, members);
    const { attributes } = request;
    const tagged =
      attributes === undefined ? targets : targets.map((to) => ({ ...to, binding: `${to.binding}|${attributes}` }));
    return request.kind === "require"
      ? { targets: tagged, ...this.#evaluated(file, imported.request) }
      : { targets: tagged };
  }

  #followRequest(file: SourceFile, index: number): Edge {
    const request = file.record.requests[index]!;
    const destination = this.destination(file, index);
    const evaluates = this.#evaluated(file, index);
    switch (destination.kind) {
      case "file":
        destination.file.consumers.add(file);
        return { targets: [this.#namespaceOf(destination.file, request)], ...evaluates };
      case "files":
        return { targets: destination.files.map((inner) => this.#namespaceOf(inner, request)), ...evaluates };
      default:
        return { targets: [this.#outside(file, request, destination, "*")] };
    }
  }

  #evaluated(file: SourceFile, index: number): Pick<Edge, "evaluates"> {
    const destination = this.destination(file, index);
    const files =
      destination.kind === "file" ? [destination.file] : destination.kind === "files" ? destination.files : [];
    return files.length === 0 ? {} : { evaluates: files };
  }

  #namespaceOf(file: SourceFile, request: RequestRecord): Target {
    // A script that is run by its path is there for all that it does.
    const isNamespace = file.record.format === "module" && request.kind !== "asset";
    const node = isNamespace ? this.#namespace(file) : this.#whole(file);
    return { node, binding: request.kind };
  }

  #imported(file: SourceFile, request: number, name: string, members: readonly string[]): readonly Target[] {
    const destination = this.destination(file, request);
    if (destination.kind !== "file") {
      const shown = name === "*" && members.length > 0 ? members[0]! : name;
      return [this.#outside(file, file.record.requests[request]!, destination, shown)];
    }
    return this.#followMembers(this.#inFile(destination.file, name, file), members, file);
  }

  /** A name of another file, as seen from one. */
  #inFile(target: SourceFile, name: string, from: SourceFile): readonly Target[] {
    target.consumers.add(from);
    if (target.record.format !== "module") return [{ node: this.#whole(target), binding: name }];
    return name === "*" ? [{ node: this.#namespace(target), binding: "*" }] : this.#lookUp(target, name, from);
  }

  #followMembers(targets: readonly Target[], members: readonly string[], from: SourceFile): readonly Target[] {
    const [only] = targets;
    const [member, ...rest] = members;
    if (targets.length !== 1 || member === undefined || only === undefined) return targets;
    const { file } = only.node;
    if (file === undefined) return targets;
    if (only.node.kind === "namespace") return this.#followMembers(this.#inFile(file, member, from), rest, from);
    const key = only.node.kind === "whole" ? file.record.keys?.[member] : undefined;
    if (key === undefined || only.binding !== "default") return targets;
    const node = this.#fixed(`${file.name}#${member}`, "", { kind: "key", own: `key ${key}`, file });
    return [{ node, binding: "0" }];
  }

  #outside(file: SourceFile, request: RequestRecord, destination: Destination, name: string): Target {
    switch (destination.kind) {
      case "package":
        return { node: this.packageNode(destination.folder), binding: name };
      case "builtin": {
        const id = `node:${destination.module}`;
        return { node: this.#fixed(id, "", { kind: "builtin", own: id, module: destination.module }), binding: name };
      }
      case "framework":
        return {
          node: this.#fixed("reprise", "", { kind: "framework", own: "reprise", module: "reprise" }),
          binding: name,
        };
      default:
        return this.#missing(file, request.specifier, request.optional === true ? "optional" : "request");
    }
  }

  #missing(file: SourceFile, name: string, binding = "name"): Target {
    const own = `missing ${name}`;
    return { node: this.#fixed(`${file.name}#missing ${name}`, "", { kind: "missing", own, file }), binding };
  }

  #exportedNames(file: SourceFile, seen = new Set<SourceFile>()): string[] {
    if (seen.has(file)) return [];
    seen.add(file);
    const names = new Set(Object.keys(file.record.exports));
    for (const star of file.record.stars) {
      const destination = this.destination(file, star);
      if (destination.kind !== "file") {
        names.add(`*${file.record.requests[star]!.specifier}`);
        continue;
      }
      destination.file.consumers.add(file);
      for (const name of this.#exportedNames(destination.file, seen)) if (name !== "default") names.add(name);
    }
    return [...names].sort();
  }

  /** What an export stands for. Only outermost answers are kept: one that a cycle cut short may lack names. */
  #lookUp(file: SourceFile, name: string, from?: SourceFile): readonly Target[] {
    const key = `${file.name}#${name}`;
    const passed = new Set<SourceFile>();
    let targets = from === undefined ? undefined : this.#exports.get(`${from.name} ${key}`);
    if (targets !== undefined) return targets;
    targets = this.#findExport(file, name, new Set(), passed) ?? [this.#missing(file, name)];
    for (const each of passed) each.consumers.add(from ?? file);
    if (from !== undefined) this.#exports.set(`${from.name} ${key}`, targets);
    return targets;
  }

  #findExport(
    file: SourceFile,
    name: string,
    path: Set<string>,
    passed: Set<SourceFile>,
  ): readonly Target[] | undefined {
    const key = `${file.name}#${name}`;
    if (path.has(key)) return undefined;
    path.add(key);
    passed.add(file);
    if (file.record.format !== "module") return [{ node: this.#whole(file), binding: name }];
    const record = file.record.exports[name];
    if (record !== undefined) return this.#findRecord(file, record, path, passed);
    const candidates: Target[] = [];
    for (const star of file.record.stars) {
      const destination = this.destination(file, star);
      if (destination.kind === "file" && destination.file.record.format === "module") {
        const found = name === "default" ? undefined : this.#findExport(destination.file, name, path, passed);
        if (found !== undefined) return found;
      } else if (destination.kind === "file") candidates.push({ node: this.#whole(destination.file), binding: name });
      else candidates.push(this.#outside(file, file.record.requests[star]!, destination, name));
    }
    return candidates.length > 0 && name !== "default" ? candidates : undefined;
  }

  #findRecord(
    file: SourceFile,
    record: SourceFile["record"]["exports"][string],
    path: Set<string>,
    passed: Set<SourceFile>,
  ): readonly Target[] | undefined {
    if ("local" in record) {
      this.units(file);
      const local = file.byName.get(record.local);
      if (local !== undefined) return local.map(({ node, binding }) => ({ node, binding: String(binding) }));
      const imported = file.record.imports[record.local];
      return imported === undefined ? undefined : this.#findImport(file, imported, path, passed);
    }
    return this.#findImport(file, record, path, passed);
  }

  #findImport(
    file: SourceFile,
    imported: { readonly request: number; readonly name: string },
    path: Set<string>,
    passed: Set<SourceFile>,
  ): readonly Target[] | undefined {
    const destination = this.destination(file, imported.request);
    if (destination.kind !== "file") {
      return [this.#outside(file, file.record.requests[imported.request]!, destination, imported.name)];
    }
    const target = destination.file;
    passed.add(target);
    if (target.record.format !== "module") return [{ node: this.#whole(target), binding: imported.name }];
    if (imported.name === "*") return [{ node: this.#namespace(target), binding: "*" }];
    return this.#findExport(target, imported.name, path, passed);
  }

  #whole(file: SourceFile): GraphNode {
    return this.#fixed(file.name, "", { kind: "whole", own: "", file });
  }

  #namespace(file: SourceFile): GraphNode {
    return this.#fixed(`${file.name}#*`, "", { kind: "namespace", own: "", file });
  }

  #describe(node: GraphNode): void {
    const { file } = node;
    if (file === undefined) return;
    if (node.kind === "namespace") node.own = `namespace ${JSON.stringify(this.#exportedNames(file))}`;
    else if (file.record.format === "commonjs" || file.record.format === "module") {
      node.own = `${file.record.format} ${file.record.units.length}`;
    } else node.own = `${file.record.format} ${file.record.digest}`;
  }

  #fixed(id: string, discriminator: string, fields: Omit<GraphNode, "id" | "edges">): GraphNode {
    const key = discriminator === "" ? id : `${id} ${discriminator}`;
    const known = this.#nodes.get(key);
    if (known !== undefined) {
      if (fields.own !== "") known.own = fields.own;
      return known;
    }
    const node: GraphNode = { id, edges: undefined, ...fields };
    this.#nodes.set(key, node);
    if (node.kind === "whole" || node.kind === "namespace") this.#describe(node);
    return node;
  }
}
