/** Opens what observes the steps of one run. */
import type { Observation, Observer, ObserverParts } from "./observer.ts";

export function openObserver(_parts: ObserverParts): Observer {
  return {
    observe: (): Observation => ({
      run: (work) => work(),
      close: async () => ({ trace: undefined, obstacle: undefined, notices: [] }),
    }),
    check: async (traces) => new Map([...traces.keys()].map((digest) => [digest, { differences: [], warnings: [] }])),
  };
}
