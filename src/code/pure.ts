/** What is known to have no effect on the program's state, by name. */

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/u).filter((word) => word !== ""));

/** Functions of the language that only compute. */
export const pureFunctions = words(`
  Array BigInt Boolean Number Object String Symbol atob btoa decodeURI decodeURIComponent encodeURI encodeURIComponent
  isFinite isNaN parseFloat parseInt structuredClone Error TypeError RangeError SyntaxError RegExp`);

export const pureConstructors = words(`
  AbortController Array ArrayBuffer BigInt64Array BigUint64Array Blob Boolean DataView Date Error AggregateError
  EvalError EventTarget FinalizationRegistry Float16Array Float32Array Float64Array Headers Int16Array Int32Array
  Int8Array Map Number Object Promise RangeError ReferenceError RegExp Set SharedArrayBuffer String SyntaxError
  TextDecoder TextEncoder TypeError URIError URL URLSearchParams Uint16Array Uint32Array Uint8Array
  Uint8ClampedArray WeakMap WeakRef WeakSet`);

/** Objects of the language whose methods only compute; the exceptions stand in {@link mutatingStatics}. */
export const pureNamespaces = words(`
  Array ArrayBuffer BigInt Buffer Date Error Intl Iterator JSON Map Math Number Object Promise Reflect RegExp String
  Symbol URL Uint8Array Float32Array Float64Array Int32Array Uint32Array`);

/** Methods of {@link pureNamespaces} that change their first argument: harmless when that is new. */
export const mutatingStatics = words(`
  Object.assign Object.defineProperties Object.defineProperty Object.freeze Object.seal Object.preventExtensions
  Object.setPrototypeOf Reflect.defineProperty Reflect.deleteProperty Reflect.set Reflect.setPrototypeOf
  Reflect.apply Reflect.construct Error.captureStackTrace`);

/** Packages whose top-level calls build values and do nothing else. */
export const purePackages = words(`zod valibot arktype @sinclair/typebox typebox effect @effect/schema`);

/** Names of Node's modules whose functions only compute; `*` for all of them. */
const pureBuiltins: Readonly<Record<string, ReadonlySet<string> | "*">> = {
  path: "*",
  "path/posix": "*",
  "path/win32": "*",
  url: "*",
  util: words(`promisify inspect format types styleText stripVTControlCharacters isDeepStrictEqual parseArgs TextEncoder
    TextDecoder toUSVString getCallSites`),
  querystring: "*",
  string_decoder: "*",
  buffer: "*",
  assert: "*",
  "assert/strict": "*",
  crypto: words(`createHash createHmac hash getHashes getCiphers`),
  module: words(`createRequire builtinModules isBuiltin`),
  async_hooks: words(`AsyncLocalStorage`),
  events: words(`EventEmitter default`),
  os: words(
    `cpus platform arch type release tmpdir homedir hostname availableParallelism totalmem freemem EOL constants`,
  ),
  fs: words(`readFileSync existsSync readdirSync statSync lstatSync realpathSync accessSync readlinkSync promises`),
  "fs/promises": words(`readFile readdir stat lstat access realpath readlink`),
};

/** Node's modules that answer with what is outside the code. */
const worldBuiltins = words(
  `child_process crypto dgram dns dns/promises fs fs/promises http http2 https net os perf_hooks readline
  readline/promises sqlite tls`,
);
const knownCrypto = words(`createHash createHmac hash getHashes getCiphers`);

/** Whether calling this export of a Node module changes nothing in the program. */
export function isPureBuiltin(module: string, name: string): boolean {
  const known = pureBuiltins[module];
  return known === "*" || (known?.has(name) ?? false);
}

/** Whether calling this export of a Node module answers with something outside the code. */
export function readsWorld(module: string, name: string): boolean {
  if (module === "crypto") return !knownCrypto.has(name);
  if (module === "util") return name === "parseArgs";
  return worldBuiltins.has(module);
}

export function isPurePackage(name: string): boolean {
  return purePackages.has(name);
}

/** Names that every Node process has, and those of a CommonJS module. */
const knownGlobals = words(`
  AbortController AbortSignal AggregateError Array ArrayBuffer AsyncDisposableStack Atomics BigInt BigInt64Array
  BigUint64Array Blob Boolean BroadcastChannel Buffer ByteLengthQueuingStrategy CloseEvent CompressionStream
  CountQueuingStrategy Crypto CryptoKey CustomEvent DOMException DataView Date DecompressionStream DisposableStack Error
  ErrorEvent EvalError Event EventSource EventTarget File FinalizationRegistry Float16Array Float32Array Float64Array
  FormData Function Headers Infinity Int16Array Int32Array Int8Array Intl Iterator JSON Map Math MessageChannel
  MessageEvent MessagePort NaN Navigator Number Object Performance PerformanceEntry PerformanceMark PerformanceMeasure
  PerformanceObserver PerformanceObserverEntryList PerformanceResourceTiming Promise Proxy RangeError
  ReadableByteStreamController ReadableStream ReadableStreamBYOBReader ReadableStreamBYOBRequest
  ReadableStreamDefaultController ReadableStreamDefaultReader ReferenceError Reflect RegExp Request Response Set
  SharedArrayBuffer Storage String SubtleCrypto SuppressedError Symbol SyntaxError Temporal TextDecoder
  TextDecoderStream TextEncoder TextEncoderStream TransformStream TransformStreamDefaultController TypeError URIError
  URL URLPattern URLSearchParams Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet
  WebAssembly WebSocket WritableStream WritableStreamDefaultController WritableStreamDefaultWriter arguments atob btoa
  clearImmediate clearInterval clearTimeout console crypto decodeURI decodeURIComponent encodeURI encodeURIComponent
  escape eval exports fetch global globalThis isFinite isNaN localStorage module navigator parseFloat parseInt
  performance process queueMicrotask require sessionStorage setImmediate setInterval setTimeout structuredClone
  undefined unescape __dirname __filename constructor prototype hasOwnProperty toString gc`);

export function isKnownGlobal(name: string): boolean {
  return knownGlobals.has(name);
}

/** Whether a name is one of the global object's own. */
export function isGlobalObject(name: string): boolean {
  return name === "globalThis" || name === "global" || name === "window" || name === "self";
}
