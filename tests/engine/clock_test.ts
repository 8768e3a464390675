import { assertEquals, assertGreaterOrEqual, assertRejects, assertStrictEquals } from "@std/assert";
import { systemClock, VirtualClock } from "../../engine/clock.ts";

/** Lets everything run that does not wait for time. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Notes who wakes and what the clock shows then. */
function sleepers(clock: VirtualClock) {
  const woken: string[] = [];
  const sleep = (name: string, ms: number, signal?: AbortSignal) =>
    clock.sleep(ms, signal).then(() => void woken.push(`${name} ${clock.now()}`));
  return { woken, sleep };
}

Deno.test("VirtualClock shows the moment it was made for and stands still", async () => {
  const clock = new VirtualClock(1_704_067_200_000);
  await settle();
  assertEquals(clock.now(), 1_704_067_200_000);
});

Deno.test("VirtualClock wakes sleepers in the order of their moments, each at its own", async () => {
  const clock = new VirtualClock(100);
  const { woken, sleep } = sleepers(clock);
  await Promise.all([sleep("c", 30), sleep("a", 10), sleep("d", 40), sleep("b", 20)]);
  assertEquals(woken, ["a 110", "b 120", "c 130", "d 140"]);
});

Deno.test("VirtualClock wakes sleepers of one moment in the order they fell asleep", async () => {
  const clock = new VirtualClock(0);
  const { woken, sleep } = sleepers(clock);
  await Promise.all([sleep("x", 20), sleep("a", 10), sleep("b", 10), sleep("c", 10)]);
  assertEquals(woken, ["a 10", "b 10", "c 10", "x 20"]);
});

Deno.test("VirtualClock wakes those whose moments meet later in the order they fell asleep", async () => {
  const clock = new VirtualClock(0);
  const { woken, sleep } = sleepers(clock);
  const first = sleep("early", 30);
  const second = clock.sleep(10).then(() => sleep("late", 20));
  await Promise.all([first, second]);
  assertEquals(woken, ["early 30", "late 30"]);
});

Deno.test("VirtualClock lets a woken sleeper go on to its next sleep before anyone later wakes", async () => {
  const clock = new VirtualClock(0);
  const { woken, sleep } = sleepers(clock);
  const loop = async () => {
    for (let n = 1; n <= 3; n++) await sleep(`loop${n}`, 10);
  };
  await Promise.all([loop(), sleep("late", 25)]);
  assertEquals(woken, ["loop1 10", "loop2 20", "late 25", "loop3 30"]);
});

Deno.test("an eager VirtualClock wakes in the same order, and runs all promises in between", async () => {
  const clock = new VirtualClock(0, { eager: true });
  const { woken, sleep } = sleepers(clock);
  const loop = async () => {
    for (let n = 1; n <= 3; n++) {
      await sleep(`loop${n}`, 10);
      for (let step = 0; step < 100; step++) await Promise.resolve();
    }
  };
  const abort = new AbortController();
  const given = assertRejects(() => clock.sleep(5, abort.signal));
  abort.abort(new Error("given up"));
  await given;
  await Promise.all([loop(), sleep("late", 25)]);
  assertEquals(woken, ["loop1 10", "loop2 20", "late 25", "loop3 30"]);
});

Deno.test("VirtualClock runs all promises between two sleepers", async () => {
  const clock = new VirtualClock(0);
  const seen: number[] = [];
  const chain = clock.sleep(1).then(async () => {
    for (let n = 0; n < 100; n++) await Promise.resolve();
    seen.push(clock.now());
  });
  await Promise.all([chain, clock.sleep(2)]);
  assertEquals(seen, [1]);
});

Deno.test("VirtualClock takes no time for years", async () => {
  const clock = new VirtualClock(0);
  await clock.sleep(5 * 365 * 86_400_000);
  assertEquals(clock.now(), 157_680_000_000);
});

Deno.test("VirtualClock sleeps not at all for 0, less than 0 and not a number", async () => {
  const clock = new VirtualClock(50);
  for (const ms of [0, -0, -10, NaN, -Infinity]) {
    await clock.sleep(ms);
    assertEquals(clock.now(), 50);
  }
});

Deno.test("VirtualClock rejects a sleep whose signal has aborted before", async () => {
  const clock = new VirtualClock(0);
  const reason = new Error("stopped");
  const error = await clock.sleep(10, AbortSignal.abort(reason)).catch((thrown) => thrown);
  assertStrictEquals(error, reason);
  await clock.sleep(5);
  assertEquals(clock.now(), 5);
});

Deno.test("VirtualClock rejects an aborted sleep at once and forgets its moment", async () => {
  const clock = new VirtualClock(0);
  const { woken, sleep } = sleepers(clock);
  const stop = new AbortController();
  const reason = new Error("stopped");
  const aborted = sleep("aborted", 1_000, stop.signal).catch((error) => error);
  const other = sleep("other", 20);
  stop.abort(reason);
  assertStrictEquals(await aborted, reason);
  assertEquals(clock.now(), 0);
  await other;
  await settle();
  assertEquals([clock.now(), woken], [20, ["other 20"]]);
});

Deno.test("VirtualClock keeps the order of the others when one is aborted between them", async () => {
  const clock = new VirtualClock(0);
  const { woken, sleep } = sleepers(clock);
  const stop = new AbortController();
  const all = [sleep("a", 10), sleep("x", 10, stop.signal).catch(() => {}), sleep("b", 10)];
  stop.abort();
  await Promise.all(all);
  assertEquals(woken, ["a 10", "b 10"]);
});

Deno.test("VirtualClock can abort one sleeper from another", async () => {
  const clock = new VirtualClock(0);
  const stop = new AbortController();
  const long = clock.sleep(1_000, stop.signal).catch(() => clock.now());
  await clock.sleep(10).then(() => stop.abort());
  assertEquals(await long, 10);
});

Deno.test("VirtualClock leaves a signal alone once its sleeper has woken", async () => {
  const clock = new VirtualClock(0);
  const stop = new AbortController();
  await clock.sleep(10, stop.signal);
  stop.abort();
  await clock.sleep(10);
  assertEquals(clock.now(), 20);
});

Deno.test({
  name: "VirtualClock holds no timer once its only sleeper was aborted",
  sanitizeOps: true,
  fn() {
    const clock = new VirtualClock(0);
    const stop = new AbortController();
    clock.sleep(10, stop.signal).catch(() => {});
    stop.abort();
  },
});

Deno.test("VirtualClock never wakes who sleeps for ever, and does not run to the end of time", async () => {
  const clock = new VirtualClock(0);
  const stop = new AbortController();
  const forEver = clock.sleep(Infinity, stop.signal).catch(() => "aborted");
  await clock.sleep(10);
  await settle();
  assertEquals(clock.now(), 10);
  stop.abort();
  assertEquals(await forEver, "aborted");
});

Deno.test("VirtualClock moves only by advance() when it is manual", async () => {
  const clock = new VirtualClock(0, { manual: true });
  const { woken, sleep } = sleepers(clock);
  const asleep = sleep("a", 10);
  await settle();
  assertEquals([clock.now(), woken], [0, []]);
  await clock.advance(9);
  assertEquals([clock.now(), woken], [9, []]);
  await clock.advance(1);
  assertEquals([clock.now(), woken], [10, ["a 10"]]);
  await asleep;
});

Deno.test("VirtualClock.advance() wakes each sleeper at its own moment, and those they start", async () => {
  const clock = new VirtualClock(0, { manual: true });
  const { woken, sleep } = sleepers(clock);
  const loop = async () => {
    for (let n = 1; n <= 4; n++) await sleep(`loop${n}`, 10);
  };
  const all = [loop(), sleep("between", 15)];
  await clock.advance(35);
  assertEquals(clock.now(), 35);
  assertEquals(woken, ["loop1 10", "between 15", "loop2 20", "loop3 30"]);
  await clock.advance(5);
  await Promise.all(all);
  assertEquals(woken.at(-1), "loop4 40");
});

Deno.test("VirtualClock.advance() wakes who falls asleep only after it was called", async () => {
  const clock = new VirtualClock(0, { manual: true });
  const { woken, sleep } = sleepers(clock);
  const late = Promise.resolve().then(() => sleep("late", 10));
  await clock.advance(10);
  await late;
  assertEquals(woken, ["late 10"]);
});

Deno.test("VirtualClock.advance() passes by who was aborted", async () => {
  const clock = new VirtualClock(0, { manual: true });
  const stop = new AbortController();
  const aborted = assertRejects(() => clock.sleep(10, stop.signal), DOMException, "aborted");
  stop.abort();
  await clock.advance(20);
  await aborted;
  assertEquals(clock.now(), 20);
});

Deno.test("VirtualClock.advance() never turns time back", async () => {
  const clock = new VirtualClock(0);
  const long = clock.sleep(1_000);
  await clock.advance(10);
  await long;
  assertGreaterOrEqual(clock.now(), 1_000);
});

Deno.test("systemClock shows the time of the machine", () => {
  const before = Date.now();
  assertGreaterOrEqual(systemClock.now(), before);
});

Deno.test({
  name: "systemClock.sleep() ends as soon as its signal aborts, and leaves no timer",
  sanitizeOps: true,
  async fn() {
    const stop = new AbortController();
    const reason = new Error("stopped");
    const asleep = systemClock.sleep(3_600_000, stop.signal).catch((error) => error);
    stop.abort(reason);
    assertStrictEquals(await asleep, reason);
  },
});

Deno.test("systemClock.sleep() rejects when its signal has aborted before", async () => {
  const reason = new Error("stopped");
  const error = await systemClock.sleep(3_600_000, AbortSignal.abort(reason)).catch((e) => e);
  assertStrictEquals(error, reason);
});

Deno.test("systemClock.sleep() without a signal resolves", async () => {
  await systemClock.sleep(0);
});
