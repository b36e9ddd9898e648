/** One round of a writer, as it tells it after it was committed: the numbers of what everybody makes, and its own blob. */
export interface Round {
  readonly run: string;
  readonly version: { readonly digest: string; readonly number: number };
  readonly artifacts: readonly { readonly digest: string; readonly number: number }[];
  readonly blob: { readonly digest: string; readonly size: number };
}

export const stepsPerRun = 5;
