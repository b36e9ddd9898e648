/** Puts the watchers in place, once a process. Outside of steps they let everything pass. */
import { syncBuiltinESMExports } from "node:module";
import { noteEarlyPackages } from "./early-packages.ts";
import { watchClones } from "./stand-in.ts";
import { watchEnvironment } from "./watch-environment.ts";
import { watchFiles } from "./watch-files.ts";
import { watchHttp } from "./watch-http.ts";
import { watchProcesses } from "./watch-processes.ts";
import { watchSockets } from "./watch-sockets.ts";
import { watchSqlite } from "./watch-sqlite.ts";
import { watchAsked, watchWhenAsked } from "./when-asked.ts";
import { watchFolders, watchSenses } from "./watch-senses.ts";

let areWatching = false;
let areSensing = false;

/**
 * Watches reads. To be called before the user's modules are loaded: who has taken a function of Node from its module by
 * then is not watched. Named imports of ES modules follow. `by`: a script may have loaded others before it imports Reprise.
 */
export function installWatchers(by: "script" | "us" = "us"): void {
  if (areWatching) return;
  areWatching = true;
  noteEarlyPackages(by === "script");
  watchFiles();
  watchEnvironment();
  watchClones();
  watchFolders();
  watchProcesses();
  watchHttp();
  watchSockets();
  watchWhenAsked("sqlite", watchSqlite);
  syncBuiltinESMExports();
}

/** Watches what is only told, and what few steps do: when the first step is about to run. */
export function installSenses(): void {
  if (areSensing) return;
  areSensing = true;
  watchAsked();
  watchSenses();
  syncBuiltinESMExports();
}
