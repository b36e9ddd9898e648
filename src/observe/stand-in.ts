/** Proxies that a step is given instead of objects of Node's, and that pass for them where Node refuses proxies. */
import util from "node:util";
import { replace, type AnyFunction, type Holder } from "./wrap.ts";

/** Asked for by it, a stand-in gives a plain copy of all that it stands for: who takes that has read all of it. */
const plain = Symbol("plain copy");

/** `inspect` looks through a proxy, at the target, and asks it how it is shown. */
const inspectable = new WeakSet<object>();

export function standIn<T extends object>(target: T, handler: ProxyHandler<T>, copy = copyOwn): T {
  showByCopy(Object.getPrototypeOf(target) as object);
  const { get } = handler;
  const stand: T = new Proxy(target, {
    ...handler,
    get(from, name, receiver) {
      if (name === plain) return copy(stand, from);
      return get === undefined
        ? (Reflect.get(from, name, receiver) as unknown)
        : (get(from, name, receiver) as unknown);
    },
  });
  return stand;
}

/** With the values as the stand-in gives them, which is how they are seen to be read. */
function copyOwn(stand: object, target: object): object {
  return Object.assign(Object.create(Object.getPrototypeOf(target) as object) as object, stand);
}

function showByCopy(prototype: object): void {
  if (inspectable.has(prototype)) return;
  inspectable.add(prototype);
  Object.defineProperty(prototype, util.inspect.custom, {
    configurable: true,
    writable: true,
    value(this: object, _depth: number, options: util.InspectOptions, inspect: typeof util.inspect) {
      return inspect(plainOf(this) ?? this, { ...options, customInspect: false });
    },
  });
}

function plainOf(value: object): object | undefined {
  return (value as { readonly [plain]?: object })[plain];
}

/** Lets stand-ins be cloned, which Node does for no proxy. */
export function watchClones(): void {
  replace(globalThis as unknown as Holder, "structuredClone", cloning);
}

/** Lets them be sent to threads. */
export function watchPorts({ MessagePort, Worker, BroadcastChannel }: typeof import("node:worker_threads")): void {
  for (const { prototype } of [MessagePort, Worker, BroadcastChannel]) {
    replace(prototype as unknown as Holder, "postMessage", cloning);
  }
}

function cloning(original: AnyFunction): AnyFunction {
  return function (this: unknown, value, ...rest) {
    try {
      return original.call(this, value, ...rest);
    } catch (error) {
      const copy = withoutStandIns(value);
      if (copy === value) throw error;
      return original.call(this, copy, ...rest);
    }
  };
}

/** The value itself where nothing in it is a stand-in. */
export function withoutStandIns(value: unknown, seen = new Map<unknown, unknown>()): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (seen.has(value)) return seen.get(value);
  const copy = plainOf(value);
  if (copy !== undefined) return copy;
  const isList = Array.isArray(value);
  const prototype = Object.getPrototypeOf(value) as unknown;
  if (!isList && prototype !== Object.prototype && prototype !== null) return value;
  seen.set(value, value);
  let changed: Record<string, unknown> | undefined;
  for (const [name, inside] of Object.entries(value)) {
    const replaced = withoutStandIns(inside, seen);
    if (replaced === inside) continue;
    changed ??= (isList ? [...value] : { ...value }) as Record<string, unknown>;
    changed[name] = replaced;
  }
  if (changed !== undefined) seen.set(value, changed);
  return changed ?? value;
}
