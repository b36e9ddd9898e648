import { fit } from "./fit.ts";

for (const epochs of [50, 100, 200]) {
  const run = await fit.run({ epochs }, { reporter: "silent" });
  console.log(epochs, (await run.outputs.slope.load()).toFixed(3));
}
