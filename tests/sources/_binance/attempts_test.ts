import { assertEquals } from "@std/assert";
import { VirtualClock } from "../../../engine/clock.ts";
import { Attempts, reconnectWaitMs } from "../../../sources/_binance/attempts.ts";
import { Bell } from "../../../sources/_binance/bell.ts";
import { addressOf } from "../../../sources/_binance/connections.ts";

Deno.test("Attempts lets 120 connections be tried in five minutes, and no more", async () => {
  const clock = new VirtualClock(0);
  const attempts = new Attempts();
  const { signal } = new AbortController();
  for (let count = 0; count < 120; count++) await attempts.admit(clock, signal);
  assertEquals(clock.now(), 0);
  await attempts.admit(clock, signal);
  assertEquals(clock.now(), 300_000);
});

Deno.test("reconnectWaitMs() is a second at least and 31 at the most", () => {
  assertEquals(reconnectWaitMs(0, 1006, () => 0), 1_000);
  assertEquals(reconnectWaitMs(1_000, 1006, () => 0.999_999), 31_000);
});

Deno.test("Bell keeps a ring that nobody waited for", async () => {
  const clock = new VirtualClock(0);
  const { signal } = new AbortController();
  const bell = new Bell();
  bell.ring();
  await bell.wait(5_000, clock, signal);
  assertEquals(clock.now(), 0);
  await bell.wait(5_000, clock, signal);
  assertEquals(clock.now(), 5_000);
});

Deno.test("addressOf() puts as many streams into the address as it bears", () => {
  const names = Array.from({ length: 1_024 }, (_, at) => `coin${at}usdt@kline_1m`);
  const { url, rest } = addressOf("wss://stream.binance.com:9443", names);
  assertEquals(url.length <= 7_000, true);
  assertEquals(url.length > 6_950, true);
  assertEquals(url.split("/").slice(3).length + rest.length, 1_024);
  assertEquals(rest.at(-1), "coin1023usdt@kline_1m");
});

Deno.test("addressOf() escapes names that are not ASCII, and keeps the case of intervals", () => {
  assertEquals(
    addressOf("ws://host", ["币usdt@kline_1M"]).url,
    "ws://host/stream?streams=%E5%B8%81usdt@kline_1M",
  );
});
