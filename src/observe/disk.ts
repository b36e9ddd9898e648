/** The file system as Node gives it, taken before anything is watched. */
import fs from "node:fs";

export const { globSync, lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync, statSync } = fs;
