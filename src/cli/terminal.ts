/** What the place that we print to can show. */
import process from "node:process";

/** Where text goes. `process.stdout` is one. */
export interface Output {
  write(chunk: string | Uint8Array): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** What a command reads from and writes to. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute. */
  readonly cwd: string;
}

export interface Terminal {
  write(text: string): void;
  /** Infinity when it is no terminal: nothing is cut for a pipe. */
  readonly columns: number;
  readonly color: boolean;
  /** Whether it shows more than ASCII. */
  readonly unicode: boolean;
  /** Whether lines already printed may be rewritten. */
  readonly live: boolean;
}

/** The io of this process. Its streams are opened when they are asked for. */
export function processIo(openStdout: () => Output = () => ignoreClosedPipe(process.stdout)): Io {
  let stdout: Output | undefined;
  return {
    get stdout() {
      return (stdout ??= openStdout());
    },
    get stderr() {
      return ignoreClosedPipe(process.stderr);
    },
    env: process.env,
    cwd: process.cwd(),
  };
}

/** `reprise runs | head -1`: a reader that has enough is no failure. */
export function ignoreClosedPipe(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  if (stream.listenerCount("error") > 0) return stream;
  return stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(process.exitCode ?? 0);
    throw error;
  });
}

/** Looks at an output and the environment. `color: "never"` is what `--no-color` asks for. */
export function openTerminal(output: Output, env: Io["env"], options: { color?: "auto" | "never" } = {}): Terminal {
  const tty = output.isTTY === true;
  const dumb = env["TERM"] === "dumb";
  return {
    write: (text) => void output.write(text),
    columns: tty ? (output.columns ?? 80) : Number.POSITIVE_INFINITY,
    color: options.color !== "never" && wantsColor(tty && !dumb, env),
    unicode: showsUnicode(env),
    live: tty && !dumb && !isSet(env["CI"]),
  };
}

/** FORCE_COLOR wins over NO_COLOR, as in Node itself. */
function wantsColor(tty: boolean, env: Io["env"]): boolean {
  const force = env["FORCE_COLOR"];
  if (force !== undefined) return force !== "0" && force !== "false";
  if (isSet(env["NO_COLOR"])) return false;
  return tty;
}

function showsUnicode(env: Io["env"]): boolean {
  if (process.platform === "win32") {
    return isSet(env["WT_SESSION"]) || isSet(env["TERM_PROGRAM"]) || env["TERM"] === "xterm-256color";
  }
  if (env["TERM"] === "linux") return false;
  const locale = [env["LC_ALL"], env["LC_CTYPE"], env["LANG"]].find(isSet);
  return locale === undefined ? process.platform === "darwin" : /utf-?8/.test(locale.toLowerCase());
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "";
}
