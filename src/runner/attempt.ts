/** One attempt at one step: read its inputs from stored bytes, call its function, store what it returns. */
import type { BlobWriter } from "../define/materializer.ts";
import { singleOutput, type Argument, type OutputName, type StepDefinition } from "../define/plan.ts";
import { DefinitionError, RunError, StoreError, ValueError } from "../error.ts";
import { formatPath, type PathStep } from "../hash/value-path.ts";
import { loadValue, storeValue, type StoredValue } from "../materializer/stored-value.ts";
import type { ArtifactContent } from "../record/artifact.ts";
import { copyValue } from "../define/copy-value.ts";
import { isSingleValue, validateInputs, validateOutputs } from "../define/run-step-function.ts";
import { isPlainRecord } from "../define/to-argument.ts";
import { isSchema } from "../define/validate.ts";
import { captureOutput } from "./log-capture.ts";
import type { Observation } from "../observe/observer.ts";
import type { RunnerPorts } from "./ports.ts";
import type { OpenContext } from "./step-context.ts";

export interface AttemptParts {
  readonly step: StepDefinition;
  readonly arguments: Readonly<Record<string, Argument>>;
  readonly contentOf: (ref: Reference) => Promise<ArtifactContent>;
  readonly ports: Pick<RunnerPorts, "registry" | "content">;
  /** Whether blobs that seem to be there already are written anew. */
  readonly heal: boolean;
  readonly open: OpenContext;
  readonly observation: Observation;
  /** Aborted when the run is cancelled or the attempt has timed out. */
  readonly signal: AbortSignal;
}

/** Stored bytes of an input turned out to be gone or altered: not the step's fault, and its producer can mend it. */
export class DamagedInput extends Error {
  readonly ref: Reference;

  constructor(ref: Reference, cause: StoreError) {
    super(`the stored output "${ref.output}" of "${ref.node}" is damaged`, { cause });
    this.ref = ref;
  }
}

/** How long a step that was told to stop may take before it is given up. */
const graceMs = 2000;

/** Makes the attempt. Answers with the stored outputs by name. */
export async function attemptStep(parts: AttemptParts): Promise<ReadonlyMap<OutputName, StoredValue>> {
  const { step, open, observation, signal } = parts;
  const inputs = await readInputs(parts);
  const call = step.run as (inputs: unknown, context: unknown) => unknown;
  try {
    const returned = await untilAborted(
      captureOutput(open.writeLine, async () => await observation.run(() => call(inputs, open.context))),
      signal,
    );
    return await storeOutputs(parts, returned);
  } catch (error) {
    throw (await findDamage(parts, error)) ?? error;
  }
}

/** Files are read when the step asks for them: only then does the store say that the bytes of an input are damaged. */
async function findDamage(
  { arguments: args, contentOf }: AttemptParts,
  error: unknown,
): Promise<DamagedInput | undefined> {
  const cause = blobErrorIn(error);
  if (cause === undefined) return undefined;
  for (const ref of Object.values(args).flatMap(refsIn)) {
    const { root, parts } = await contentOf(ref);
    if ([root, ...parts].some(({ digest }) => digest === cause.data["digest"])) return new DamagedInput(ref, cause);
  }
  return undefined;
}

function blobErrorIn(error: unknown): StoreError | undefined {
  const seen = new Set<unknown>();
  for (let each = error; each instanceof Error && !seen.has(each); each = each.cause) {
    if (each instanceof StoreError && (each.code === "RPS4003" || each.code === "RPS4004")) return each;
    seen.add(each);
  }
  return undefined;
}

type Reference = Extract<Argument, { kind: "ref" }>;

function refsIn(argument: Argument): readonly Reference[] {
  if (argument.kind === "ref") return [argument];
  return argument.kind === "list" ? argument.items.flatMap(refsIn) : [];
}

async function readInputs({
  step,
  arguments: args,
  contentOf,
  ports,
}: AttemptParts): Promise<Readonly<Record<string, unknown>>> {
  const read = async (argument: Argument): Promise<unknown> => {
    switch (argument.kind) {
      case "value":
        // Its own for each call: a step that changes its argument changes nothing else.
        return copyValue(argument.value);
      case "list":
        return await Promise.all(argument.items.map(read));
      case "ref":
        try {
          return await loadValue(await contentOf(argument), { registry: ports.registry, blobs: ports.content });
        } catch (error) {
          if (error instanceof StoreError) throw new DamagedInput(argument, error);
          throw error;
        }
    }
  };
  const inputs: Record<string, unknown> = {};
  for (const [name, argument] of Object.entries(args)) inputs[name] = await read(argument);
  return validateInputs(step, inputs);
}

/** Waits for the step, and after an abort a little longer: one that does not listen to its signal is given up. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: givenUp, reject } = Promise.withResolvers<never>();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    const isTimeout = signal.reason instanceof RunError && signal.reason.code === "RPS3003";
    timer = setTimeout(() => reject(signal.reason), isTimeout ? 0 : graceMs);
  };
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, givenUp]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

async function storeOutputs(
  { step, ports, heal }: AttemptParts,
  returned: unknown,
): Promise<Map<OutputName, StoredValue>> {
  const stored = new Map<OutputName, StoredValue>();
  // The store itself where it can be: it knows files that are its own, and leaves them where they are.
  const blobs: BlobWriter = heal ? { put: (source) => ports.content.put(source, { heal }) } : ports.content;
  for (const [name, value] of nameOutputs(step, returned)) {
    const declaration = step.outputs?.[name];
    try {
      const options = { registry: ports.registry, blobs };
      stored.set(
        name,
        await storeValue(
          value,
          declaration === undefined || isSchema(declaration) ? options : { ...options, declaration },
        ),
      );
    } catch (error) {
      const what = name === singleOutput ? "its result" : `output "${name}"`;
      throw error instanceof ValueError ? nameOutputInError(error, step, what) : error;
    }
  }
  return stored;
}

/** Outputs by name: the members of a plain record, else the one value; nothing for undefined. */
function nameOutputs(step: StepDefinition, returned: unknown): ReadonlyMap<OutputName, unknown> {
  const value = validateOutputs(step, returned);
  if (value === undefined) return new Map();
  // By what was returned: a schema may leave of a record what looks like another one.
  if (isPlainRecord(value) && !isSingleValue(step, returned)) return new Map(Object.entries(value));
  return new Map([[singleOutput, value]]);
}

/** The error of a value that cannot be stored, told from the step's side: which output, and which part of it. */
function nameOutputInError(error: ValueError, step: StepDefinition, what: string): ValueError {
  const { what: found, steps } = error.data as { what?: string; steps?: readonly PathStep[] };
  const part = steps === undefined || steps.length === 0 ? what : `${what} at ${formatPath("", steps)}`;
  const message = found === undefined ? `${what}: ${error.message}` : `${part} is ${found}`;
  return new ValueError("RPS2104", `Step "${step.name}" returned a value that cannot be stored: ${message}`, {
    hint:
      error.hint ??
      "Store plain data and rebuild the object in the next step, or declare the output with a materializer",
    data: { ...error.data, step: step.name },
    cause: error,
  });
}

/** The error for a reference to an output that the step did not return. */
export function missingOutputError(step: string, output: OutputName, returned: readonly OutputName[]): DefinitionError {
  const found =
    returned.length === 0
      ? "it returned nothing"
      : returned.length === 1 && returned[0] === singleOutput
        ? "it returned a single value that is no record"
        : `it returned ${quote(returned)}`;
  const wanted = output === singleOutput ? "used as one value" : `asked for its output "${output}"`;
  return new DefinitionError([
    {
      code: "RPS1011",
      message: `Step "${step}" is ${wanted}, but ${found}`,
      hint: "Return a record that has this name, or take one of the names it has",
    },
  ]);
}

function quote(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ");
}
