import { assertEquals, assertInstanceOf, assertRejects, assertStringIncludes } from "@std/assert";
import { VirtualClock } from "../../../engine/clock.ts";
import { describeError, FatalError, RetryableError } from "../../../engine/errors.ts";
import { BinanceClient } from "../../../sources/_binance/client.ts";
import { fakeContext, type FakeOptions } from "../../contracts/context.ts";
import { json, page } from "./scripted_exchange.ts";

const START_MS = Date.UTC(2024, 0, 1);
const PING = { action: "ping", path: "/api/v3/ping", weight: 1 };
const NEVER = new AbortController().signal;

function setUp(fetch: FakeOptions["fetch"], baseUrl = "https://api.binance.com", share = 0.5) {
  const clock = new VirtualClock(START_MS);
  const context = fakeContext({ clock, ...fetch ? { fetch } : {} });
  const client = new BinanceClient({ baseUrl, weightShare: share, context });
  return { clock, context, budget: client.budget, client };
}

function hanging(signal: AbortSignal | null | undefined): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  return promise;
}

Deno.test("BinanceClient leaves undefined parameters out and escapes the others, catalogue row 19", async () => {
  const asked: string[] = [];
  const { client } = setUp((url) => {
    asked.push(String(url));
    return Promise.resolve(json([]));
  }, "https://host.example/prefix//");
  await client.get({
    ...PING,
    query: { symbol: "币安人生USDT", startTime: 5, endTime: undefined, symbols: '["A&B"]' },
  }, NEVER);
  await client.get(PING, NEVER);
  assertEquals(asked, [
    "https://host.example/prefix/api/v3/ping" +
    "?symbol=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT&startTime=5&symbols=%5B%22A%26B%22%5D",
    "https://host.example/prefix/api/v3/ping",
  ]);
});

Deno.test("BinanceClient knows the exchange's time once it is told", async () => {
  const { client, clock } = setUp(() => Promise.resolve(json([])));
  assertEquals(client.now(), START_MS);
  const { steadyMs } = await client.get(PING, NEVER);
  client.setTime(steadyMs - 7_000, steadyMs);
  await clock.sleep(1_000);
  assertEquals(client.now(), START_MS - 6_000);
});

for (const [how, byMs] of [["ahead", 3_600_000], ["back", -3_600_000]] as const) {
  Deno.test(`BinanceClient keeps the exchange's time when this machine's clock is set ${how}, and notices`, async () => {
    const clock = new VirtualClock(START_MS);
    let shiftMs = 0;
    const context = fakeContext({
      clock: {
        now: () => clock.now() + shiftMs,
        steady: () => clock.steady(),
        sleep: (ms, signal) => clock.sleep(ms, signal),
      },
    });
    const client = new BinanceClient({ baseUrl: "http://x.test", weightShare: 1, context });
    client.setTime(START_MS + 7_000, clock.steady());
    await clock.sleep(60_000);
    assertEquals([client.now(), client.hasJumped()], [START_MS + 67_000, false]);
    shiftMs = byMs;
    assertEquals([client.now(), client.hasJumped()], [START_MS + 67_000, true]);
    client.setTime(START_MS + 67_500, clock.steady());
    assertEquals([client.now(), client.hasJumped()], [START_MS + 67_500, false]);
  });
}

Deno.test("BinanceClient waits for the exchange's minute, not its own, when weight is used up", async () => {
  const { client, budget, clock } = setUp(() => Promise.resolve(json([])));
  budget.setLimits([{ kind: "weight", windowMs: 60_000, limit: 4 }]);
  client.setTime(START_MS + 45_000, START_MS);
  for (let count = 0; count < 3; count++) await client.get(PING, NEVER);
  assertEquals(clock.now(), START_MS + 15_000);
});

Deno.test("BinanceClient tells how much weight is used", async () => {
  const { client, context } = setUp(() =>
    Promise.resolve(json([], 200, { "x-mbx-used-weight-1m": "40" }))
  );
  await client.get(PING, NEVER);
  await client.get(PING, NEVER);
  assertEquals([...context.gauges], [["weight_used", 41]]);
  assertEquals([...context.counters], [["requests", 2]]);
});

for (const status of [429, 418]) {
  Deno.test(`BinanceClient sends nothing at all until the Retry-After of a ${status} has passed`, async () => {
    const times: number[] = [];
    const { client, clock } = setUp(() => {
      times.push(clock.now() - START_MS);
      return Promise.resolve(
        times.length === 1 ? json({ code: -1003 }, status, { "retry-after": "90" }) : json([]),
      );
    });
    const error = await client.get(PING, NEVER).catch((error) => error);
    assertInstanceOf(error, RetryableError);
    assertEquals(error.retryAfterMs, 90_000);
    await Promise.all([client.get(PING, NEVER), client.get(PING, NEVER)]);
    assertEquals(times, [0, 90_000, 90_000]);
  });
}

for (const status of [403, 503]) {
  Deno.test(`BinanceClient stays away for 30 s after a ${status} page`, async () => {
    const times: number[] = [];
    const { client, clock } = setUp(() => {
      times.push(clock.now() - START_MS);
      return Promise.resolve(times.length === 1 ? page(status) : json([]));
    });
    await assertRejects(() => client.get(PING, NEVER), RetryableError);
    await client.get(PING, NEVER);
    assertEquals(times, [0, 30_000]);
  });
}

Deno.test("BinanceClient gives up on an answer that does not begin in 11 s", async () => {
  const { client, clock } = setUp((_url, init) => hanging(init?.signal));
  await assertRejects(
    () => client.get(PING, NEVER),
    RetryableError,
    "The exchange did not answer in 11000 ms",
  );
  assertEquals(clock.now(), START_MS + 11_000);
});

Deno.test("BinanceClient gives up on an answer that does not end in 11 s", async () => {
  const { client, clock } = setUp((_url, init) => {
    const body = new ReadableStream({
      start: (controller) => {
        controller.enqueue(new TextEncoder().encode("[[1,"));
        init?.signal?.addEventListener("abort", () => controller.error(init.signal?.reason));
      },
    });
    return Promise.resolve(new Response(body));
  });
  await assertRejects(
    () => client.get(PING, NEVER),
    RetryableError,
    "The exchange did not finish its answer in 11000 ms",
  );
  assertEquals(clock.now(), START_MS + 11_000);
});

Deno.test("BinanceClient leaves no timer behind when an answer comes in time", async () => {
  const { client, clock } = setUp(() => Promise.resolve(json([])));
  await client.get(PING, NEVER);
  await clock.sleep(0);
  assertEquals(clock.now(), START_MS, "a timer left behind would have moved the clock by 11 s");
});

Deno.test("BinanceClient takes a failed connection for something that passes", async () => {
  const { client, context } = setUp(() => Promise.reject(new TypeError("dns error")));
  const error = await client.get(PING, NEVER).catch((error) => error);
  assertInstanceOf(error, RetryableError);
  assertEquals(describeError(error), "The exchange cannot be reached: dns error");
  assertEquals(context.counters.get("failed_requests"), 1);
});

Deno.test("BinanceClient takes a connection that breaks in an answer for something that passes", async () => {
  const body = new ReadableStream({
    pull: (controller) => controller.error(new TypeError("reset by peer")),
  });
  const { client } = setUp(() => Promise.resolve(new Response(body)));
  const error = await client.get(PING, NEVER).catch((error) => error);
  assertInstanceOf(error, RetryableError);
  assertEquals(describeError(error), "The answer broke off: reset by peer");
});

Deno.test("BinanceClient does not try again what it has no permission for", async () => {
  const { client } = setUp(() =>
    Promise.reject(new Deno.errors.NotCapable("Requires net access to api.binance.com:443"))
  );
  const error = await client.get(PING, NEVER).catch((error) => error);
  assertInstanceOf(error, FatalError);
  assertStringIncludes(describeError(error), "Requires net access to api.binance.com:443");
});

Deno.test("BinanceClient throws the reason of its signal, whatever it waits for", async (test) => {
  const reason = new Error("stop");
  await test.step("an answer", async () => {
    const stop = new AbortController();
    const { client } = setUp((_url, init) => hanging(init?.signal));
    const answer = client.get(PING, stop.signal);
    stop.abort(reason);
    assertEquals(await answer.catch((error) => error), reason);
  });
  await test.step("room in the budget", async () => {
    const stop = new AbortController();
    const { client, budget, clock } = setUp(() => Promise.resolve(json([])));
    budget.setLimits([{ kind: "weight", windowMs: 60_000, limit: 2 }]);
    await client.get(PING, stop.signal);
    const answer = client.get(PING, stop.signal);
    stop.abort(reason);
    assertEquals(await answer.catch((error) => error), reason);
    assertEquals(clock.now(), START_MS);
  });
  await test.step("nothing, as it has aborted before", async () => {
    const { client, context } = setUp(() => Promise.resolve(json([])));
    assertEquals(await client.get(PING, AbortSignal.abort(reason)).catch((e) => e), reason);
    assertEquals(context.counters.size, 0);
  });
});

Deno.test("BinanceClient reads an answer to its end before it looks at the status", async () => {
  let answer: Response | undefined;
  const { client } = setUp(() => Promise.resolve(answer = page(502)));
  await assertRejects(() => client.get(PING, NEVER), RetryableError);
  assertEquals(answer?.bodyUsed, true);
});

Deno.test("BinanceClient frees an answer that comes after its signal has aborted", async () => {
  const stop = new AbortController();
  const late = Promise.withResolvers<Response>();
  const response = json([]);
  const { client } = setUp(() => late.promise);
  const answer = client.get(PING, stop.signal).catch((error) => error);
  await Promise.resolve();
  stop.abort(new Error("stop"));
  late.resolve(response);
  assertEquals((await answer).message, "stop");
  assertEquals(response.bodyUsed, true);
});

Deno.test("BinanceClient leaves no listener on a signal that outlives its requests", async () => {
  const { client } = setUp(() => Promise.resolve(json([])));
  const { signal } = new AbortController();
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (type: string, listener: EventListener) => {
    listeners++;
    add(type, listener);
  };
  signal.removeEventListener = (type: string, listener: EventListener) => {
    listeners--;
    remove(type, listener);
  };
  await client.get(PING, signal);
  assertEquals(listeners, 0);
});

Deno.test("BinanceClient gives what the request's parser gives, and else the JSON", async () => {
  const { client } = setUp(() => Promise.resolve(json([1])));
  const parse = (body: Uint8Array) => new TextDecoder().decode(body) + "!";
  assertEquals((await client.get({ ...PING, parse }, NEVER)).value, "[1]!");
  assertEquals((await client.get({ ...PING, parse: () => undefined }, NEVER)).value, [1]);
});

for (
  const [what, answer] of Object.entries({
    "a status other than 200": () => json([1], 202),
    "a page": () => new Response("[1]", { headers: { "content-type": "text/html" } }),
  })
) {
  Deno.test(`BinanceClient does not let the request's parser read ${what}`, async () => {
    const { client } = setUp(() => Promise.resolve(answer()));
    const parse = () => ["parsed"];
    await assertRejects(() => client.get({ ...PING, parse }, NEVER));
  });
}

Deno.test("Clients of one host in a run share what is left of its limits, and wait together", async () => {
  const times: number[] = [];
  const { client, budget, clock, context } = setUp(() => {
    times.push(clock.now() - START_MS);
    return Promise.resolve(
      times.length === 3 ? json({ code: -1003 }, 429, { "retry-after": "90" }) : json([]),
    );
  });
  const other = new BinanceClient({
    ...{ baseUrl: "https://api.binance.com:443/", weightShare: 0.5, context },
  });
  const elsewhere = new BinanceClient({
    ...{ baseUrl: "https://api.binance.us", weightShare: 0.5, context },
  });
  budget.setLimits([{ kind: "weight", windowMs: 60_000, limit: 4 }]);
  await client.get(PING, NEVER);
  await other.get(PING, NEVER);
  await assertRejects(() => client.get(PING, NEVER), RetryableError);
  await elsewhere.get(PING, NEVER);
  await other.get(PING, NEVER);
  assertEquals(times, [0, 0, 60_000, 60_000, 150_000]);
});
