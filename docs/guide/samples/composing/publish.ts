import { appendFile } from "node:fs/promises";
import { pipeline, step } from "reprise";

const write = (line: string) => appendFile("published.log", `${line}\n`);

const migrate = step({
  name: "migrate",
  cache: false,
  run: async () => {
    await write("tables are made");
    return {};
  },
});

const collect = step({ name: "collect", run: () => ({ rows: [3, 1, 2] }) });

const upload = step({
  name: "upload",
  cache: false,
  run: async ({ rows }: { rows: number[] }) => {
    await write(`${rows.length} rows are uploaded`);
    return {};
  },
});

const announce = step({
  name: "announce",
  cache: false,
  run: async () => {
    await write("everybody knows");
    return {};
  },
});

export const publish = pipeline({
  name: "publish",
  build() {
    const migrated = migrate();
    const { rows } = collect();
    const uploaded = upload({ rows }, { after: migrated });
    announce({}, { after: [migrated, uploaded] });
  },
});
