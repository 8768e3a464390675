import { assert, assertEquals, assertRejects } from "@std/assert";
import type { KlineRow, Scenario } from "../../simulator/mod.ts";
import { ask, askRows, HOUR, NOW, simulate } from "./_ask.ts";

type Fault = NonNullable<Scenario["faults"]>[number];
type RowFault = (Fault & { kind: "rows" })["rows"];

const KLINES = "/api/v3/klines?symbol=BTCUSDT&interval=1h&limit=4";

async function answerTo(fault: Fault): Promise<Response> {
  return await ask(simulate({ faults: [fault] }).simulator, KLINES);
}

/** The rows as they should be, and as a fault makes them. */
async function rowsWith(rows: RowFault): Promise<[right: KlineRow[], wrong: unknown[][]]> {
  const response = await answerTo({ kind: "rows", rows });
  assertEquals(response.status, 200);
  return [
    await askRows(simulate().simulator, "symbol=BTCUSDT&interval=1h&limit=4"),
    await response.json(),
  ];
}

Deno.test("a 429 comes with Retry-After, and holds for all requests until then", async () => {
  const { simulator, clock } = simulate({
    faults: [{ kind: "status", status: 429, retry_after_s: 7 }],
  });
  const response = await ask(simulator, KLINES);
  assertEquals([response.status, response.headers.get("retry-after")], [429, "7"]);
  assertEquals(await response.json(), { code: -1003, msg: "Too many requests queued." });
  assertEquals((await ask(simulator, "/api/v3/ping")).status, 429);
  await clock.advance(6_999);
  assertEquals((await ask(simulator, KLINES)).status, 429);
  await clock.advance(1);
  assertEquals((await ask(simulator, KLINES)).status, 200);
});

Deno.test("a 429 without Retry-After hits one request", async () => {
  const { simulator } = simulate({ faults: [{ kind: "status", status: 429 }] });
  const response = await ask(simulator, KLINES);
  assertEquals([response.status, response.headers.get("retry-after")], [429, null]);
  assertEquals((await ask(simulator, KLINES)).status, 200);
});

Deno.test("a 418 comes with Retry-After and tells the end of the ban in its text", async () => {
  const response = await answerTo({ kind: "status", status: 418, retry_after_s: 300 });
  assertEquals([response.status, response.headers.get("retry-after")], [418, "300"]);
  const { code, msg } = await response.json();
  assertEquals([code, /IP banned until (\d{13})\./.exec(msg)?.[1]], [-1003, `${NOW + 300_000}`]);
});

Deno.test("a 418 lasts two minutes where nothing is said", async () => {
  const response = await answerTo({ kind: "status", status: 418 });
  assertEquals(response.headers.get("retry-after"), "120");
});

for (
  const [status, code] of [[451, 0], [500, -1000], [502, -1006], [503, -1008], [
    504,
    -1007,
  ]] as const
) {
  Deno.test(`a ${status} has the exchange's own code in its body`, async () => {
    const response = await answerTo({ kind: "status", status });
    assertEquals([response.status, (await response.json()).code], [status, code]);
    assertEquals(response.headers.get("x-mbx-used-weight-1m"), "2");
  });
}

Deno.test("code and message of an error may be given", async () => {
  const response = await answerTo({ kind: "status", status: 400, code: -1130, msg: "Odd." });
  assertEquals([response.status, await response.json()], [400, { code: -1130, msg: "Odd." }]);
});

for (const status of [403, 503]) {
  Deno.test(`a ${status} may be an HTML page that knows nothing of weight`, async () => {
    const response = await answerTo({ kind: "html", status });
    assertEquals([response.status, response.headers.get("content-type")], [status, "text/html"]);
    assertEquals(response.headers.get("x-mbx-used-weight-1m"), null);
    assertEquals((await response.text()).slice(0, 15), "<!DOCTYPE html>");
  });
}

Deno.test("a slow answer comes after its delay on the clock, and is right", async () => {
  const { simulator, clock } = simulate({ faults: [{ kind: "slow", delay_ms: 15_000 }] });
  let response: Response | undefined;
  const answered = ask(simulator, KLINES).then((answer) => response = answer);
  await clock.advance(14_999);
  assertEquals(response, undefined);
  await clock.advance(1);
  await answered;
  assertEquals((await response?.json())?.length, 4);
});

Deno.test("a slow answer can be given up", async () => {
  const { simulator } = simulate({ faults: [{ kind: "slow", delay_ms: 15_000 }] });
  const abort = new AbortController();
  const answer = ask(simulator, KLINES, { signal: abort.signal });
  abort.abort(new Error("too slow"));
  await assertRejects(() => answer, Error, "too slow");
});

Deno.test("a truncated answer stops short in the middle of its JSON", async () => {
  const right = await (await ask(simulate().simulator, KLINES)).text();
  const half = await (await answerTo({ kind: "truncate" })).text();
  assertEquals(half, right.slice(0, Math.floor(right.length / 2)));
  assertEquals(await (await answerTo({ kind: "truncate", share: 0 })).text(), "");
});

Deno.test("a reset breaks the answer off in its middle", async () => {
  const response = await answerTo({ kind: "reset" });
  assertEquals(response.status, 200);
  await assertRejects(() => response.text(), TypeError, "Connection reset");
});

Deno.test("a short row has 11 columns", async () => {
  const [right, wrong] = await rowsWith({ change: "short", row: 1 });
  assertEquals(wrong.map((row) => row.length), [12, 11, 12, 12]);
  assertEquals(wrong[1], right[1]?.slice(0, 11));
});

Deno.test("a value may be NaN, text or null in any column", async () => {
  for (const [column, value] of [[4, "NaN"], [0, "x"], [8, null], [5, -1], [7, true]] as const) {
    const [right, wrong] = await rowsWith({ change: "value", row: 2, column, value });
    assertEquals<unknown>(wrong[2], right[2]?.map((cell, at) => at === column ? value : cell));
  }
  const [, wrong] = await rowsWith({ change: "value" });
  assertEquals(wrong[0]?.[4], "NaN");
});

Deno.test("a crossed row has its high below its low", async () => {
  const [right, wrong] = await rowsWith({ change: "crossed", row: 0 });
  assertEquals([wrong[0]?.[2], wrong[0]?.[3]], [right[0]?.[3], right[0]?.[2]]);
  assert(Number(wrong[0]?.[2]) < Number(wrong[0]?.[3]));
});

Deno.test("a row in seconds has both its times in seconds", async () => {
  const [right, wrong] = await rowsWith({ change: "seconds", row: -1 });
  const at = (right[3]?.[0] ?? NaN) / 1_000;
  assertEquals([wrong[3]?.[0], wrong[3]?.[6]], [at, at + 3_599]);
  assertEquals<unknown>(wrong.slice(0, 3), right.slice(0, 3));
});

Deno.test("a swapped row changes places with the next", async () => {
  const [right, wrong] = await rowsWith({ change: "swapped", row: 1 });
  assertEquals<unknown>(wrong, [right[0], right[2], right[1], right[3]]);
});

Deno.test("a repeated row is there twice, a missing one not at all", async () => {
  const [right, twice] = await rowsWith({ change: "repeated", row: 1 });
  assertEquals<unknown>(twice, [right[0], right[1], right[1], right[2], right[3]]);
  const [, without] = await rowsWith({ change: "missing", row: 1 });
  assertEquals<unknown>(without, [right[0], right[2], right[3]]);
});

Deno.test("a row fault leaves alone what holds no such row", async () => {
  const [right, wrong] = await rowsWith({ change: "missing", row: 4 });
  assertEquals<unknown>(wrong, right);
  const { simulator } = simulate({
    faults: [{ kind: "rows", rows: { change: "missing" }, times: "always" }],
  });
  assertEquals(await (await ask(simulator, "/api/v3/ping")).json(), {});
  assertEquals((await ask(simulator, "/api/v3/klines?symbol=NO&interval=1h")).status, 400);
});

Deno.test("a symbol that vanishes is gone from exchangeInfo and refused by klines", async () => {
  const { simulator } = simulate({
    faults: [{ kind: "vanish", gone: "BTCUSDT", after: 2, times: "always" }],
  });
  const names = async () => {
    const info = await (await ask(simulator, "/api/v3/exchangeInfo")).json();
    return info.symbols.map((one: { readonly symbol: string }) => one.symbol).slice(0, 2);
  };
  assertEquals(await names(), ["BTCUSDT", "ETHUSDT"]);
  assertEquals((await ask(simulator, KLINES)).status, 200);
  assertEquals(await names(), ["ETHUSDT", "BNBUSDT"]);
  assertEquals(await (await ask(simulator, KLINES)).json(), {
    code: -1121,
    msg: "Invalid symbol.",
  });
  assertEquals((await ask(simulator, KLINES.replace("BTC", "ETH"))).status, 200);
});

/** The statuses of requests for candles: of BTCUSDT, ETHUSDT and BTCUSDT in turns. */
async function statuses(fault: Partial<Fault>, count: number): Promise<number[]> {
  const { simulator } = simulate({ faults: [{ ...fault, kind: "html", status: 503 }] });
  const seen = [];
  for (let index = 0; index < count; index++) {
    const path = index % 2 ? KLINES.replace("BTC", "ETH") : KLINES;
    seen.push((await ask(simulator, path)).status);
  }
  return seen;
}

Deno.test("a fault hits the first request that it is meant for, once", async () => {
  assertEquals(await statuses({}, 3), [503, 200, 200]);
  assertEquals(await statuses({ symbol: "ETHUSDT" }, 4), [200, 503, 200, 200]);
  assertEquals(await statuses({ path: "/api/v3/ping" }, 3), [200, 200, 200]);
  assertEquals(await statuses({ interval: "1m" }, 2), [200, 200]);
  assertEquals(await statuses({ path: "/api/v3/klines", interval: "1h" }, 2), [503, 200]);
});

Deno.test("a fault leaves so many requests alone first, then hits so many", async () => {
  assertEquals(await statuses({ after: 2 }, 5), [200, 200, 503, 200, 200]);
  assertEquals(await statuses({ after: 1, times: 2 }, 5), [200, 503, 503, 200, 200]);
  assertEquals(await statuses({ after: 3, times: "always" }, 6), [200, 200, 200, 503, 503, 503]);
  assertEquals(await statuses({ after: 1, symbol: "BTCUSDT" }, 5), [200, 200, 503, 200, 200]);
});

Deno.test("a fault hits within its time, from its first moment up to its end", async () => {
  const { simulator, clock } = simulate({
    faults: [{
      kind: "html",
      status: 503,
      from: NOW + HOUR,
      to: NOW + 2 * HOUR,
      times: "always",
    }],
  });
  const status = async () => (await ask(simulator, KLINES)).status;
  assertEquals(await status(), 200);
  await clock.advance(HOUR - 1);
  assertEquals(await status(), 200);
  await clock.advance(1);
  assertEquals([await status(), await status()], [503, 503]);
  await clock.advance(HOUR - 1);
  assertEquals(await status(), 503);
  await clock.advance(1);
  assertEquals(await status(), 200);
});

Deno.test("of several faults the first that is due hits, and all count", async () => {
  const { simulator } = simulate({
    faults: [
      { kind: "html", status: 503 },
      { kind: "html", status: 502, after: 1 },
      { kind: "html", status: 504 },
    ],
  });
  const seen = [];
  for (let index = 0; index < 3; index++) seen.push((await ask(simulator, KLINES)).status);
  assertEquals(seen, [503, 502, 200]);
});

Deno.test("a request that is refused for its weight does not count for a fault", async () => {
  const { simulator, clock } = simulate({
    limits: { weight_per_minute: 2 },
    faults: [{ kind: "html", status: 503, after: 1 }],
  });
  const status = async () => (await ask(simulator, KLINES)).status;
  assertEquals([await status(), await status(), await status()], [200, 429, 429]);
  await clock.advance(30_000);
  assertEquals(await status(), 503);
});
