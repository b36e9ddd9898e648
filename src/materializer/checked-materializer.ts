import type { BlobWriter, Materializer, Written } from "../define/materializer.ts";

/** A materializer that looks through the whole of a value to tell whether it accepts it. */
export interface CheckedMaterializer<T = unknown> extends Materializer<T> {
  /** As `write`, of a value that was accepted a moment ago and is as it was then: it is not looked through again. */
  writeAccepted(value: T, blobs: BlobWriter): Promise<Written>;
}

export function isChecked(materializer: Materializer): materializer is CheckedMaterializer {
  return "writeAccepted" in materializer;
}
