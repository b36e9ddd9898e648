/** Values on their way into the store and out of it. */
import type { BlobReader, BlobWriter, Description, Materializer, Preview } from "../define/materializer.ts";
import { RepriseError, ValueError } from "../error.ts";
import { digestOwnData } from "../hash/canonical.ts";
import type { Digest } from "../hash/digest.ts";
import type { JsonObject } from "../hash/json.ts";
import type { ArtifactContent } from "../record/artifact.ts";
import { json, writeAcceptedJson } from "./json.ts";
import type { Registry } from "./registry.ts";

/** All that an artifact is by itself: without a name, a version and a producer. */
export interface StoredValue extends ArtifactContent {
  /** Root and parts, in bytes. */
  readonly size: number;
  readonly mediaType: string;
  readonly extension: string;
  readonly preview: Preview | undefined;
  readonly metadata: JsonObject;
}

export interface StoreOptions {
  readonly registry: Registry;
  readonly blobs: BlobWriter;
  /** What the output was declared to be; without it, the value decides. */
  readonly declaration?: Materializer<never> | Materializer;
}

/** Stores a value as it is at the call, whatever happens to it later. Throws a ValueError (RPS2101, RPS2104) with the path of the part that cannot be stored. */
export async function storeValue(value: unknown, options: StoreOptions): Promise<StoredValue> {
  const { registry, blobs, declaration } = options;
  const materializer = (declaration ?? registry.findFor(value)) as Materializer;
  const { name, version, mediaType, extension } = materializer;
  // Both are begun at once, so that both see the value as it is now.
  const [{ root, parts = [] }, { preview, metadata = {} }] = await Promise.all([
    // By the object: one that a user made of it by spreading writes in a way of its own.
    declaration === undefined && materializer === json()
      ? writeAcceptedJson(value, blobs)
      : materializer.write(value, blobs),
    describe(materializer, value),
  ]);
  return {
    digest: digestContent(name, version, root),
    type: name,
    typeVersion: version,
    root,
    parts,
    size: parts.reduce((sum, part) => sum + part.size, root.size),
    mediaType,
    extension,
    preview,
    metadata,
  };
}

/**
 * Makes a value anew from stored bytes; it shares nothing with what another call returned. Throws a ValueError (RPS2103)
 * when the bytes cannot be understood; errors of the store pass through.
 */
export async function loadValue(
  content: ArtifactContent,
  { registry, blobs }: { readonly registry: Registry; readonly blobs: BlobReader },
): Promise<unknown> {
  const { type, typeVersion, root } = content;
  const materializer = registry.findByType(type, typeVersion);
  try {
    return await materializer.read(root, blobs, typeVersion);
  } catch (error) {
    if (error instanceof RepriseError) throw error;
    throw new ValueError("RPS2103", `The stored bytes cannot be read back as ${type}: ${messageOf(error)}`, {
      hint: "Run the step that made it again with --no-cache.",
      data: { type, version: typeVersion, digest: root.digest },
      cause: error,
    });
  }
}

/** The digest of an artifact: of its type, the version of its byte format, and its root blob, which names the parts. */
export function digestContent(type: string, version: number, root: ArtifactContent["root"]): Digest {
  return digestOwnData(["artifact", type, version, root.digest, root.size]);
}

async function describe(materializer: Materializer, value: unknown): Promise<Description> {
  try {
    return (await materializer.describe?.(value)) ?? {};
  } catch (error) {
    // The value is stored: that it cannot be previewed must not fail the step that made it.
    return { metadata: { previewError: messageOf(error).slice(0, 1000) } };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
