/** The version of this Reprise, as its package says. */
import manifest from "../../package.json" with { type: "json" };

export const repriseVersion: string = manifest.version;
