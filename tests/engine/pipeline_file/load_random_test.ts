import { assert, assertEquals } from "@std/assert";
import { PipelineFileError, renderDiagnostics } from "../../../engine/pipeline_file/diagnostics.ts";
import { seededRandom } from "../../contracts/context.ts";
import { load } from "./_loading.ts";

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
      login: { user: me, pin: ${SECRET} }
dead_letter: { use: store, with: { url: "http://a", token: ${SECRET}, version: 1 } }
epoch: { records: 1000, ms: 100 }
`;
const PIECES = [
  ..."\n\t :-{}[],#&*!|>'\"%@`?<~$\\\0\u00e9\u{1f600}",
  "  ",
  "- ",
  ": ",
  "${",
  "${env:X}",
  "*other",
  "<<: *other",
  "---\n",
  "null",
  "1e999",
  "__proto__",
  "constructor",
];

async function tryToLoad(text: string, file: string): Promise<string> {
  try {
    await load(text, { file, env: { INTERVAL: "5m" } });
    return "";
  } catch (error) {
    if (!(error instanceof PipelineFileError)) throw error;
    assert(error.diagnostics.length > 0);
    const lines = text.split("\n").length;
    let last = 0;
    for (const { line, column, message, hint = "" } of error.diagnostics) {
      assert(line >= last && line <= lines && column >= 1, `${line}:${column} of ${lines} lines`);
      assert(/^Cannot [^\n]+[^.\n]$/.test(message), message);
      assert(!/[\n]/.test(hint), hint);
      last = line;
    }
    return renderDiagnostics(error.diagnostics);
  }
}

Deno.test("loadPipeline() throws nothing but PipelineFileError, whatever is done to the text", async () => {
  const random = seededRandom(7);
  const pick = (count: number) => Math.floor(random() * count);
  let wrong = 0;
  for (let round = 0; round < 400; round++) {
    let text = GOOD;
    for (let change = pick(4); change >= 0; change--) {
      const at = pick(text.length);
      const length = pick(random() < 0.2 ? 200 : 4);
      const piece = random() < 0.3 ? "" : PIECES[pick(PIECES.length)];
      text = text.slice(0, at) + piece + text.slice(at + length);
    }
    if (await tryToLoad(text, "btc.yaml") !== "") wrong++;
  }
  // Most changes break something; that some do not shows that the file was right to begin with.
  assert(wrong > 250 && wrong < 400, `${wrong}`);
});

Deno.test("loadPipeline() shows no secret, whatever is put in place of a value or a key", async () => {
  const random = seededRandom(11);
  const pick = <T>(values: readonly T[]): T => {
    const value = values[Math.floor(random() * values.length)];
    if (value === undefined) throw new RangeError("Nothing to pick from");
    return value;
  };
  const good = {
    name: "btc",
    sources: [{ use: "points" }, {
      use: "ticks",
      with: { symbols: ["A"], interval: "1m", token: SECRET },
    }],
    transforms: [{ use: "to_point" }, { use: "average", with: { period: 3, fields: ["a"] } }],
    sinks: [{
      use: "store",
      with: { url: "http://a", token: SECRET, login: { user: "me", pin: SECRET } },
    }],
  };
  const values = [
    3,
    -1,
    1.5,
    true,
    "",
    "x",
    "1m",
    [],
    {},
    [[1]],
    { use: "points" },
    "\u0000",
    1e300,
  ];
  let wrong = 0;
  for (let round = 0; round < 400; round++) {
    const pipeline: unknown = structuredClone(good);
    let at = pipeline;
    for (;;) {
      const key = pick(Object.keys(Object(at)));
      const next = Reflect.get(Object(at), key);
      if (typeof next === "object" && Object.keys(next).length > 0 && random() < 0.8) {
        at = next;
        continue;
      }
      const change = random();
      if (change < 0.3) Reflect.deleteProperty(Object(at), key);
      else if (change < 0.5 && !Array.isArray(at)) Reflect.set(Object(at), `${key}s`, next);
      else if (next !== SECRET) Reflect.set(Object(at), key, pick(values));
      break;
    }
    const shown = await tryToLoad(JSON.stringify(pipeline), "btc.json");
    assertEquals(shown.includes(SECRET), false, shown);
    if (shown !== "") wrong++;
  }
  assert(wrong > 150, `${wrong}`);
});
