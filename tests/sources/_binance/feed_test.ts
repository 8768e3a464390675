import { assert, assertEquals } from "@std/assert";
import { Feed, type FeedOptions } from "../../../sources/_binance/feed.ts";
import { type Place, Slots } from "../../../sources/_binance/slots.ts";
import type { StreamCandle } from "../../../sources/_binance/frame.ts";
import { seededRandom } from "../../contracts/context.ts";

const MINUTE = 60_000;
const START = Date.UTC(2024, 4, 17, 9, 30);

function rowOf(openMs: number, close = "1.50", trades = 3): unknown[] {
  const end = openMs + MINUTE - 1;
  return [openMs, "1.00", "2.00", "1.00", close, "9", end, "12", trades, "4", "5", "0"];
}

function candle(minute: number, more: Partial<StreamCandle> = {}): StreamCandle {
  const openMs = START + minute * MINUTE;
  return {
    ...{ kind: "candle", symbol: "BTCUSDT", interval: "1m", openMs, closed: true, trades: 3 },
    ...{ row: rowOf(openMs) },
    ...more,
  };
}

function feedOf(count: number, more: Partial<FeedOptions> = {}, place: Place = { from: START }) {
  const feed = new Feed({
    series: Array.from({ length: count }, () => ({ interval: "1m", place })),
    ...{ startMs: START, lateMs: 8_000, patienceMs: 900_000, mostKept: 10_000, pageRows: 100 },
    ...{ givesOpen: false },
    ...more,
  });
  for (let at = 0; at < count; at++) feed.join(at, START);
  return feed;
}

/** What leaves, as `series minute`. */
function left(feed: Feed, nowMs: number): string[] {
  return feed.take(nowMs).leaving.map(({ at, candle }) =>
    `${at} ${(Number(Array.isArray(candle) ? candle[0] : NaN) - START) / MINUTE}`
  );
}

function at(minute: number, ms = 0): number {
  return START + minute * MINUTE + ms;
}

Deno.test("Feed gives candles of one moment in the order of the series, whichever came first", () => {
  const feed = feedOf(3);
  feed.hear(2, candle(0), at(1));
  feed.hear(1, candle(0), at(1));
  assertEquals(left(feed, at(1)), []);
  feed.hear(0, candle(0), at(1, 20));
  assertEquals(left(feed, at(1, 20)), ["0 0", "1 0", "2 0"]);
});

Deno.test("Feed gives a candle at once when all that lack come after it", () => {
  const feed = feedOf(3);
  feed.hear(0, candle(0), at(1));
  assertEquals(left(feed, at(1)), ["0 0"]);
});

Deno.test("Feed asks REST for a candle that is late, and gives the others after it", () => {
  const feed = feedOf(2);
  feed.hear(1, candle(0), at(1));
  assertEquals(feed.nextAskMs(), at(1, 8_000));
  assertEquals(feed.due(at(1, 7_999)), []);
  assertEquals(feed.due(at(1, 8_000)), [0]);
  feed.ask(0);
  assertEquals(feed.due(at(1, 9_000)), []);
  const filled = feed.fill(0, [rowOf(at(0))], {
    askedMs: at(1, 8_000),
    nowMs: at(1, 8_100),
  });
  assertEquals(filled.recovered, 1);
  assertEquals(left(feed, at(1, 8_100)), ["0 0", "1 0"]);
});

Deno.test("Feed holds candles behind a gap until REST has given what lies between", () => {
  const feed = feedOf(1);
  feed.hear(0, candle(0), at(1));
  feed.hear(0, candle(3), at(4));
  assertEquals(left(feed, at(4)), ["0 0"]);
  assertEquals(feed.due(at(4)), [0]);
  const rows = [0, 1, 2, 3].map((minute) => rowOf(at(minute)));
  const filled = feed.fill(0, rows, { askedMs: at(4), nowMs: at(4) });
  assertEquals(filled.recovered, 2);
  assertEquals(filled.holes, []);
  assertEquals(left(feed, at(4)), ["0 1", "0 2", "0 3"]);
});

Deno.test("Feed takes a slot for a hole only when REST gives a later candle", () => {
  const feed = feedOf(1);
  feed.hear(0, candle(0), at(1));
  feed.hear(0, candle(3), at(4));
  left(feed, at(4));
  const early = { askedMs: at(4), nowMs: at(4) };
  assertEquals(feed.fill(0, [rowOf(at(0))], early).holes, []);
  assertEquals(left(feed, at(4)), []);
  const later = { askedMs: at(4, 5_000), nowMs: at(4, 5_000) };
  assertEquals(feed.fill(0, [rowOf(at(0)), rowOf(at(3))], later).holes, [
    { afterMs: at(0), toMs: at(3), missing: 2 },
  ]);
  assertEquals(left(feed, at(4, 5_000)), ["0 3"]);
});

Deno.test("Feed waits longer each time for what REST does not have, and then no more for the series", () => {
  const feed = feedOf(2);
  feed.hear(1, candle(0), at(1));
  const waits: number[] = [];
  for (let count = 0; count < 4; count++) {
    const askedMs = feed.nextAskMs();
    waits.push(askedMs - at(1));
    feed.fill(0, [], { askedMs, nowMs: askedMs });
    assertEquals(left(feed, askedMs), count < 3 ? [] : [], `${count}`);
  }
  assertEquals(waits, [8_000, 10_000, 14_000, 22_000]);
  const askedMs = at(1, 38_000);
  feed.fill(0, [], { askedMs, nowMs: askedMs });
  assertEquals(left(feed, askedMs), ["1 0"]);
  feed.hear(1, candle(1), at(2));
  assertEquals(left(feed, at(2)), ["1 1"]);
});

Deno.test("Feed waits again for a series that speaks again", () => {
  const feed = feedOf(2);
  feed.hear(1, candle(0), at(1));
  feed.fill(0, [], { askedMs: at(1, 40_000), nowMs: at(1, 40_000) });
  assertEquals(left(feed, at(1, 40_000)), ["1 0"]);
  feed.hear(0, candle(2, { closed: false }), at(2, 5_000));
  feed.hear(1, candle(1), at(2, 6_000));
  feed.hear(1, candle(2), at(3));
  assertEquals(left(feed, at(3)), []);
  feed.hear(0, candle(2), at(3, 50));
  const rows = [rowOf(at(2))];
  feed.fill(0, rows, { askedMs: at(3, 3_000), nowMs: at(3, 3_000) });
  assertEquals(left(feed, at(3, 3_000)), ["1 1", "0 2", "1 2"]);
});

Deno.test("Feed waits again for a quiet series when a longer candle tells of the end of a halt", () => {
  const feed = new Feed({
    series: [{ interval: "1m", place: { from: START } }, {
      interval: "5m",
      place: { from: START },
    }],
    ...{ startMs: START, lateMs: 8_000, patienceMs: 900_000, mostKept: 10_000, pageRows: 100 },
    givesOpen: false,
  });
  for (const series of [0, 1]) feed.join(series, START);
  feed.hear(0, candle(0), at(1));
  assertEquals(left(feed, at(1)), ["0 0"]);
  feed.fill(0, [rowOf(at(0))], { askedMs: at(2, 40_000), nowMs: at(2, 40_000) });
  feed.hear(1, candle(0, { interval: "5m" }), at(5));
  assertEquals(left(feed, at(5)), []);
  feed.fill(0, [rowOf(at(0)), rowOf(at(4))], { askedMs: at(5, 3_000), nowMs: at(5, 3_000) });
  assertEquals(left(feed, at(5, 3_000)), ["0 4", "1 0"]);
});

Deno.test("Feed stops waiting for a series when patience ends although REST cannot be asked", () => {
  const feed = feedOf(2, { patienceMs: 60_000 });
  feed.hear(1, candle(0), at(1));
  assertEquals(feed.take(at(1)).leaving, []);
  assertEquals(feed.nextTakeMs(), at(2));
  assertEquals(feed.take(at(2)).lost, 0);
  assertEquals(left(feed, at(2)), ["1 0"]);
  feed.hear(1, candle(1), at(2));
  assertEquals(left(feed, at(2)), ["1 1"]);
  const rows = [rowOf(at(0)), rowOf(at(1))];
  feed.fill(0, rows, { askedMs: at(2), nowMs: at(2, 100) });
  assertEquals(left(feed, at(2, 100)), ["0 0", "0 1"]);
});

Deno.test("Feed without patience gives each candle as it comes", () => {
  const feed = feedOf(2, { patienceMs: 0 });
  feed.hear(1, candle(0), at(1));
  assertEquals(left(feed, at(1)), ["1 0"]);
  feed.hear(1, candle(1), at(2));
  feed.hear(0, candle(0), at(2));
  assertEquals(left(feed, at(2)), ["0 0", "1 1"]);
});

Deno.test("Feed gives a candle again when REST has other values for one of the last three", () => {
  const feed = feedOf(1);
  for (let minute = 0; minute < 5; minute++) feed.hear(0, candle(minute), at(minute + 1));
  left(feed, at(5));
  const rows = [2, 3, 4].map((minute) => rowOf(at(minute), minute === 3 ? "1.75" : "1.50"));
  const asked = { askedMs: at(5, 9_000), nowMs: at(5, 9_000) };
  assertEquals(feed.fill(0, rows, asked).corrected, [at(3)]);
  const { leaving } = feed.take(at(5, 9_000));
  assertEquals(leaving, [{ at: 0, candle: rowOf(at(3), "1.75"), closed: true }]);
  assertEquals(feed.fill(0, rows, asked).corrected, []);
});

Deno.test("Feed gives what REST has when the stream gave a candle twice with other values", () => {
  const feed = feedOf(1);
  feed.hear(0, candle(0), at(1));
  left(feed, at(1));
  assertEquals(feed.hear(0, candle(0), at(1)), "doubled");
  const other = candle(0, { row: rowOf(at(0), "1.25") });
  assertEquals(feed.hear(0, other, at(1)), "disputed");
  assertEquals(feed.due(at(1, 3_000)), [0]);
  const asked = { askedMs: at(1, 3_000), nowMs: at(1, 3_000) };
  feed.fill(0, [rowOf(at(0), "1.25")], asked);
  assertEquals(feed.take(at(1, 3_000)).leaving.length, 1);
});

Deno.test("Feed sees corrections of candles that an earlier run gave", () => {
  const before = feedOf(1);
  for (let minute = 0; minute < 3; minute++) before.hear(0, candle(minute), at(minute + 1));
  left(before, at(3));
  const { place } = before.slots(0);
  const feed = feedOf(1, {}, JSON.parse(JSON.stringify(place)));
  assertEquals(feed.slots(0).askFromMs, at(0));
  const rows = [0, 1, 2].map((minute) => rowOf(at(minute), minute === 2 ? "1.01" : "1.50"));
  const asked = { askedMs: at(3), nowMs: at(3) };
  assertEquals(feed.fill(0, rows, asked).corrected, [at(2)]);
});

Deno.test("Feed gives the newest snapshot of the open candle, after all that comes before it", () => {
  const feed = feedOf(1, { givesOpen: true });
  feed.hear(0, candle(0, { closed: false, row: ["first"] }), at(0, 2_000));
  feed.hear(0, candle(0, { closed: false, row: ["second"] }), at(0, 4_000));
  assertEquals(feed.take(at(0, 4_000)).leaving, [{ at: 0, candle: ["second"], closed: false }]);
  assertEquals(feed.take(at(0, 4_001)).leaving, []);
  feed.hear(0, candle(1, { closed: false, row: ["next"] }), at(1, 2_000));
  assertEquals(feed.take(at(1, 2_000)).leaving, []);
  feed.hear(0, candle(0), at(1, 2_100));
  const { leaving } = feed.take(at(1, 2_100));
  assertEquals(leaving.map(({ candle, closed }) => closed ? "closed" : candle), [
    "closed",
    ["next"],
  ]);
});

Deno.test("Feed leaves closes it has no room for, asks for them later, and loses none", () => {
  const feed = feedOf(1, { mostKept: 3 });
  const arrivals = [0, 1, 2, 3, 4].map((minute) => feed.hear(0, candle(minute), at(minute + 1)));
  assertEquals(arrivals, ["ready", "ready", "ready", "left", "left"]);
  assertEquals(feed.due(at(6)), []);
  assertEquals(left(feed, at(6)), ["0 0", "0 1", "0 2"]);
  assertEquals(feed.due(at(6)), [0]);
  const rows = [0, 1, 2, 3, 4].map((minute) => rowOf(at(minute)));
  feed.fill(0, rows, { askedMs: at(6), nowMs: at(6) });
  assertEquals(left(feed, at(6)), ["0 3", "0 4"]);
});

Deno.test("Slots of months follow the calendar", () => {
  const slots = new Slots("1M", { from: Date.UTC(2024, 0, 1), after: Date.UTC(2024, 0, 1) });
  assertEquals(slots.expectedMs, Date.UTC(2024, 1, 1));
  assertEquals(slots.frontierMs, Date.UTC(2024, 2, 1));
  assertEquals(slots.arrive(Date.UTC(2024, 1, 1), rowOf(Date.UTC(2024, 1, 1))), "ready");
  assertEquals(slots.askFromMs, Date.UTC(2024, 0, 1));
});

Deno.test("Slots take candles off the grid as they are", () => {
  const opens = ["03:28:14.789", "04:28:14.789"].map((text) => Date.parse(`2018-02-10T${text}Z`));
  const slots = new Slots("1h", { from: Date.UTC(2018, 1, 10, 2) });
  const { added, holes } = slots.fill(
    [Date.UTC(2018, 1, 10, 2), ...opens, Date.UTC(2018, 1, 10, 5)].map((ms) => rowOf(ms)),
  );
  assertEquals(added.length, 4);
  assertEquals(holes, []);
});

const MARKET = 60;

/** A market, an unreliable stream and an unreliable REST, all drawn from a seed. */
function play(seed: number): { order: string[]; truth: string[]; corrected: number } {
  const random = seededRandom(seed);
  const count = 1 + Math.floor(random() * 4);
  const haltFrom = 10 + Math.floor(random() * 20);
  const haltTo = haltFrom + Math.floor(random() * 8);
  const isThere = (minute: number) => minute < haltFrom || minute >= haltTo;
  const minutes = Array.from({ length: MARKET }, (_, minute) => minute).filter(isThere);
  const truth = minutes.flatMap((minute) =>
    Array.from({ length: count }, (_, series) => `${series} ${minute}`)
  );
  const events: { ms: number; series: number; minute: number; closed: boolean }[] = [];
  for (const minute of minutes) {
    for (let series = 0; series < count; series++) {
      // Streams give snapshots more often than not.
      const openMs = at(minute, 2_000 + random() * 40_000);
      if (random() < 0.7) events.push({ ms: openMs, series, minute, closed: false });
      const fate = random();
      if (fate < 0.2) continue;
      const delayMs = fate < 0.4 ? random() * 150_000 : random() * 100;
      events.push({ ms: at(minute + 1, delayMs), series, minute, closed: true });
      if (fate < 0.9) continue;
      events.push({ ms: at(minute + 1, random() * 90_000), series, minute, closed: true });
    }
  }
  events.sort((a, b) => a.ms - b.ms);
  const lagMs = random() < 0.5 ? 0 : random() * 20_000;
  let feed = feedOf(count, { pageRows: 5 + Math.floor(random() * 50) });
  const order: string[] = [];
  const asking: { ms: number; askedMs: number; series: number }[] = [];
  for (let nowMs = START; nowMs < at(MARKET + 12); nowMs += 500) {
    for (; (events[0]?.ms ?? Infinity) <= nowMs;) {
      const event = events.shift();
      if (event) feed.hear(event.series, candle(event.minute, { closed: event.closed }), nowMs);
    }
    for (const asked of asking.filter(({ ms }) => ms <= nowMs)) {
      asking.splice(asking.indexOf(asked), 1);
      if (random() < 0.2) {
        asking.push({ ...asked, ms: nowMs + 5_000, askedMs: nowMs });
        continue;
      }
      const { series, askedMs } = asked;
      const fromMs = feed.slots(series).askFromMs;
      const rows = minutes.map((minute) => at(minute))
        .filter((ms) => ms >= fromMs && ms + MINUTE + lagMs <= askedMs).map((ms) => rowOf(ms));
      feed.fill(series, rows.slice(0, 60), { askedMs, nowMs });
    }
    for (const series of feed.due(nowMs)) {
      feed.ask(series);
      asking.push({ ms: nowMs + random() * 4_000, askedMs: nowMs, series });
    }
    if (random() < 0.7) order.push(...left(feed, nowMs));
    if (random() < 0.002) {
      const places = Array.from({ length: count }, (_, at) => feed.slots(at).place);
      feed = new Feed({
        series: places.map((place) => ({ interval: "1m", place })),
        ...{ startMs: nowMs, lateMs: 8_000, patienceMs: 900_000, mostKept: 10_000, pageRows: 60 },
        givesOpen: false,
      });
      for (let at = 0; at < count; at++) feed.join(at, nowMs);
      asking.length = 0;
    }
  }
  return { order, truth, corrected: 0 };
}

Deno.test("Feed gives each candle once and all in one order, whatever streams and REST do (300 seeds)", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const { order, truth } = play(seed);
    assert(truth.length > 40);
    assertEquals(order, truth, `seed ${seed}`);
  }
});
