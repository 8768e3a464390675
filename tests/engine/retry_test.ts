import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { VirtualClock } from "../../engine/clock.ts";
import { FatalError, RecordError, RetryableError } from "../../engine/errors.ts";
import { retry, type RetryContext, waitBeforeRetry } from "../../engine/retry.ts";

const ALMOST_ONE = 1 - 2 ** -53;

/** A context that notes each wait and each message. */
function retryContext(random: () => number = () => 0, signal = new AbortController().signal) {
  const clock = new VirtualClock(0);
  const waits: number[] = [];
  const said: string[] = [];
  const say = (level: string) => (message: string, details = {}) =>
    void said.push(`${level} ${message} ${JSON.stringify(details)}`);
  const context: RetryContext = {
    random,
    sleep: (ms) => {
      waits.push(ms);
      return clock.sleep(ms, signal);
    },
    log: { warn: say("warn"), info: say("info") },
  };
  return { context, waits, said, clock };
}

/** Fails as often as told, then gives `fine`. */
function failing(times: number, error: () => unknown = () => new RetryableError("busy")) {
  let attempts = 0;
  return {
    attempts: () => attempts,
    attempt: () => ++attempts > times ? Promise.resolve("fine") : Promise.reject(error()),
  };
}

Deno.test("retry() gives what the first attempt gives, and says and waits nothing", async () => {
  const { context, waits, said } = retryContext();
  assertEquals(await retry("connect", () => Promise.resolve(7), context), 7);
  assertEquals([waits, said], [[], []]);
});

Deno.test("retry() waits nothing at all when chance says so and nothing was asked for", async () => {
  const { context, waits } = retryContext(() => 0);
  assertEquals(await retry("connect", failing(3).attempt, context), "fine");
  assertEquals(waits, [0, 0, 0]);
});

Deno.test("retry() doubles the longest possible wait with each failure, up to 60 s", async () => {
  const { context, waits } = retryContext(() => ALMOST_ONE);
  await retry("connect", failing(10).attempt, context);
  assertEquals(waits, [
    500,
    1_000,
    2_000,
    4_000,
    8_000,
    16_000,
    32_000,
    60_000,
    60_000,
    60_000,
  ]);
});

Deno.test("retry() spreads its waits evenly below the longest one", async () => {
  const draws = [0.5, 0.25, 0.1];
  const { context, waits } = retryContext(() => draws.shift() ?? 0);
  await retry("connect", failing(3).attempt, context);
  assertEquals(waits, [250, 250, 200]);
});

Deno.test("retry() adds its own wait to what the other side asks for", async () => {
  const { context, waits } = retryContext(() => 0.5);
  const asked = () => new RetryableError("slow down", { retryAfterMs: 3_000 });
  await retry("connect", failing(2, asked).attempt, context);
  assertEquals(waits, [3_250, 3_500]);
});

Deno.test("retry() waits longer than 60 s when the other side asks for it", async () => {
  const { context, clock } = retryContext(() => 0);
  const asked = () => new RetryableError("banned", { retryAfterMs: 7_200_000 });
  await retry("connect", failing(1, asked).attempt, context);
  assertEquals(clock.now(), 7_200_000);
});

Deno.test("retry() passes on at once what asks for no other attempt", async () => {
  for (
    const error of [
      new FatalError("wrong key"),
      new RecordError("bad record"),
      new TypeError("x is undefined"),
      new DOMException("Stopped", "AbortError"),
      "text",
      undefined,
    ]
  ) {
    const { context, waits, said } = retryContext();
    const { attempt, attempts } = failing(1, () => error);
    const thrown = await retry("connect", attempt, context).then(() => "none", (e) => e);
    assertStrictEquals(thrown, error);
    assertEquals([attempts(), waits, said], [1, [], []]);
  }
});

Deno.test("retry() passes on such an error after others that asked for another attempt", async () => {
  const { context, waits } = retryContext();
  const errors = [new RetryableError("busy"), new FatalError("wrong key")];
  const { attempt } = failing(2, () => errors.shift());
  await assertRejects(() => retry("connect", attempt, context), FatalError, "wrong key");
  assertEquals(waits.length, 1);
});

Deno.test("retry() tries again when the attempt throws before it gives a promise", async () => {
  const { context } = retryContext();
  let attempts = 0;
  const result = await retry("connect", () => {
    if (++attempts < 3) throw new RetryableError("busy");
    return Promise.resolve(attempts);
  }, context);
  assertEquals(result, 3);
});

Deno.test("retry() makes no more attempts than it may, and fails with the last error without a wait", async () => {
  const { context, waits } = retryContext();
  let n = 0;
  const { attempt, attempts } = failing(9, () => new RetryableError(`busy ${++n}`));
  await assertRejects(
    () => retry("connect", attempt, context, { maxAttempts: 3 }),
    FatalError,
    "Cannot connect in 3 attempts",
  );
  assertEquals([attempts(), waits.length], [3, 2]);
});

Deno.test("retry() may be told to try once only", async () => {
  const { context, waits } = retryContext();
  const { attempt, attempts } = failing(1);
  await assertRejects(() => retry("connect", attempt, context, { maxAttempts: 1 }), FatalError);
  assertEquals([attempts(), waits], [1, []]);
});

Deno.test("retry() succeeds with the very last attempt it may make", async () => {
  const { context } = retryContext();
  assertEquals(await retry("connect", failing(2).attempt, context, { maxAttempts: 3 }), "fine");
});

Deno.test("retry() tries hundreds of times where no limit is set", async () => {
  const { context, waits } = retryContext(() => ALMOST_ONE);
  const { attempt, attempts } = failing(1_200);
  const sleep = (ms: number) => Promise.resolve(void waits.push(ms));
  await retry("connect", attempt, { ...context, sleep });
  assertEquals(attempts(), 1_201);
  // Beyond 2 ** 1023 the doubling is no number any more.
  assertEquals(waits.at(-1), 60_000);
});

Deno.test("retry() ends during a wait as soon as its sleep is aborted", async () => {
  const stop = new AbortController();
  const reason = new Error("stopped");
  const { context, clock } = retryContext(() => 0, stop.signal);
  const { attempt, attempts } = failing(
    9,
    () => new RetryableError("busy", { retryAfterMs: 3_600_000 }),
  );
  void clock.sleep(10).then(() => stop.abort(reason));
  const error = await retry("connect", attempt, context).catch((thrown) => thrown);
  assertStrictEquals(error, reason);
  assertEquals([attempts(), clock.now()], [1, 10]);
});

Deno.test("retry() says what failed, how often and when it tries again, and that it worked at last", async () => {
  const { context, said } = retryContext(() => 0.5);
  const errors = [
    new RetryableError("busy", { cause: new Error("queue full") }),
    new RetryableError("slow down", { retryAfterMs: 10_000 }),
  ];
  await retry("connect to the store", failing(2, () => errors.shift()).attempt, context);
  assertEquals(said, [
    'warn Cannot connect to the store: busy: queue full {"attempt":1,"next_attempt_ms":250}',
    'warn Cannot connect to the store: slow down {"attempt":2,"next_attempt_ms":10500}',
    'info Could connect to the store at last {"attempts":3}',
  ]);
});

Deno.test("waitBeforeRetry() gives whole milliseconds between 0 and 60 s", () => {
  const error = new RetryableError("busy");
  assertEquals(waitBeforeRetry(0, error, () => 0), 0);
  assertEquals(waitBeforeRetry(0, error, () => ALMOST_ONE), 500);
  assertEquals(waitBeforeRetry(0, error, () => 0.3333), 167);
  assertEquals(waitBeforeRetry(6, error, () => ALMOST_ONE), 32_000);
  assertEquals(waitBeforeRetry(7, error, () => ALMOST_ONE), 60_000);
  assertEquals(waitBeforeRetry(5_000, error, () => ALMOST_ONE), 60_000);
});

Deno.test("waitBeforeRetry() waits for three days at most, whatever is asked", () => {
  for (const retryAfterMs of [1e15, Infinity]) {
    const error = new RetryableError("busy", { retryAfterMs });
    assertEquals(waitBeforeRetry(0, error, () => 0), 259_200_000);
  }
});

Deno.test("waitBeforeRetry() takes a request that makes no sense for none", () => {
  // Such as `Retry-After: Wed, 21 Oct 2015 07:28:00 GMT` read as seconds, or a date that has passed.
  for (const retryAfterMs of [NaN, -5_000, -Infinity]) {
    assertEquals(
      waitBeforeRetry(0, new RetryableError("busy", { retryAfterMs }), () => 0.5),
      250,
      String(retryAfterMs),
    );
  }
});
