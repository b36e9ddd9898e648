import assert from "node:assert/strict";
import { once } from "node:events";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import util from "node:util";
import { MessageChannel, Worker } from "node:worker_threads";
import { observeIn, readsOf, type Observing } from "../../test/rig/observing.ts";
import { installWatchers } from "./install.ts";

const bare = process.env;
const plain = util.inspect({ env: process.env });
installWatchers();

let root: string;
let observe: Observing["observe"];
let differencesOf: Observing["differencesOf"];

beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "reprise-environment-")));
  ({ observe, differencesOf } = observeIn(root));
  process.env["REPRISE_TEST"] = "1";
});

afterEach(() => {
  delete process.env["REPRISE_TEST"];
  fs.rmSync(root, { recursive: true, force: true });
});

const variable = "env REPRISE_TEST";

describe("a variable that is only asked to be there", () => {
  const ways: Readonly<Record<string, () => unknown>> = {
    in: () => "REPRISE_TEST" in process.env,
    "Object.hasOwn": () => Object.hasOwn(process.env, "REPRISE_TEST"),
    hasOwnProperty: () => Object.prototype.hasOwnProperty.call(process.env, "REPRISE_TEST"),
    "Object.keys": () => Object.keys(process.env),
    "for … in": () => {
      for (const name in process.env) assert.ok(name);
    },
  };
  for (const [way, work] of Object.entries(ways)) {
    it(`is the same with another value, and differs when it is gone, by ${way}`, async () => {
      const observed = await observe(work);
      assert.ok(readsOf(observed).includes(variable));
      process.env["REPRISE_TEST"] = "2";
      assert.deepEqual(await differencesOf(observed), []);
      delete process.env["REPRISE_TEST"];
      assert.ok((await differencesOf(observed)).includes(variable));
    });
  }

  it("differs when it comes", async () => {
    delete process.env["REPRISE_TEST"];
    const observed = await observe(() => "REPRISE_TEST" in process.env);
    process.env["REPRISE_TEST"] = "";
    assert.deepEqual(await differencesOf(observed), [variable]);
  });

  it("counts with its value when that is taken later", async () => {
    const observed = await observe(() => "REPRISE_TEST" in process.env && process.env["REPRISE_TEST"]);
    assert.deepEqual(readsOf(observed), [variable]);
    process.env["REPRISE_TEST"] = "2";
    assert.deepEqual(await differencesOf(observed), [variable]);
  });
});

describe("all variables", () => {
  const ways: Readonly<Record<string, () => unknown>> = {
    "a spread": () => ({ ...process.env }),
    "Object.entries": () => Object.entries(process.env),
    "Object.assign": () => Object.assign({}, process.env),
    "JSON.stringify": () => JSON.stringify(process.env),
    "util.inspect": () => util.inspect(process.env),
    "util.format, as console.log does it": () => util.format("x", process.env),
    structuredClone: () => structuredClone({ env: process.env }),
    "Object.getOwnPropertyDescriptors": () => Object.getOwnPropertyDescriptors(process.env),
    "Object.getOwnPropertyDescriptor": () => Object.getOwnPropertyDescriptor(process.env, "REPRISE_TEST"),
  };
  for (const [way, work] of Object.entries(ways)) {
    it(`are seen to be read by ${way}`, async () => {
      const observed = await observe(work);
      assert.deepEqual(await differencesOf(observed), []);
      process.env["REPRISE_TEST"] = "2";
      assert.deepEqual(await differencesOf(observed), [variable]);
    });
  }
});

describe("the environment", () => {
  it("is shown, cloned, sent and defined as Node does it", async () => {
    delete process.env["REPRISE_TEST"];
    assert.equal(util.inspect({ env: process.env }), plain);
    await observe(() => {
      assert.equal(util.inspect({ env: process.env }), plain);
      assert.deepEqual(structuredClone([{ env: process.env, list: [1] }]), [{ env: { ...bare }, list: [1] }]);
    });
    const { port1, port2 } = new MessageChannel();
    port1.postMessage({ env: process.env });
    const [message] = (await once(port2, "message")) as [{ env: object }];
    port1.close();
    assert.deepEqual(message.env, { ...bare });
    const options = { value: "x", configurable: true, enumerable: true, writable: true };
    Object.defineProperty(process.env, "REPRISE_TEST", options);
    assert.equal(bare["REPRISE_TEST"], "x");
    assert.equal(Object.getPrototypeOf(process.env), Object.getPrototypeOf(bare));
  });

  it("can be handed to a thread", async () => {
    const script =
      "const { parentPort, workerData } = require('node:worker_threads'); parentPort.postMessage(workerData)";
    const worker = new Worker(script, { eval: true, workerData: { env: process.env, plain: 1 } });
    const [message] = (await once(worker, "message")) as [unknown];
    await worker.terminate();
    assert.deepEqual(message, { env: { ...bare }, plain: 1 });
  });

  it("leaves refusals of other things as they are", () => {
    assert.throws(() => structuredClone({ run: () => {} }), { name: "DataCloneError" });
  });
});

describe("variables that a step takes from a file", () => {
  const ways: Readonly<Record<string, () => void>> = {
    "process.loadEnvFile": () => process.loadEnvFile(join(root, ".env")),
    "a package that sets what is not set": () => {
      const [name, value] = fs.readFileSync(join(root, ".env"), "utf8").split("=") as [string, string];
      if (!Object.hasOwn(process.env, name)) process.env[name] = value;
    },
  };
  for (const [way, load] of Object.entries(ways)) {
    it(`count by the file, and by their being unset, with ${way}`, async () => {
      delete process.env["REPRISE_TEST"];
      fs.writeFileSync(join(root, ".env"), "REPRISE_TEST=2");
      const observed = await observe(() => {
        load();
        assert.equal(process.env["REPRISE_TEST"], "2");
      });
      assert.deepEqual([readsOf(observed), observed.obstacle], [[variable, "file .env"], undefined]);
      // As in the next process.
      delete process.env["REPRISE_TEST"];
      assert.deepEqual(await differencesOf(observed), []);
      process.env["REPRISE_TEST"] = "1";
      assert.deepEqual(await differencesOf(observed), [variable]);
      delete process.env["REPRISE_TEST"];
      fs.writeFileSync(join(root, ".env"), "REPRISE_TEST=3");
      assert.deepEqual(await differencesOf(observed), ["file .env"]);
    });
  }
});
