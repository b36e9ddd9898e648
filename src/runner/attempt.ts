/** One attempt at one step: read its inputs from stored bytes, call its function, store what it returns. */
import type { BlobWriter } from "../define/materializer.ts";
import { singleOutput, type Argument, type OutputName, type StepDefinition } from "../define/plan.ts";
import { DefinitionError, RunError, StoreError, ValueError } from "../error.ts";
import type { Digest } from "../hash/digest.ts";
import { formatPath, type PathStep } from "../hash/value-path.ts";
import { loadValue, storeValue, type StoredValue, type StoreOptions } from "../materializer/stored-value.ts";
import type { ArtifactContent } from "../record/artifact.ts";
import { copyValue } from "../define/copy-value.ts";
import { isSingleValue, validateInputs, validateOutputs } from "../define/run-step-function.ts";
import type { SecretMask } from "../define/secret-mask.ts";
import { withSecrets } from "../define/step-secrets.ts";
import { isPlainRecord } from "../define/to-argument.ts";
import { isSchema } from "../define/validate.ts";
import { captureOutput } from "./log-capture.ts";
import type { Observation } from "../observe/observer.ts";
import { holdsSecret } from "./holds-secret.ts";
import type { PlanPorts } from "./plan-ports.ts";
import type { Recorder } from "./recorder.ts";
import type { OpenContext } from "./step-context.ts";

export interface AttemptParts {
  readonly step: StepDefinition;
  readonly arguments: Readonly<Record<string, Argument>>;
  readonly contentOf: (ref: Reference) => Promise<ArtifactContent>;
  readonly ports: Pick<PlanPorts, "registry" | "content" | "overflow" | "secrets">;
  /** Told what the store refused to take: it is kept for this run alone. */
  readonly onRefusal?: (refusal: StoreError) => void;
  /** Told which outputs have a secret in them, in words. */
  readonly onSecret?: (output: string) => void;
  /** Asked until it answers with undefined, before the step's function is called. */
  readonly makeWay?: Recorder["makeWay"];
  /** Whether blobs that seem to be there already are written anew. */
  readonly heal: boolean;
  /** Where outputs go, instead of the store. */
  readonly target?: BlobWriter;
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

/** Steps that took no longer than this when they were called last. */
const quick = new WeakSet<StepDefinition>();
const quickMs = 1;

/** Makes the attempt. Answers with the stored outputs by name. */
export async function attemptStep(parts: AttemptParts): Promise<ReadonlyMap<OutputName, StoredValue>> {
  const { step, open, observation, signal } = parts;
  const inputs = await readInputs(parts);
  const mask = parts.ports.secrets?.mask;
  const call = step.run as (inputs: unknown, context: unknown) => unknown;
  const isQuick = quick.has(step);
  const after = isQuick ? "quick" : "waited";
  for (let way = parts.makeWay?.(isQuick ? "quick" : "slow"); way !== undefined; way = parts.makeWay?.(after))
    await way;
  const calledAt = performance.now();
  try {
    const returned = await untilAborted(
      captureOutput(
        open.writeLine,
        async () => await observation.run(() => withSecrets(mask, () => call(inputs, open.context))),
      ),
      signal,
    );
    if (performance.now() - calledAt < quickMs) quick.add(step);
    else quick.delete(step);
    const stored = await storeOutputs(parts, returned);
    const changed = await findChangedInput(parts);
    if (changed !== undefined) throw changed;
    return stored;
  } catch (error) {
    throw (await findDamage(parts, error)) ?? error;
  }
}

/** Files are read when the step asks for them: only then does the store say that the bytes of an input are damaged. */
async function findDamage(parts: AttemptParts, error: unknown): Promise<DamagedInput | undefined> {
  if (error instanceof DamagedInput) return error;
  const cause = blobErrorIn(error);
  if (cause === undefined) return undefined;
  for (const [ref, digests] of await blobsOfInputs(parts)) {
    if (digests.some((digest) => digest === cause.data["digest"])) return new DamagedInput(ref, cause);
  }
  return undefined;
}

/**
 * A step that was given a file has the path of the very bytes in the store. If it wrote to them, or somebody else did while it
 * ran, what it read may not be what its key says.
 */
async function findChangedInput(parts: AttemptParts): Promise<DamagedInput | undefined> {
  for (const [ref, digests] of await blobsOfInputs(parts)) {
    const [cause] = await parts.ports.content.findChanged(digests);
    if (cause !== undefined) return new DamagedInput(ref, changedInputError(parts, ref, cause));
  }
  return undefined;
}

function changedInputError({ step, arguments: args }: AttemptParts, ref: Reference, cause: StoreError): StoreError {
  const [name] = Object.entries(args).find(([, argument]) => refsIn(argument).includes(ref)) ?? [ref.output];
  return new StoreError(
    cause.code,
    `The file behind input "${name}" of step "${step.name}" was written to while the step ran`,
    {
      hint: "Write to a copy: await file.copyTo(path) makes one that is the step's own",
      data: cause.data,
      cause,
    },
  );
}

async function blobsOfInputs({
  arguments: args,
  contentOf,
}: AttemptParts): Promise<readonly (readonly [Reference, readonly Digest[]])[]> {
  const found: (readonly [Reference, readonly Digest[]])[] = [];
  for (const ref of Object.values(args).flatMap(refsIn)) {
    const { root, parts } = await contentOf(ref);
    found.push([ref, [root, ...parts].map(({ digest }) => digest)]);
  }
  return found;
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
  return validateInputs(step, inputs, ports.secrets?.mask);
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

async function storeOutputs(parts: AttemptParts, returned: unknown): Promise<Map<OutputName, StoredValue>> {
  const { step, ports, heal, target } = parts;
  // The store itself where it can be: it knows files that are its own, and leaves them where they are.
  const own: BlobWriter = heal ? { put: (source) => ports.content.put(source, { heal }) } : ports.content;
  const blobs = target ?? own;
  const outputs = [...nameOutputs(step, returned, ports.secrets?.mask)];
  // All of them are begun before the first is waited for: what goes on to change a value that it has returned changes
  // nothing of what is stored.
  const stored = await Promise.allSettled(
    outputs.map(async ([name, value]) => {
      const declaration = step.outputs?.[name];
      const options = { registry: ports.registry, blobs };
      const stored = await storeOrKeep(
        value,
        declaration === undefined || isSchema(declaration) ? options : { ...options, declaration },
        parts,
      );
      return await hidePreview(name, stored, parts);
    }),
  );
  return new Map(
    stored.map((result, index) => {
      const [name] = outputs[index] as (typeof outputs)[number];
      if (result.status === "fulfilled") return [name, result.value];
      const error: unknown = result.reason;
      throw error instanceof ValueError ? nameOutputInError(error, step, nameOutput(name)) : error;
    }),
  );
}

/** Bytes are stored as they are: of an output with a secret in it, nothing else is shown. */
async function hidePreview(
  name: OutputName,
  stored: StoredValue,
  { arguments: args, ports, target, onSecret }: AttemptParts,
): Promise<StoredValue> {
  const { secrets, content } = ports;
  if (secrets === undefined || target !== undefined) return stored;
  const { mask } = secrets;
  // Whoever was given none can have it from an output alone, which was told already.
  const isRevealed = Object.values(args).some(isSecret) && (await holdsSecret(stored, content, mask));
  if (isRevealed) onSecret?.(nameOutput(name));
  const preview = isRevealed || mask.holds(stored.preview) ? undefined : stored.preview;
  return { ...stored, preview, metadata: mask.hideIn(stored.metadata) };
}

function isSecret(argument: Argument): boolean {
  if (argument.kind === "list") return argument.items.some(isSecret);
  return argument.kind === "value" && argument.secret !== undefined;
}

function nameOutput(name: OutputName): string {
  return name === singleOutput ? "its result" : `output "${name}"`;
}

/** In the store; what it refuses, for this run alone. The work that made the value is not lost to the steps below. */
async function storeOrKeep(
  value: unknown,
  options: StoreOptions,
  { ports, target, onRefusal }: AttemptParts,
): Promise<StoredValue> {
  try {
    return await storeValue(value, options);
  } catch (error) {
    if (target !== undefined || !(error instanceof StoreError) || error.code !== "RPS4005") throw error;
    const stored = await storeValue(value, { ...options, blobs: ports.overflow.writer });
    onRefusal?.(error);
    return stored;
  }
}

/** Outputs by name: the members of a plain record, else the one value; nothing for undefined. */
function nameOutputs(
  step: StepDefinition,
  returned: unknown,
  mask: SecretMask | undefined,
): ReadonlyMap<OutputName, unknown> {
  const value = validateOutputs(step, returned, mask);
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
