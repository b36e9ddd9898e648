import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { describeProcess } from "../store/process.ts";
import { sampleRun } from "../testing/sample-records.ts";
import { withLiveStatus } from "./live-status.ts";

const linux = { skip: process.platform === "linux" ? false : "only Linux tells when a process started" };

test("a run that was killed is interrupted though a later process has its pid", linux, () => {
  const run = sampleRun("r-1", { status: "running" });
  const environment = { ...run.environment, ...describeProcess() };
  assert.equal(withLiveStatus({ ...run, environment }).status, "running");
  assert.equal(withLiveStatus({ ...run, environment: { ...environment, started: "1" } }).status, "interrupted");
});

test("a run that went on when the machine went down is interrupted", linux, () => {
  const run = sampleRun("r-1", { status: "running" });
  const environment = { ...run.environment, ...describeProcess(), boot: "before" };
  assert.equal(withLiveStatus({ ...run, environment }).status, "interrupted");
});
