/** What looking back needs; a stack provides it. */
import type { BlobReader } from "../define/materializer.ts";
import type { Registry } from "../materializer/registry.ts";
import type { MetadataStore } from "../store/metadata-store.ts";

export interface HistoryPorts {
  readonly metadata: MetadataStore;
  readonly content: BlobReader;
  readonly registry: Registry;
}
