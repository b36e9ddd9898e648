/** A runner's ports in memory: real stores, and code identities that a test sets by hand. */
import type { CodeIdentity, CodeUnit } from "../../src/code/identity.ts";
import type { StepDefinition } from "../../src/define/plan.ts";
import { digestValue } from "../../src/hash/canonical.ts";
import { createRegistry } from "../../src/materializer/registry.ts";
import { openObserver } from "../../src/observe/open-observer.ts";
import type { RunnerPorts } from "../../src/runner/ports.ts";
import type { BlobStore } from "../../src/store/blob-store.ts";
import { openContentStore } from "../../src/store/content-store.ts";
import { openMemoryBlobStore } from "../../src/store/memory-blob-store.ts";
import { openMemoryMetadataStore } from "../../src/store/memory-metadata-store.ts";
import { openOverflow } from "../../src/store/overflow.ts";

export interface MemoryPorts extends RunnerPorts {
  readonly blobs: BlobStore;
  /** What each step's code is, by the step's name; "1" where nothing is set. */
  readonly codeOf: Map<string, Partial<CodeIdentity> & { readonly text?: string }>;
}

export function makePorts(): MemoryPorts {
  const codeOf: MemoryPorts["codeOf"] = new Map();
  const blobs = openMemoryBlobStore();
  const overflow = openOverflow(blobs);
  return {
    name: "default",
    root: "/project",
    metadata: openMemoryMetadataStore(),
    blobs,
    content: openContentStore(overflow.blobs),
    overflow,
    registry: createRegistry(),
    code: { identify: async (steps) => new Map(steps.map((step) => [step, identify(step, codeOf.get(step.name))])) },
    openObserver: (files) =>
      openObserver({ root: "/project", storePath: "/project/.reprise", salt: () => "pepper", files }),
    secretKey: () => "cellar",
    jobs: 2,
    leaseMs: 60_000,
    defaults: {},
    version: "0.0.0",
    codeOf,
  };
}

function identify(
  step: StepDefinition,
  given: (Partial<CodeIdentity> & { readonly text?: string }) | undefined,
): CodeIdentity {
  const text = given?.text ?? "1";
  const unit: CodeUnit = {
    id: `steps.ts#${step.name}`,
    kind: "declaration",
    digest: digestValue(text),
    lines: [1, 1],
    text,
  };
  return {
    digest: digestValue([step.name, text]),
    verdict: "proved",
    notes: [],
    place: { file: "steps.ts", line: 1 },
    own: [unit.id],
    memos: [],
    findEdited: () => undefined,
    units: async () => [unit],
    packages: async () => new Set<string>(),
    ...given,
  };
}
