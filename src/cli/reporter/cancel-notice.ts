/** What is said at the first Ctrl-C: steps may take their time, or not listen at all. */
import type { Reporter } from "./reporter.ts";

/** Reports it when the signal is aborted, until disposed of. */
export function announceCancel(reporter: Reporter, signal: AbortSignal): Disposable {
  const announce = (): void => {
    const message = "The run is being cancelled and waits for its steps; press Ctrl-C again to end at once";
    reporter.report({ kind: "warning", time: Date.now(), step: undefined, message });
  };
  signal.addEventListener("abort", announce, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener("abort", announce) };
}
