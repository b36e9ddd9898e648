/** What looking back needs; a stack provides it. */
import type { CachePorts } from "../cache/look-up.ts";
import type { Registry } from "../materializer/registry.ts";
import type { BlobStore } from "../store/blob-store.ts";
import type { ContentStore } from "../store/content-store.ts";
import type { MetadataStore } from "../store/metadata-store.ts";

export interface HistoryPorts extends Pick<CachePorts, "checkTraces"> {
  /** The project's folder, absolute. */
  readonly root: string;
  readonly metadata: MetadataStore;
  readonly blobs: BlobStore;
  readonly content: ContentStore;
  readonly registry: Registry;
}
