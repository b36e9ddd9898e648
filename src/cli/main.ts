/** The command line: parses, finds the command, and turns whatever happens into output and an exit code. */
import process from "node:process";
import { resolve } from "node:path";
import { RepriseError, UsageError } from "../error.ts";
import { commands, type CommandName } from "./command-table.ts";
import type { Context, Handler } from "./context.ts";
import { printError, toErrorJson } from "./error-view.ts";
import { parseCommandLine, type CommandLine } from "./parse.ts";
import { createPrinter } from "./print.ts";
import { openStandardOutput } from "./standard-output.ts";
import { openTerminal, processIo, type Io } from "./terminal.ts";

/** Runs the command that the words name. Answers with the exit code; never throws for what users do wrong. */
export async function main(argv: readonly string[], io: Io = processIo(openStandardOutput)): Promise<number> {
  // Looked up before parsing, so that a line which cannot be parsed is refused in the form that was asked for.
  const asked = { json: argv.includes("--json"), color: argv.includes("--no-color") ? "never" : "auto" } as const;
  try {
    const line = parseCommandLine(argv);
    return await dispatch(line, io);
  } catch (error) {
    const verbose = argv.includes("--verbose") || argv.includes("-v");
    if (asked.json) {
      io.stdout.write(`${JSON.stringify({ ok: false, error: toErrorJson(error, io.cwd) })}\n`);
    } else {
      const printer = createPrinter(openTerminal(io.stderr, io.env, asked));
      printError(printer, error, { root: io.cwd, verbose });
    }
    return toExitCode(error);
  } finally {
    leaveSoon();
  }
}

async function dispatch(line: CommandLine, io: Io): Promise<number> {
  const { command, family, globals } = line;
  const color = globals["no-color"] ? "never" : "auto";
  const printer = createPrinter(openTerminal(io.stdout, io.env, { color }));
  if (globals.version) {
    const { repriseVersion } = await import("../stack/version.ts");
    if (globals.json) io.stdout.write(`${JSON.stringify({ ok: true, data: { version: repriseVersion } })}\n`);
    else printer.line(repriseVersion);
    return 0;
  }
  if (
    globals.help &&
    family === undefined &&
    (command === undefined || line.parsed.args.length === 0 || !takesParams(command))
  ) {
    const help = await import("./help.ts");
    if (command === undefined) help.printOverview(printer);
    else help.printCommandHelp(printer, command);
    return 0;
  }
  if (family !== undefined) {
    const { printFamilyHelp } = await import("./help.ts");
    printFamilyHelp(printer, family);
    return 0;
  }
  const cwd = resolve(io.cwd, globals.cwd ?? ".");
  if (globals.cwd !== undefined && !(await isFolder(cwd))) {
    throw new UsageError("RPS6001", `--cwd names no folder: ${globals.cwd}`, { hint: "Name a folder that exists" });
  }
  if (command === undefined && !(await isProject(cwd))) {
    const { printOverview } = await import("./help.ts");
    printOverview(printer);
    return 0;
  }
  await using opened = openContext(line, io, cwd);
  if (globals.help) {
    const { printParamHelp } = await import("./param-help.ts");
    await printParamHelp(opened.context, command as CommandName);
    return 0;
  }
  const handler = await loadHandler(command ?? "status");
  const code = await handler(opened.context);
  return opened.context.signal.aborted ? 130 : (code ?? 0);
}

/** A pool or timer that the user's modules left open must not keep a finished command alive. */
function leaveSoon(): void {
  // With nothing left to do, Node would take apart what the end of the process frees at once: that takes milliseconds.
  process.once("beforeExit", () => {
    if (process.listenerCount("beforeExit") === 0) process.exit();
  });
  const leave = (): void => {
    if (process.stdout.writableLength === 0) process.exit();
    else setTimeout(leave, leaveAfterMs).unref();
  };
  setTimeout(leave, leaveAfterMs).unref();
}

const leaveAfterMs = 300;

function takesParams(command: CommandName): boolean {
  return "takesParams" in commands[command];
}

/** A context whose stack and signal handler end with it. */
function openContext(line: CommandLine, io: Io, cwd: string): AsyncDisposable & { readonly context: Context } {
  const { globals, parsed } = line;
  const color = globals["no-color"] ? "never" : "auto";
  const stackOptions = {
    cwd,
    ...(globals.config === undefined ? {} : { config: globals.config }),
    ...(globals.store === undefined ? {} : { store: globals.store }),
    ...(globals.stack === undefined ? {} : { stack: globals.stack }),
  };
  const abort = new AbortController();
  const onInterrupt = (): void => {
    if (abort.signal.aborted) process.exit(130);
    abort.abort(new UsageError("RPS3002", "Cancelled by Ctrl-C"));
  };
  process.on("SIGINT", onInterrupt);
  let stack: ReturnType<Context["openStack"]> | undefined;
  const openStack = async (): ReturnType<Context["openStack"]> => {
    const room = await import("../stack/stack.ts");
    const opened = await room.openStack({ ...stackOptions, purpose: makesStore(line) ? "run" : "look" });
    if (!opened.hasStore && looksBack(line)) context.notes.line(`  ${describeMissingStore(opened.storePath)}`);
    return opened;
  };
  const context: Context = {
    io,
    printer: createPrinter(openTerminal(io.stdout, io.env, { color })),
    get notes() {
      return createPrinter(openTerminal(io.stderr, io.env, { color }));
    },
    cwd,
    globals,
    args: parsed.args,
    // The table decides which flags there are: parsing has filled in exactly those.
    flags: parsed.flags as unknown as Context["flags"],
    extra: parsed.extra,
    signal: abort.signal,
    stackOptions,
    openStack: () => (stack ??= openStack()),
    answer(data, print) {
      if (globals.json) io.stdout.write(`${JSON.stringify({ ok: true, data })}\n`);
      else print();
    },
  };
  return {
    context,
    async [Symbol.asyncDispose]() {
      process.off("SIGINT", onInterrupt);
      const opened = await stack?.catch(() => undefined);
      await opened?.[Symbol.asyncDispose]();
    },
  };
}

/** Whether the command makes a store where there is none. All others look, and leave a folder as they found it. */
function makesStore({ command, parsed, globals }: CommandLine): boolean {
  if (globals.help || ("dry-run" in parsed.flags && parsed.flags["dry-run"])) return false;
  return command === "run" || command === "cache import";
}

/** Whether what the command is asked for could only be in a store. */
function looksBack({ command }: CommandLine): boolean {
  return command !== undefined && command !== "pipelines" && ["look", "keep"].includes(commands[command].group);
}

function describeMissingStore(path: string): string {
  return `There is no store at ${path} yet. Run a pipeline: reprise run FILE; or name a store: --store PATH`;
}

async function isFolder(path: string): Promise<boolean> {
  const { stat } = await import("node:fs/promises");
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Whether `reprise` alone has something to tell here: a store, a configuration, or a file of pipelines. */
async function isProject(cwd: string): Promise<boolean> {
  const { readdir } = await import("node:fs/promises");
  const names = await readdir(cwd).catch(() => []);
  return names.some((name) => name === ".reprise" || /^reprise\.config\.m?[jt]s$|\.pipeline\.[cm]?[jt]s$/u.test(name));
}

/** Each command is a file of its own, loaded when it is asked for. */
async function loadHandler(name: CommandName): Promise<Handler<CommandName>> {
  const load = handlers[name] as () => Promise<unknown>;
  return (await load()) as Handler<CommandName>;
}

const handlers: { readonly [Name in CommandName]: () => Promise<Handler<Name>> } = {
  run: async () => (await import("./commands/run.ts")).run,
  plan: async () => (await import("./commands/plan.ts")).plan,
  status: async () => (await import("./commands/status.ts")).status,
  verify: async () => (await import("./commands/verify.ts")).verify,
  why: async () => (await import("./commands/why.ts")).why,
  runs: async () => (await import("./commands/runs.ts")).runs,
  show: async () => (await import("./commands/show.ts")).show,
  logs: async () => (await import("./commands/logs.ts")).logs,
  diff: async () => (await import("./commands/diff.ts")).diff,
  pipelines: async () => (await import("./commands/pipelines.ts")).pipelines,
  versions: async () => (await import("./commands/versions.ts")).versions,
  artifacts: async () => (await import("./commands/artifacts.ts")).artifacts,
  get: async () => (await import("./commands/get.ts")).get,
  lineage: async () => (await import("./commands/lineage.ts")).lineage,
  graph: async () => (await import("./commands/graph.ts")).graph,
  tag: async () => (await import("./commands/tag.ts")).tag,
  invalidate: async () => (await import("./commands/invalidate.ts")).invalidate,
  gc: async () => (await import("./commands/gc.ts")).gc,
  rm: async () => (await import("./commands/rm.ts")).rm,
  "cache ls": async () => (await import("./commands/cache/ls.ts")).ls,
  "cache stats": async () => (await import("./commands/cache/stats.ts")).stats,
  "cache why": async () => (await import("./commands/cache/why.ts")).why,
  "cache rm": async () => (await import("./commands/cache/rm.ts")).rm,
  "cache pin": async () => (await import("./commands/cache/pin.ts")).pin,
  "cache unpin": async () => (await import("./commands/cache/pin.ts")).unpin,
  "cache gc": async () => (await import("./commands/gc.ts")).gc,
  "cache export": async () => (await import("./commands/cache/export.ts")).exportResults,
  "cache import": async () => (await import("./commands/cache/import.ts")).importResults,
  stack: async () => (await import("./commands/stack.ts")).stack,
  init: async () => (await import("./commands/init.ts")).init,
  doctor: async () => (await import("./commands/doctor.ts")).doctor,
  completion: async () => (await import("./commands/completion.ts")).completion,
  help: async () => (await import("./commands/help.ts")).help,
};

function toExitCode(error: unknown): number {
  if (!(error instanceof RepriseError)) return 1;
  if (error.code === "RPS3002") return 130;
  return error instanceof UsageError || error.code === "RPS2002" ? 2 : 1;
}
