/** Who executes a key at this moment. */
import type { StepRunId } from "../record/id.ts";
import type { KeyDigest } from "../record/key.ts";
import type { Lease, LeaseHolder, LeaseToken } from "../record/lease.ts";
import type { AskedLease, LeaseAnswer, LeaseName } from "../store/metadata-store.ts";
import { selectAmong } from "./select.ts";
import { change, execute, type Query, type Row } from "./statement.ts";

/** Grants a lease that nobody holds, or whose holder is as the one who asks saw it last, while nothing new stands under its key. */
export function* acquireLease({ key, token, holder, insteadOf, seen }: AskedLease): Query<LeaseAnswer> {
  const [row] = yield* execute("SELECT * FROM leases WHERE key = ?", key);
  const held = row === undefined ? undefined : toLease(row);
  if (held !== undefined && (held.token !== insteadOf?.token || held.beat !== insteadOf.beat)) {
    return { kind: "held", lease: held };
  }
  if (seen !== undefined) {
    const entries = yield* execute("SELECT origin FROM cache_entries WHERE key = ?", key);
    if (entries.some(({ origin }) => !seen.includes(origin as StepRunId))) return { kind: "unseen" };
  }
  yield* change(
    `INSERT INTO leases (key, token, holder, beat) VALUES (?, ?, ?, 0)
     ON CONFLICT (key) DO UPDATE SET token = excluded.token, holder = excluded.holder, beat = excluded.beat`,
    key,
    token,
    JSON.stringify(holder),
  );
  return { kind: "granted" };
}

/** Whether it was still held; then nobody holds it now. */
export function* endLease({ key, token }: LeaseName, lost: Set<LeaseToken>): Query<boolean> {
  const ended = yield* change("DELETE FROM leases WHERE key = ? AND token = ?", key, token);
  if (ended === 0) lost.add(token);
  return ended > 0;
}

export function* beatLeases(leases: readonly LeaseName[], lost: Set<LeaseToken>): Query<void> {
  for (const { key, token } of leases) {
    const beaten = yield* change("UPDATE leases SET beat = beat + 1 WHERE key = ? AND token = ?", key, token);
    if (beaten === 0) lost.add(token);
  }
}

export function* selectLeases(keys: readonly KeyDigest[] | undefined): Query<ReadonlyMap<KeyDigest, Lease>> {
  const select = "SELECT * FROM leases";
  const rows = keys === undefined ? yield* execute(select) : yield* selectAmong(select, "key", keys);
  return new Map(rows.map((row) => [row["key"] as KeyDigest, toLease(row)]));
}

function toLease(row: Row): Lease {
  return {
    key: row["key"] as KeyDigest,
    token: row["token"] as LeaseToken,
    holder: JSON.parse(row["holder"] as string) as LeaseHolder,
    beat: row["beat"] as number,
  };
}
