import { assertEquals } from "@std/assert";
import { Limiter } from "../../simulator/limits.ts";
import { ask, askError, MINUTE, NOW, simulate } from "./_ask.ts";

const PING = "/api/v3/ping";
const LIMITS = {
  weightPerMinute: 10,
  requestsPer5Minutes: 1_000,
  othersPerMinute: 0,
  banAfter: 3,
  banS: 120,
};

Deno.test("requests weigh what the exchange says, and both headers add them up", async () => {
  const { simulator } = simulate();
  const weights = [];
  for (
    const path of [
      PING,
      "/api/v3/time",
      "/api/v3/exchangeInfo",
      "/api/v3/klines",
      "/api/v3/nothing",
    ]
  ) {
    const { headers } = await ask(simulator, path);
    assertEquals(headers.get("x-mbx-used-weight"), headers.get("x-mbx-used-weight-1m"));
    weights.push(headers.get("x-mbx-used-weight-1m"));
  }
  assertEquals(weights, ["1", "2", "22", "24", "25"]);
});

Deno.test("used weight starts again at the minute of the clock", async () => {
  const { simulator, clock } = simulate();
  const used = async () => (await ask(simulator, PING)).headers.get("x-mbx-used-weight-1m");
  assertEquals([await used(), await used()], ["1", "2"]);
  await clock.advance(29_999);
  assertEquals(await used(), "3");
  await clock.advance(1);
  assertEquals(await used(), "1");
});

Deno.test("too much weight is answered with 429 until the minute is over", async () => {
  const { simulator, clock } = simulate({ limits: { weight_per_minute: 3 } });
  for (let index = 0; index < 3; index++) {
    assertEquals((await ask(simulator, PING)).status, 200);
  }
  const refused = await ask(simulator, PING);
  assertEquals(refused.status, 429);
  assertEquals(refused.headers.get("retry-after"), "30");
  assertEquals(refused.headers.get("x-mbx-used-weight-1m"), "4");
  assertEquals(await refused.json(), {
    code: -1003,
    msg: "Too much request weight used; current limit is 3 request weight per 1 MINUTE. " +
      "Please use WebSocket Streams for live updates to avoid polling the API.",
  });
  await clock.advance(29_999);
  assertEquals((await ask(simulator, PING)).status, 429);
  await clock.advance(1);
  assertEquals((await ask(simulator, PING)).status, 200);
});

Deno.test("a client that goes on in spite of 429 is banned, and told until when", async () => {
  const { simulator } = simulate({ limits: { weight_per_minute: 1, ban_after: 2 } });
  const statuses = [];
  for (let index = 0; index < 3; index++) statuses.push((await ask(simulator, PING)).status);
  assertEquals(statuses, [200, 429, 429]);
  const banned = await ask(simulator, PING);
  assertEquals(banned.headers.get("retry-after"), "120");
  assertEquals([banned.status, await banned.json()], [418, {
    code: -1003,
    msg: `Way too much request weight used; IP banned until ${NOW + 120_000}. ` +
      "Please use WebSocket Streams for live updates to avoid bans.",
  }]);
});

Deno.test("a ban holds for every endpoint, is not made longer, and ends", async () => {
  const { simulator, clock } = simulate({
    limits: { weight_per_minute: 100, ban_s: 120 },
    faults: [{ kind: "status", status: 418, retry_after_s: 90 }],
  });
  assertEquals((await ask(simulator, PING)).status, 418);
  await clock.advance(89_999);
  const still = await ask(simulator, "/api/v3/klines?symbol=BTCUSDT&interval=1m");
  assertEquals([still.status, still.headers.get("retry-after")], [418, "1"]);
  await clock.advance(1);
  assertEquals((await ask(simulator, PING)).status, 200);
  assertEquals(simulator.counters.bans, 1);
});

Deno.test("Limiter bans four times as long each time, up to three days", () => {
  const limiter = new Limiter(LIMITS);
  const lengths = [];
  let nowMs = 0;
  for (let ban = 0; ban < 8; ban++) {
    nowMs = Math.ceil(nowMs / MINUTE) * MINUTE;
    let refusal = limiter.use(11, nowMs);
    while (refusal?.status !== 418) refusal = limiter.use(1, nowMs);
    lengths.push((refusal.untilMs - nowMs) / 1_000);
    nowMs = refusal.untilMs;
  }
  assertEquals(lengths, [120, 480, 1_920, 7_680, 30_720, 122_880, 259_200, 259_200]);
});

Deno.test("Limiter forgives a client that stops in time", () => {
  const limiter = new Limiter(LIMITS);
  for (let minute = 0; minute < 10; minute++) {
    limiter.use(10, minute * MINUTE);
    const statuses = [1, 2, 3].map(() => limiter.use(1, minute * MINUTE)?.status);
    assertEquals(statuses, [429, 429, 429]);
  }
  assertEquals(limiter.bans, 0);
});

Deno.test("Limiter counts requests over five minutes of the clock", () => {
  const limiter = new Limiter({ ...LIMITS, requestsPer5Minutes: 3 });
  for (const minute of [0, 2, 4]) assertEquals(limiter.use(1, minute * MINUTE), undefined);
  assertEquals(limiter.use(1, 4 * MINUTE), { status: 429, untilMs: 5 * MINUTE });
  assertEquals(limiter.use(1, 5 * MINUTE), undefined);
});

Deno.test("Limiter adds what others use, and remembers the most of a minute", () => {
  const limiter = new Limiter({ ...LIMITS, othersPerMinute: 7 });
  assertEquals(limiter.use(2, 0), undefined);
  assertEquals(limiter.usedWeight, 9);
  assertEquals(limiter.use(2, 0)?.status, 429);
  assertEquals(limiter.use(2, MINUTE), undefined);
  assertEquals([limiter.usedWeight, limiter.peakWeight], [9, 11]);
});

Deno.test("the limits of the scenario reach the limiter", async () => {
  const { simulator } = simulate({
    limits: { requests_per_5_minutes: 2, others_per_minute: 50 },
  });
  assertEquals((await ask(simulator, PING)).headers.get("x-mbx-used-weight-1m"), "51");
  assertEquals((await ask(simulator, PING)).status, 200);
  assertEquals((await askError(simulator, PING))[0], 429);
});
