/** Which artifact is meant. */
import { UsageError } from "../error.ts";
import type { Artifact } from "../record/artifact.ts";
import type { StepRun } from "../record/run.ts";
import type { MetadataStore } from "../store/metadata-store.ts";
import { didYouMean } from "./did-you-mean.ts";

/**
 * Finds an artifact by `trainer.model`, an end of its name that no other has (`model`), or its step (`trainer`) where
 * that has a single output; in its newest version, or as `model@v3` or `model@3`.
 *
 * Throws a UsageError (RPS6002) when there is none, or several.
 */
export async function findArtifact(metadata: MetadataStore, selector: string): Promise<Artifact> {
  const match = /^(?<name>.+)@v?(?<version>\d+)$/u.exec(selector);
  const wanted = match?.groups?.["name"] ?? selector;
  const name = await findArtifactName(metadata, wanted);
  const version = match?.groups?.["version"];
  const versions = await metadata.artifacts({
    name,
    ...(version === undefined ? { latest: true } : { version: Number(version) }),
  });
  const [found] = versions;
  if (found !== undefined) return found;
  const [newest] = await metadata.artifacts({ name, latest: true });
  throw new UsageError("RPS6002", `Artifact "${name}" has no version ${version ?? ""}`, {
    hint: newest === undefined ? "List them: reprise artifacts" : `Its newest version is ${name}@v${newest.version}`,
  });
}

/** The whole name of an artifact, from the end of it; or from its step, where that has a single output. */
export async function findArtifactName(metadata: MetadataStore, wanted: string): Promise<string> {
  const exact = await metadata.artifacts({ name: wanted, latest: true });
  if (exact.length > 0) return wanted;
  const names = [
    ...new Set((await metadata.artifacts({ nameEndsWith: wanted, latest: true })).map(({ name }) => name)),
  ];
  const [only, ...others] = names;
  if (only !== undefined && others.length === 0) return only;
  if (only !== undefined) {
    throw new UsageError("RPS6002", `Several artifacts end in "${wanted}": ${names.sort().join(", ")}`, {
      hint: "Write more of the name",
    });
  }
  const known = (await metadata.artifacts({ latest: true })).map(({ name }) => name);
  const [ofStep, ...more] = known.filter((name) => name.startsWith(`${wanted}.`));
  if (ofStep !== undefined && more.length === 0) return ofStep;
  if (ofStep !== undefined) {
    throw new UsageError("RPS6002", `Step "${wanted}" has several outputs: ${[ofStep, ...more].sort().join(", ")}`, {
      hint: "Name one of them",
    });
  }
  const ends = known.map((name) => name.slice(name.lastIndexOf(".") + 1));
  throw new UsageError("RPS6002", `There is no artifact "${wanted}"`, {
    hint: didYouMean(wanted, [...known, ...ends]) ?? "List them: reprise artifacts",
  });
}

/** The step run of a node, or of the only node of a step, among those of one run. Throws a UsageError (RPS6002). */
export function findStepRun<T extends Pick<StepRun, "node" | "step">>(stepRuns: readonly T[], wanted: string): T {
  const byNode = stepRuns.find((stepRun) => stepRun.node === wanted);
  if (byNode !== undefined) return byNode;
  const byStep = stepRuns.filter((stepRun) => stepRun.step === wanted || stepRun.node.endsWith(`/${wanted}`));
  const [only, ...others] = byStep;
  if (only !== undefined && others.length === 0) return only;
  if (only !== undefined) {
    const nodes = byStep.map((stepRun) => stepRun.node).join(", ");
    throw new UsageError("RPS6002", `Step "${wanted}" has several places in the run: ${nodes}`, {
      hint: "Name one of them",
    });
  }
  const nodes = stepRuns.map((stepRun) => stepRun.node);
  throw new UsageError("RPS6002", `The run has no step "${wanted}"`, {
    hint:
      didYouMean(wanted, nodes) ?? (nodes.length === 0 ? "The run has no steps" : `Its steps are: ${nodes.join(", ")}`),
  });
}
