/** An archive that cannot be taken for one. */
import { StoreError } from "../../error.ts";

export function brokenArchive(path: string, why: string, cause?: unknown): StoreError {
  return new StoreError("RPS4006", `The archive ${path} cannot be imported: ${why}. Nothing was imported.`, {
    hint: "Export it again, and compare the sizes after it was copied.",
    data: { path },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Written by a later Reprise, in a form that this one does not know. */
export function newerArchive(path: string, version: number, known: number): StoreError {
  return new StoreError(
    "RPS4006",
    `The archive ${path} was written by a newer Reprise: its format is ${version}, this one knows ${known}. Nothing was imported.`,
    { hint: "Update Reprise: npm install reprise@latest", data: { path, version, known } },
  );
}
