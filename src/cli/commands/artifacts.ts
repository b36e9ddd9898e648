/** `reprise artifacts`. */
import { findArtifactName } from "../../history/find-artifact.ts";
import type { Handler } from "../context.ts";
import { formatAgo, formatBytes } from "../format.ts";
import { printTable } from "../print.ts";

export const artifacts: Handler<"artifacts"> = async (context) => {
  const { args, flags, printer } = context;
  const { metadata } = await context.openStack();
  const [wanted] = args;
  const query = wanted === undefined ? { latest: true } : { name: await findArtifactName(metadata, wanted) };
  const found = await metadata.artifacts({ ...query, limit: flags.limit });
  context.answer(found, () => {
    if (found.length === 0) {
      printer.line("  No artifact yet: reprise run FILE");
      return;
    }
    printTable(printer, found, [
      { title: "artifact", value: (each) => `${each.name}@v${each.version}`, flexible: true },
      { title: "type", value: (each) => each.type },
      { title: "size", value: (each) => formatBytes(each.size), align: "right" },
      { title: "made", value: (each) => formatAgo(each.createdAt, Date.now()) },
      { title: "by", value: (each) => each.producer, flexible: true },
    ]);
  });
};
