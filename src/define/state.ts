/**
 * The build that runs at this moment. It hangs on `globalThis`, so that a step from one copy of Reprise works in a
 * pipeline from another. A build is synchronous, so there is at most one.
 */
import type { Build } from "./build.ts";

interface DefineState {
  build: Build | undefined;
}

const stateKey = Symbol.for("reprise.build.1");

const holder = globalThis as unknown as Record<typeof stateKey, DefineState | undefined>;

export const state: DefineState = (holder[stateKey] ??= { build: undefined });
