import { defineConfig } from "reprise";

export default defineConfig({
  // What holds where no step, pipeline, call or run says otherwise.
  defaults: { retry: 1, timeout: "10m" },
  jobs: 4,
  pipelines: ["sales.ts"],
  stacks: {
    trial: { store: "stores/trial", jobs: 1, defaults: { retry: 0 } },
  },
});
