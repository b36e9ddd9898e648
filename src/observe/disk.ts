/** The file system as Node gives it, taken before anything is watched. */
import fs from "node:fs";

export const {
  accessSync,
  closeSync,
  existsSync,
  fstatSync,
  globSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
  statSync,
} = fs;
