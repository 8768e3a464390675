import { assertEquals, assertRejects } from "@std/assert";
import { z } from "zod";
import { memoryCheckpoints } from "../../../engine/checkpoint/checkpoint.ts";
import { OptionsError } from "../../../engine/errors.ts";
import type { Pipeline } from "../../../engine/pipeline.ts";
import {
  defineSink,
  defineSource,
  defineTransform,
  type LastQuery,
} from "../../../engine/plugin.ts";
import type { Point, PointShape } from "../../../engine/point.ts";
import { runPipeline } from "../../../engine/run/run.ts";
import { findStoredEnds } from "../../../engine/run/stored.ts";
import { fakeContext } from "../../contracts/context.ts";
import { Disk, diskSink, fakeWorld, pipelineOf, step } from "../_fakes.ts";

const SHAPE: PointShape = {
  kind: "point",
  measurement: "count",
  tags: ["name"],
  fields: { n: "float", sum: "float", closed: "boolean" },
};
const none = z.strictObject({});

function point(name: string, n: number, fields: Point["fields"] = {}): Point {
  return { measurement: "count", tags: { name }, fields: { n, ...fields }, timeMs: n };
}

/** Adds up, and can go on from any sum that is stored. */
const sum = defineTransform({
  id: "sum",
  summary: "Adds up",
  options: none,
  shape: () => SHAPE,
  key: (record: Point) => record.tags.name ?? "",
  state: {
    version: 1,
    initial: () => 0,
    restore: ({ fields }) => fields.sum === undefined ? undefined : Number(fields.sum),
  },
  step(record, { state, emit }) {
    const next = state + Number(record.fields.n);
    emit({ ...record, fields: { ...record.fields, sum: next } });
    return next;
  },
});

/** Gives the numbers 1 to 5 of each name, from where the stores end. */
const counts = defineSource({
  id: "counts",
  summary: "Counts names",
  options: z.strictObject({ names: z.array(z.string()).describe("Names") }),
  replay: "exact",
  shape: () => SHAPE,
  async *read({ names }, from, context) {
    const ends = await context.storedEnds(names.map((name) => ({ name })));
    for (const [at, name] of names.entries()) {
      const end = ends[at];
      for (let n = Number(from[name] ?? end?.lastMs ?? 1); n <= 5; n++) {
        yield {
          records: [point(name, n)],
          position: { [name]: n + 1 },
          before: from[name] === undefined && end ? [end.before] : [],
        };
      }
    }
  },
});

/** A disk that can be read back; notes what it is asked for. */
function readableSink(stored: readonly Point[], asked: LastQuery[] = [], id = "readable") {
  return defineSink({
    ...diskSink(new Disk(), id),
    store: {
      last(_options, query) {
        asked.push(query);
        return Promise.resolve(
          query.series.map(({ name }) =>
            stored.filter(({ tags }) => tags.name === name).slice(-query.count)
          ),
        );
      },
      async *read() {},
    },
  });
}

function pipelineInto(...sinks: Pipeline["sinks"]): Pipeline {
  return pipelineOf({
    sources: [step(counts, { names: ["a", "b"] })],
    transforms: [step(sum)],
    sinks,
    shapes: [SHAPE],
  });
}

const findEnds = (pipeline: Pipeline, names = ["a", "b"]) =>
  findStoredEnds(pipeline, names.map((name) => ({ name })), () => fakeContext());

Deno.test("runPipeline() goes on from what is stored, states included, and asks for all series at once", async () => {
  const disk = new Disk();
  const asked: LastQuery[] = [];
  const stored = [1, 2, 3].map((n) => point("a", n, { sum: [1, 3, 6][n - 1] ?? 0 }));
  const pipeline = pipelineInto(step(readableSink(stored, asked)), step(diskSink(disk)));
  await runPipeline(pipeline, { world: fakeWorld(), checkpoints: memoryCheckpoints() });
  const sums = disk.lines.map((line) => JSON.parse(line))
    .map(({ tags, fields }) => [tags.name, fields.n, fields.sum]);
  assertEquals(sums, [
    ...[["a", 3, 6], ["a", 4, 10], ["a", 5, 15]],
    ...[["b", 1, 1], ["b", 2, 3], ["b", 3, 6], ["b", 4, 10], ["b", 5, 15]],
  ]);
  assertEquals(asked, [{ shape: SHAPE, series: [{ name: "a" }, { name: "b" }], count: 3 }]);
});

Deno.test("findStoredEnds() gives the last final point and the one before it", async () => {
  const stored = [
    point("a", 1, { sum: 1 }),
    point("a", 2, { sum: 3, closed: true }),
    point("a", 3, { sum: 6, closed: false }),
  ];
  assertEquals(await findEnds(pipelineInto(step(readableSink(stored)))), [
    { lastMs: 2, before: point("a", 1, { sum: 1 }) },
    undefined,
  ]);
});

Deno.test("findStoredEnds() wants two points that every transform can go on from", async () => {
  const one = [point("a", 1, { sum: 1 })];
  assertEquals(await findEnds(pipelineInto(step(readableSink(one))), ["a"]), [undefined]);
  const bare = [point("a", 1), point("a", 2, { sum: 3 })];
  assertEquals(await findEnds(pipelineInto(step(readableSink(bare))), ["a"]), [undefined]);
  const { restore: _, ...state } = sum.state ?? { version: 1, initial: () => 0 };
  const forgetful = defineTransform({ ...sum, state });
  const two = [point("a", 1, { sum: 1 }), point("a", 2, { sum: 3 })];
  const pipeline = { ...pipelineInto(step(readableSink(two))), transforms: [step(forgetful)] };
  assertEquals(await findEnds(pipeline, ["a"]), [undefined]);
});

Deno.test("findStoredEnds() goes by the store that is furthest behind", async () => {
  const all = [1, 2, 3, 4].map((n) => point("a", n, { sum: n }));
  const ahead = step(readableSink(all, [], "ahead"));
  const behind = step(readableSink(all.slice(0, 2), [], "behind"));
  const empty = step(readableSink([], [], "empty"));
  const [end] = await findEnds(pipelineInto(ahead, behind), ["a"]);
  assertEquals(end?.lastMs, 2);
  assertEquals(await findEnds(pipelineInto(ahead, empty), ["a"]), [undefined]);
});

Deno.test("findStoredEnds() says what must hold where nothing can be read back", async () => {
  await assertRejects(
    () => findEnds(pipelineInto(step(diskSink(new Disk())))),
    OptionsError,
    "no sink can be read back",
  );
  await assertRejects(
    () =>
      findEnds({
        ...pipelineInto(step(readableSink([]))),
        shapes: [{ ...SHAPE, tags: ["name", "color"] }],
      }),
    OptionsError,
    "points must be stored with the tags name and no others",
  );
});
