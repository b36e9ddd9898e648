/** The key of a node: what decides whether a stored result is its result. */
import type { CodeIdentity } from "../code/identity.ts";
import type { DeclaredRead } from "../define/declared-read.ts";
import type { Argument, Declaration, StepDefinition } from "../define/plan.ts";
import type { StepIdentityOptions } from "../define/options.ts";
import { hiddenSecret, type SecretMask } from "../define/secret-mask.ts";
import { isSchema } from "../define/validate.ts";
import { assertInternal, DefinitionError } from "../error.ts";
import { digestOwnData, digestValue } from "../hash/canonical.ts";
import { digestBytes, type Digest } from "../hash/digest.ts";
import { showValue } from "../hash/show-value.ts";
import type { KeyArgument, KeyDigest, KeyRecord } from "../record/key.ts";

/** Changes when the way that keys are made changes: every stored result is then out of reach, so it needs a decision record. */
export const keyScheme = 1;

const shownLength = 120;

export interface Key {
  readonly digest: KeyDigest;
  readonly record: KeyRecord;
}

export interface KeyParts {
  readonly step: StepDefinition;
  readonly code: Pick<CodeIdentity, "digest">;
  readonly arguments: Readonly<Record<string, KeyArgument>>;
  /** Its `version` and `cacheKey`. */
  readonly identity: StepIdentityOptions;
  /** What it is declared to read; undefined when nothing is declared. */
  readonly reads: readonly DeclaredRead[] | undefined;
  /** The plain values among the arguments, for `cacheKey`. */
  readonly params: Readonly<Record<string, unknown>>;
  /** Undefined when nothing of the plan is secret. */
  readonly secrets: KeySecrets | undefined;
}

/** The secrets of a plan, as a key sees them. */
export interface KeySecrets {
  readonly mask: SecretMask;
  /** A digest that nobody can make who has not got the store. `name` is for the error of a value that has no canonical form. */
  digest(value: unknown, name: string): Digest;
}

/** Makes a node's key. Throws what a `cacheKey` function throws, and a ValueError when it returns what has no canonical form. */
export function makeKey({ step, code, arguments: args, identity, reads, params, secrets }: KeyParts): Key {
  const shownReads = reads?.map(showRead);
  const read = shownReads?.find((each) => secrets?.mask.holds(each));
  if (read !== undefined) throw secretInReads(step, read.split(" ", 1)[0] as string);
  const record: KeyRecord = {
    scheme: keyScheme,
    step: step.name,
    code: code.digest,
    arguments: args,
    outputs: describeDeclarations(step.outputs),
    version: identity.version,
    cacheKey: identity.cacheKey && toCacheKey(identity.cacheKey(params), secrets),
    ...(shownReads === undefined ? {} : { reads: shownReads }),
    runtime: runtimeOfThisProcess,
  };
  return { digest: digestKey(record), record };
}

/** A plain value as the key sees it. `name` is for the error of a value that has no canonical form. */
export function toValueArgument(value: unknown, name: string): KeyArgument {
  return { kind: "value", digest: digestValue(value, { name }), shown: showValue(value, shownLength) };
}

/** A plain value that is secret, or has a secret in it. */
export function toSecretArgument(
  { value, secret }: Extract<Argument, { kind: "value" }>,
  name: string,
  secrets: KeySecrets | undefined,
): KeyArgument {
  // That there is one counts: a step may do something else without.
  if (secret === "ignore") return { kind: "value", digest: ignoredSecret, shown: `${hiddenSecret}, not compared` };
  assertInternal(secrets, `argument "${name}" is secret in a plan without secrets`);
  return { kind: "value", digest: secrets.digest(value, name), shown: hiddenSecret };
}

/** No value's: canonical bytes begin otherwise. */
const ignoredSecret = digestBytes("a secret that is not compared");

function toCacheKey(value: unknown, secrets: KeySecrets | undefined): KeyArgument {
  if (secrets === undefined || !secrets.mask.holds(value)) return toValueArgument(value, "cacheKey");
  return toSecretArgument({ kind: "value", value, secret: "compare" }, "cacheKey", secrets);
}

function secretInReads(step: StepDefinition, kind: string): DefinitionError {
  return new DefinitionError([
    {
      code: "RPS1012",
      message: `Option "reads" of step "${step.name}" names a ${kind} by a secret, and what is read is kept in clear`,
      hint: "Leave the secret out of the name, or let cacheKey say what the result depends on",
    },
  ]);
}

/** Digest of what counts in a key: all of it but the texts for people. */
export function digestKey(record: KeyRecord): KeyDigest {
  const names = Object.keys(record.arguments).toSorted();
  return digestOwnData([
    "reprise key",
    record.scheme,
    record.step,
    record.code,
    names.map((name) => [name, essence(record.arguments[name] as KeyArgument)]),
    record.outputs,
    record.version ?? null,
    record.cacheKey === undefined ? null : essence(record.cacheKey),
    record.runtime,
    // What most steps do not have leaves their keys as they are.
    ...(record.reads === undefined ? [] : [record.reads]),
  ]);
}

/** `file prices.csv`. Who asks for a URL is no part of what it answers. */
function showRead({ kind, name }: DeclaredRead): string {
  return `${kind} ${kind === "http" ? withoutCredentials(name) : name}`;
}

function withoutCredentials(address: string): string {
  const url = new URL(address);
  url.username = "";
  url.password = "";
  return url.href;
}

type Essence = readonly (string | Essence)[];

function essence(argument: KeyArgument): Essence {
  switch (argument.kind) {
    case "value":
      return ["value", argument.digest];
    case "artifact":
      return ["artifact", argument.digest];
    case "list":
      return ["list", argument.items.map(essence)];
  }
}

/** What a declared materializer adds to the bytes; a schema's code is part of the step's code already. */
export function describeDeclarations(
  outputs: Readonly<Record<string, Declaration>> | undefined,
): Record<string, string> {
  const described: Record<string, string> = {};
  for (const [name, declaration] of Object.entries(outputs ?? {})) {
    described[name] = isSchema(declaration) ? "schema" : `${declaration.name}@${declaration.version}`;
  }
  return described;
}

/** Results may depend on the major version of Node, and on the machine's kind: last bits of `Math`, `Intl`, native add-ons. */
export const runtimeOfThisProcess = `node ${process.versions.node.split(".")[0]} ${process.platform} ${process.arch}`;
