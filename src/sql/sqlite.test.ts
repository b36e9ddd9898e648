import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { testMetadataStore } from "../testing/metadata-store-contract.ts";
import { openSqlite } from "./sqlite.ts";

const folder = mkdtempSync(join(tmpdir(), "reprise-sqlite-"));
after(() => rmSync(folder, { recursive: true }));

let stores = 0;
testMetadataStore("SQLite", () => openSqlite({ path: join(folder, `store-${stores++}`, "store.db") }));
