/** The room's door. */
export type { CodeIdentity, CodeIndex, CodeNote, CodeUnit, Verdict } from "./identity.ts";
export { importWithoutDrivers } from "./load.ts";
export { openCodeIndex, type CodeIndexOptions, type ProjectIndex } from "./open.ts";
