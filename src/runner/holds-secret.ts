/** Whether what was stored has the text of a secret in it. */
import type { BlobReader } from "../define/materializer.ts";
import type { SecretMask } from "../define/secret-mask.ts";
import type { ArtifactContent } from "../record/artifact.ts";

export async function holdsSecret(
  { root, parts }: ArtifactContent,
  blobs: Pick<BlobReader, "stream">,
  mask: SecretMask,
): Promise<boolean> {
  for (const { digest } of [root, ...parts]) {
    // A secret may stand across two chunks.
    let tail = Buffer.alloc(0);
    for await (const chunk of blobs.stream(digest)) {
      const bytes = Buffer.concat([tail, chunk]);
      if (mask.holdsBytes(bytes)) return true;
      tail = bytes.subarray(Math.max(0, bytes.length - mask.longest));
    }
  }
  return false;
}
