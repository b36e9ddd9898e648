/** The call expressions of a unit, and what each uses of the code around it. */
import type { CallRecord } from "./record.ts";

/** Where something is bound: the serial number of its scope, and how many functions are around it. */
export interface Origin {
  readonly scope: number;
  readonly depth: number;
}

export class CallStack {
  readonly records: CallRecord[] = [];
  readonly #open: { captures: CallRecord["captures"]; readonly serial: number }[] = [];

  /** Opens a call; all scopes up to the serial number are around it. Answers with what closes it. */
  open(call: Omit<CallRecord, "captures">, serial: number): () => void {
    const slot = this.records.length;
    const opened = { captures: "nothing" as CallRecord["captures"], serial };
    this.records.push({ ...call, captures: "nothing" });
    this.#open.push(opened);
    return () => {
      this.#open.pop();
      this.records[slot] = { ...call, captures: opened.captures };
    };
  }

  /** Marks a use of something local in all open calls that lie inside of where it is bound. */
  use({ scope, depth }: Origin): void {
    for (let at = this.#open.length - 1; at >= 0; at--) {
      const call = this.#open[at]!;
      if (scope > call.serial) break;
      if (depth > 0) call.captures = "function";
      else if (call.captures === "nothing") call.captures = "block";
    }
  }
}
