/** Options of a step that are no part of its code. */
import type { AstNode } from "./ast.ts";
import { asNode, asNodes, unwrap } from "./ast.ts";

/**
 * How a step is to be cached and tried again is no part of what it computes. Its `version` has a place of its own in its key,
 * and none in those of steps that call it: it is told apart.
 */
const settings = new Set(["cache", "expires", "http", "retry", "timeout", "version"]);

/** What defines a step, without settings whose value is written out; a setting that is computed stays, with what it reaches. */
export function withoutSettings(source: AstNode): AstNode {
  const object = unwrap(source);
  if (object.type !== "ObjectExpression") return source;
  const properties = asNodes(object.properties).filter((property) => {
    if (property.type !== "Property" || property.computed === true) return true;
    const key = asNode(property.key);
    const name = key.type === "Identifier" ? key.name : key.value;
    return !settings.has(name as string) || !isWrittenOut(asNode(property.value));
  });
  return { ...object, properties } as AstNode;
}

/** Words for the version of a step where it is written out; none where there is none. */
export function writtenVersion(source: AstNode): string {
  const object = unwrap(source);
  if (object.type !== "ObjectExpression") return "";
  for (const property of asNodes(object.properties)) {
    if (property.type !== "Property" || property.computed === true) continue;
    const key = asNode(property.key);
    const value = unwrap(asNode(property.value));
    if ((key.type === "Identifier" ? key.name : key.value) === "version" && value.type === "Literal") {
      return `Version(${JSON.stringify(value.value)})`;
    }
  }
  return "";
}

/** Where the version of a step stands in the text of a unit. */
export type VersionPlace = readonly [from: number, to: number];

/** The text of a unit without the versions of steps in it; undefined where there are none. */
export function withoutVersions(text: string, versions: readonly VersionPlace[]): string | undefined {
  if (versions.length === 0) return undefined;
  return versions.reduceRight((rest, [from, to]) => rest.slice(0, from) + rest.slice(to), text);
}

/** A literal, or an object of these: `{ ttl: "1h" }`. */
function isWrittenOut(value: AstNode): boolean {
  const plain = unwrap(value);
  if (plain.type !== "ObjectExpression") return plain.type === "Literal";
  return asNodes(plain.properties).every(
    (property) => property.type === "Property" && property.computed !== true && isWrittenOut(asNode(property.value)),
  );
}
