import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../error.ts";
import { parseCommandLine } from "./parse.ts";

const parse = (line: string) => parseCommandLine(line.split(" ").filter(Boolean));

function refuse(line: string): UsageError {
  try {
    parse(line);
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: `"${line}" was accepted` });
}

test("flags that the table does not know are parameters of the pipeline", () => {
  const { command, parsed } = parse("run first.ts --gamma 0.02 --trainer=svc --no-cache -j 3");
  assert.equal(command, "run");
  assert.deepEqual(parsed.args, ["first.ts"]);
  assert.deepEqual(parsed.extra, [
    { name: "gamma", value: "0.02", loose: true },
    { name: "trainer", value: "svc", loose: false },
  ]);
  assert.equal(parsed.flags["no-cache"], true);
  assert.equal(parsed.flags["jobs"], 3);
  assert.equal(parsed.flags["reporter"], "auto");
});

test("a negative number behind a flag is its value", () => {
  const { parsed } = parse("run first.ts --shift -1.5 -p bias=-2");
  assert.deepEqual(parsed.extra, [{ name: "shift", value: "-1.5", loose: false }]);
  assert.deepEqual(parsed.flags["param"], ["bias=-2"]);
});

test("global flags may stand before the command", () => {
  const { command, globals, parsed } = parse("--cwd some/where -v runs status:failed --limit 5");
  assert.equal(command, "runs");
  assert.equal(globals.cwd, "some/where");
  assert.equal(globals.verbose, true);
  assert.deepEqual(parsed.args, ["status:failed"]);
  assert.equal(parsed.flags["limit"], 5);
});

test("words behind -- are never flags", () => {
  assert.deepEqual(parse("show -- --odd-name").parsed.args, ["--odd-name"]);
});

test("an unknown command or flag names what is near", () => {
  assert.equal(refuse("statsu").hint, 'Did you mean "status"?');
  assert.equal(refuse("runs --limt 3").hint, 'Did you mean "--limit"?');
  assert.equal(refuse("runs -x").message, "reprise runs has no flag -x");
  assert.equal(refuse("run --cache of").hint, 'Did you mean "off"?');
});

test("missing, surplus and ill-formed words are refused", () => {
  assert.match(refuse("why").message, /needs STEP/u);
  assert.match(refuse("pipelines extra").message, /"extra"/u);
  assert.match(refuse("run --jobs many").message, /whole number/u);
  assert.match(refuse("run --name").message, /needs a value/u);
  assert.match(refuse("run --no-cache=yes").message, /takes no value/u);
  assert.match(refuse("completion powershell").message, /SHELL cannot be "powershell"/u);
});

test("help is given though arguments are missing", () => {
  assert.equal(parse("why --help").globals.help, true);
  assert.equal(parse("--version").globals.version, true);
  assert.equal(parse("").command, undefined);
});
