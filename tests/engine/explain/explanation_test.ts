import { assertEquals, assertStringIncludes } from "@std/assert";
import { explainPipeline } from "../../../engine/explain/explanation.ts";
import { mermaid } from "../../../engine/explain/mermaid.ts";
import { explanationText } from "../../../engine/explain/text.ts";
import { pipelineOfAll } from "./_pipeline.ts";

const EXPLANATION = explainPipeline(pipelineOfAll(), { nowMs: 1, checkpoints: "/data/state/all" });

Deno.test("explainPipeline() connects every step, refused records included", () => {
  assertEquals(EXPLANATION.edges.map(({ from, to, refused }) => `${from} ${refused} ${to}`), [
    "feed false first",
    "live false first",
    "first false second",
    "second false file",
    "second false screen",
    "first true dead_letter",
  ]);
});

Deno.test("explainPipeline() connects sources and sinks where nothing is between", () => {
  const { edges } = explainPipeline({ ...pipelineOfAll(), transforms: [] }, {
    nowMs: 1,
    checkpoints: "/data",
  });
  assertEquals(edges.map(({ from, to }) => `${from} ${to}`), [
    "feed file",
    "feed screen",
    "live file",
    "live screen",
  ]);
});

Deno.test("explanationText() says all of it", () => {
  const text = explanationText(EXPLANATION);
  assertStringIncludes(
    text,
    `
graph:
  source feed
  source live
    │
  transform first ┄┄ refused ┄┄▶ dead_letter
    │
  transform second
    │
  sink file
  sink screen
`,
  );
  assertStringIncludes(
    text,
    `
  source live: Counts
    replay: final (final records can be read again, those that were still to change cannot)
    end: none: it goes on until it is told to stop
  transform first (total): Adds up
    state: for each key, saved with each checkpoint
    on_error: dead_letter
`,
  );
  assertStringIncludes(
    text,
    `
  dead letter dead_letter (file): Keeps lines
    delivery: transactional (records that follow the last checkpoint are taken back before they are sent again)
    max: 10 in 1000
    on_error: stop
`,
  );
  assertStringIncludes(text, "\nguarantee:\n  file: exactly once, as feed and live can be");
  assertStringIncludes(
    text,
    `
backfill, from the beginning up to now:
  feed: 3,000 records of 2 series in 4 requests, weight 56, about 510 kB, 1 min 1 s at least
  live: it does not say what it costs, then what comes up

kept:
  checkpoints: positions, states, tokens, ledger: /data/state/all
  records of sink file: /data/out.lp
  records of sink screen: not kept
  dead letters: /data/out.lp

permissions:
  net: feed.example:443
  read: /data/out.lp
  write: /data/out.lp
`,
  );
});

Deno.test("mermaid() draws the graph with names that are no words of its own", () => {
  assertEquals(
    mermaid(EXPLANATION),
    `flowchart LR
  s0(["feed"])
  s1(["live"])
  s2["first<br>total"]
  s3["second<br>total"]
  s4[("file")]
  s5[("screen")]
  s6[("dead_letter<br>file")]
  s0 --> s2
  s1 --> s2
  s2 --> s3
  s3 --> s4
  s3 --> s5
  s2 -. refused .-> s6
`,
  );
});
