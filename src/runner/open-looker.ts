/** An observer that looks and remembers nothing: to ask what would be reused changes nothing. */
import type { Observer } from "../observe/observer.ts";
import type { RunnerPorts } from "./ports.ts";

export function openLooker({ openObserver, metadata }: Pick<RunnerPorts, "openObserver" | "metadata">): Observer {
  return openObserver({ find: (paths) => metadata.fileDigests(paths), keep: () => {} });
}
