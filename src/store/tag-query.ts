/** A tag as it is asked for: by its key, or by key and value. */
export interface TagQuery {
  readonly key: string;
  /** Undefined: any. */
  readonly value: string | undefined;
}

/** Reads `key` or `key=value`; the first `=` ends the key. */
export function parseTagQuery(text: string): TagQuery {
  const at = text.indexOf("=");
  return at === -1 ? { key: text, value: undefined } : { key: text.slice(0, at), value: text.slice(at + 1) };
}
