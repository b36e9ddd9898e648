/** A table of Apache Arrow, as far as Reprise looks at it. The package itself is optional, and so are its types. */
/** What Reprise needs of an Arrow table: that of the `apache-arrow` package fits, of any version. */
export interface ArrowTable {
  readonly numRows: number;
  readonly schema: {
    readonly fields: readonly { readonly name: string; readonly type: { readonly typeId: number } }[];
  };
  getChildAt(index: number): ArrowVector | null;
}

export interface ArrowVector {
  readonly nullCount: number;
  get(index: number): unknown;
  toArray(): unknown;
}
