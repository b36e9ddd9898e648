/** A frame on the stack of a `step()` call: where Node says that the call was made. */
export interface CallSite {
  /** The script as Node names it: a `file:` URL for an ES module, a path for CommonJS. */
  readonly script: string;
  /** From 1, in the text as Node loaded it. */
  readonly line: number;
  /** From 1, in the text as Node loaded it. */
  readonly column: number;
  readonly functionName: string;
  /** The same frame through the source map of a transforming loader, when there is one. */
  readonly mapped?: { readonly script: string; readonly line: number; readonly column: number };
}
