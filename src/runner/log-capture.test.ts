import assert from "node:assert/strict";
import { test } from "node:test";
import { captureOutput } from "./log-capture.ts";

async function linesOf(write: () => void): Promise<readonly string[]> {
  const lines: string[] = [];
  await captureOutput(
    (stream, text) => void lines.push(`${stream}: ${text}`),
    async () => write(),
  );
  return lines;
}

test("a line may come in pieces, of text and of bytes, and the last one need not end", async () => {
  const accented = Buffer.from("é\n");
  const lines = await linesOf(() => {
    process.stdout.write("one ");
    process.stdout.write("two\r\nthree\nfo");
    process.stderr.write("beside\n");
    process.stdout.write("ur ");
    process.stdout.write(accented.subarray(0, 1));
    process.stdout.write(accented.subarray(1));
    process.stdout.write("\nfive");
  });
  assert.deepEqual(lines, [
    "stdout: one two",
    "stdout: three",
    "stderr: beside",
    "stdout: four é",
    "stdout: ",
    "stdout: five",
  ]);
});

test("a line end that is split between two writes leaves nothing of itself", async () => {
  const lines = await linesOf(() => {
    process.stdout.write("one\r");
    process.stdout.write("\ntwo");
  });
  assert.deepEqual(lines, ["stdout: one", "stdout: two"]);
});

test("a line that grows by a character at a time is searched for its end once", async (t) => {
  const dots = 10_000;
  const split = t.mock.method(String.prototype, "split");
  const lines = await linesOf(() => {
    for (let at = 0; at < dots; at += 1) process.stdout.write(".");
  });
  const searched = split.mock.calls.reduce((sum, call) => sum + String(call.this).length, 0);
  assert.deepEqual(lines, [`stdout: ${".".repeat(dots)}`]);
  assert.ok(searched < dots * 2, `${searched} characters were searched`);
});
