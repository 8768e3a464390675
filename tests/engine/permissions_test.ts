import { assertEquals, assertThrows } from "@std/assert";
import { z } from "zod";
import { asDryRun } from "../../engine/run/dry_run.ts";
import { FatalError } from "../../engine/errors.ts";
import { permissionsOf, reachOfSteps } from "../../engine/permissions.ts";
import type { Pipeline } from "../../engine/pipeline.ts";
import { defineSink, defineSource } from "../../engine/plugin.ts";
import { pipelineOf, step, total } from "./_fakes.ts";

const remote = defineSource({
  id: "remote",
  summary: "Reads what is far away",
  options: z.strictObject({ host: z.string() }),
  replay: "exact",
  shape: () => ({ kind: "raw", format: "item" }),
  permissions: ({ host }) => ({ net: [host], env: ["LIBRARY_HOME"] }),
  async *read() {},
});

const local = defineSink({
  id: "local",
  summary: "Writes to a file",
  options: z.strictObject({ path: z.string() }),
  delivery: "append",
  permissions: ({ path }) => ({ read: [path], write: [path] }),
  accept: () => {},
  encode: () => new Uint8Array(),
  open: () => Promise.reject(new Error("This test opens nothing")),
});

function parts(): Pipeline {
  return pipelineOf({
    folder: "/etl",
    sources: [
      step(remote, { host: "b.test:443" }),
      step(remote, { host: "a.test:443" }, { id: "second" }),
    ],
    transforms: [step(total)],
    sinks: [step(local, { path: "out/a.lp" }), step(local, { path: "/var/b.lp" }, { id: "b" })],
    deadLetter: step(local, { path: "./dead.jsonl" }, { id: "dead_letter" }),
  });
}

Deno.test("permissionsOf() is all that any step declares, in order, with absolute paths", () => {
  const paths = ["/etl/dead.jsonl", "/etl/out/a.lp", "/var/b.lp"];
  assertEquals(permissionsOf(parts()), {
    net: ["a.test:443", "b.test:443"],
    read: paths,
    write: paths,
    env: ["LIBRARY_HOME"],
  });
});

Deno.test("permissionsOf() of a dry run has nothing of the sinks", () => {
  const dry = asDryRun(parts(), { reached: () => {} });
  assertEquals(permissionsOf(dry), {
    net: ["a.test:443", "b.test:443"],
    read: [],
    write: [],
    env: ["LIBRARY_HOME"],
  });
});

Deno.test("reachOfSteps() names each step with what it declares", () => {
  const steps = reachOfSteps(parts());
  assertEquals(steps.map((one) => one.step), [
    'source "remote"',
    'source "second"',
    'transform "total"',
    'sink "local"',
    'sink "b"',
    "dead letter",
  ]);
  assertEquals(steps[1]?.reach.net, ["a.test:443"]);
  assertEquals(steps[2]?.reach, { net: [], read: [], write: [], env: [] });
});

Deno.test("permissionsOf() throws FatalError naming the step whose plugin cannot tell", () => {
  const broken = defineSource({
    ...remote,
    permissions: () => {
      throw new TypeError("host is undefined");
    },
  });
  const pipeline = pipelineOf({ sources: [step(broken, { host: "a.test:443" })], sinks: [] });
  assertThrows(
    () => permissionsOf(pipeline),
    FatalError,
    'Cannot tell what source "remote" must reach: host is undefined',
  );
});
