/** Targets: pipeline files, as text and as values. */

import fc from "fast-check";
import { registry } from "../../cli/open.ts";
import { PipelineFileError, renderDiagnostics } from "../../engine/pipeline_file/diagnostics.ts";
import { loadPipeline } from "../../engine/pipeline_file/load.ts";
import { load } from "../engine/pipeline_file/_loading.ts";
import { json, must, mustBeMessage, NASTY, quote, spoiled } from "./_cases.ts";
import { defineTarget, type FuzzTarget } from "./target.ts";

const SECRET = "correct-horse-battery";
const GOOD = `# A file that is right
name: btc
sources:
  - use: ticks
    with: { symbols: [BTC, ETH], interval: 1m, from: 30 days ago }
  - use: ticks
    id: other
    with: &other
      symbols:
        - XRP
      interval: "\${env:INTERVAL}"
      token: "\${env:TOKEN:-none}"
transforms:
  - use: to_point
  - use: average
    on_error: dead_letter
    with: { period: 20, weight: 1.5, smooth: true, fields: [close, "open"] }
sinks:
  - use: store
    with:
      url: 'http://localhost:8086'
      token: ${SECRET}
      tags: { host: a }
dead_letter: { use: store, with: { url: "http://a", token: ${SECRET}, version: 1 } }
epoch: { records: 1000, ms: 100 }
`;
const PIECES = [
  ...NASTY,
  ..."-:{}[]&*!|>%@`?<~$",
  "  ",
  "- ",
  ": ",
  "${",
  "${env:X}",
  "*other",
  "<<: *other",
  "---\n",
  "with: ",
  "use: rsi\n",
  "max: 10 in 1000",
];

const texts = defineTarget({
  name: "pipeline_files",
  promise: "A spoiled file loads, or every mistake in it has a place and a sentence",
  cases: 150,
  arbitrary: spoiled(fc.constant(GOOD), PIECES, 4),
  holds: (text) =>
    mustLoadOrSay(text, () => load(text, { file: "btc.yaml", env: { INTERVAL: "5m" } })),
});

const pipeline = {
  name: "btc",
  sources: [{
    use: "binance_websocket",
    with: { symbols: ["BTCUSDT"], interval: "1m", from: "30 days ago", updates: "closed" },
  }, { use: "binance_rest", with: { symbols: ["ETHUSDT"], interval: "1h", from: "2024-01-01" } }],
  transforms: [{ use: "kline", on_error: "dead_letter" }, { use: "rsi", with: { period: 14 } }],
  sinks: [{ use: "file", with: { path: "a.lp", rotate: { size: "1MB", every: "day" } } }, {
    use: "stdout",
  }],
  dead_letter: { use: "file", with: { path: "rejected.jsonl" } },
  epoch: { records: 5, ms: 5 },
};

const values = defineTarget({
  name: "pipeline_values",
  promise: "A pipeline with a wrong value, key or part loads, or every mistake in it is told",
  cases: 150,
  arbitrary: fc.array(fc.tuple(fc.array(fc.nat(20), { maxLength: 6 }), fc.nat(3), json()), {
    maxLength: 2,
  }).map((changes) => {
    const changed: unknown = structuredClone(pipeline);
    for (const [way, kind, value] of changes) change(changed, way, kind, value);
    return JSON.stringify(changed);
  }),
  holds: (text) =>
    mustLoadOrSay(text, () =>
      loadPipeline("btc.json", {
        registry,
        readText: () => Promise.resolve(text),
        env: () => undefined,
        importModule: () => Promise.reject(new TypeError("There are no modules")),
      })),
});

/** Goes into a value by numbers, and there puts, takes out or renames. */
function change(whole: unknown, way: readonly number[], kind: number, value: unknown): void {
  let at = whole;
  for (const [depth, number] of way.entries()) {
    const keys = Object.keys(Object(at));
    const key = keys[number % keys.length];
    if (key === undefined) return;
    const next = Reflect.get(Object(at), key);
    const isLast = depth === way.length - 1 || typeof next !== "object" || next === null;
    if (!isLast) {
      at = next;
      continue;
    }
    if (kind === 0) Reflect.deleteProperty(Object(at), key);
    else if (kind === 1 && !Array.isArray(at)) Reflect.set(Object(at), `${key}s`, next);
    else Reflect.set(Object(at), key, value);
    return;
  }
}

async function mustLoadOrSay(text: string, load: () => Promise<unknown>): Promise<void> {
  try {
    await load();
  } catch (error) {
    if (!(error instanceof PipelineFileError)) throw error;
    must(error.diagnostics.length > 0, "a mistake at least");
    const lines = text.split("\n").length;
    let last = 0;
    for (const { line, column, message, hint = "" } of error.diagnostics) {
      must(line >= last && line <= lines && column >= 1, `a place, found ${line}:${column}`);
      must(/^Cannot .*[^.]$/s.test(message), `a sentence, found ${quote(message)}`);
      mustBeMessage(message);
      must(!hint.includes("\n"), `a hint of one line, found ${quote(hint)}`);
      last = line;
    }
    must(renderDiagnostics(error.diagnostics).length < 100_000, "a page that can be read");
  }
}

/** All targets of this file. */
export const PIPELINE_FILES: readonly FuzzTarget[] = [texts, values];
