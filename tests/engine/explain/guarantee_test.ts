import { assertEquals } from "@std/assert";
import {
  type Guarantee,
  guaranteeSentence,
  guaranteesOf,
} from "../../../engine/explain/guarantee.ts";
import type { Pipeline } from "../../../engine/pipeline.ts";
import {
  defineSink,
  defineSource,
  type DeliveryPromise,
  type ReplayPromise,
} from "../../../engine/plugin.ts";
import { Disk, diskSink, numbers, pipelineOf, step, total } from "../_fakes.ts";

function sourceOf(replay: ReplayPromise, id: string) {
  return step(defineSource({ ...numbers, replay }), { to: 1 }, { id });
}

function sinkOf(delivery: DeliveryPromise, id = "store") {
  return step(defineSink({ ...diskSink(new Disk()), delivery }), {}, { id });
}

function promiseOf(pipeline: Pipeline): [Guarantee["promise"] | undefined, number | undefined] {
  const [guarantee] = guaranteesOf(pipeline);
  return [guarantee?.promise, guarantee?.weaknesses.length];
}

Deno.test("guaranteesOf() claims no more than what source and sink do together", () => {
  const promises: [ReplayPromise[], DeliveryPromise, Guarantee["promise"], number][] = [
    [["exact"], "transactional", "exactly once", 0],
    [["exact"], "idempotent", "exactly once in effect", 0],
    [["exact"], "append", "at least once", 1],
    [["final"], "transactional", "exactly once", 1],
    [["bounded"], "idempotent", "exactly once in effect", 1],
    [["none"], "transactional", "at most once", 1],
    [["none"], "idempotent", "at most once", 1],
    // Nothing is sent again, so nothing is there twice.
    [["none"], "append", "at most once", 1],
    [["exact", "none"], "transactional", "at most once", 1],
    [["exact", "none"], "append", "once as a rule", 2],
  ];
  for (const [replays, delivery, promise, weaknesses] of promises) {
    const sources = replays.map((replay, index) => sourceOf(replay, `s${index}`));
    assertEquals(
      promiseOf(pipelineOf({ sources, sinks: [sinkOf(delivery)] })),
      [promise, weaknesses],
      `${replays} to ${delivery}`,
    );
  }
});

Deno.test("guaranteesOf() names the weakest link first, and everything else that weakens", () => {
  const caveat = () => "a crash of the server may lose what came last";
  const store = defineSink({ ...diskSink(new Disk()), delivery: () => "append" as const, caveat });
  const [guarantee] = guaranteesOf(pipelineOf({
    sources: [sourceOf("none", "feed"), sourceOf("final", "live")],
    transforms: [
      step(total, {}, { id: "kline", onError: "dead_letter" }),
      step(total, {}, { id: "sum", onError: "drop" }),
    ],
    sinks: [step(store, {}, { id: "store", onError: "dead_letter" })],
    deadLetter: step(diskSink(new Disk(), "dead"), {}, { onError: "drop" }),
  }));
  assertEquals(guarantee?.weaknesses, [
    "feed cannot be read again, so that what it gave after the last checkpoint is lost in a crash unless store had it",
    "store cannot take back what it was sent, so that what follows the last checkpoint is there twice after a crash",
    "records of live that were still to change, such as open candles, are not given again after a crash: later ones take their place",
    "a crash of the server may lose what came last",
    "what sum refuses is dropped",
    "what kline and store refuse is kept as a dead letter, and is missing until it is replayed",
    "a dead letter that cannot be written is dropped",
  ]);
});

Deno.test("guaranteesOf() speaks of each sink by itself", () => {
  const sentences = guaranteesOf(pipelineOf({
    sources: [sourceOf("exact", "feed")],
    sinks: [sinkOf("transactional", "file"), sinkOf("append", "screen")],
  })).map(guaranteeSentence);
  assertEquals(sentences, [
    "file: exactly once, as feed can be read again from the last checkpoint and what file has written since then is taken back and written anew",
    "screen: at least once, as feed can be read again from the last checkpoint; the weakest link: screen cannot take back what it was sent, so that what follows the last checkpoint is there twice after a crash",
  ]);
});
