import { assertEquals } from "@std/assert";
import { isPossibleName, readStreamName, readStreamUrl } from "../../simulator/stream_names.ts";

Deno.test("readStreamName() reads every interval, with and without the days of UTC+8", () => {
  const read = (name: string) => {
    const { symbol, interval, offsetMs } = readStreamName(name) ?? {};
    return `${symbol} ${interval} ${offsetMs}`;
  };
  assertEquals(
    ["btcusdt@kline_1m", "btcusdt@kline_1M", "ethbtc@kline_1s", "ethbtc@kline_1d@+08:00"].map(read),
    ["btcusdt 1m 0", "btcusdt 1M 0", "ethbtc 1s 0", "ethbtc 1d 28800000"],
  );
  assertEquals(read("1000satsusdt@kline_3d"), "1000satsusdt 3d 0");
  assertEquals(read("币安人生usdt@kline_1w"), "币安人生usdt 1w 0");
});

Deno.test("readStreamName() reads nothing else", () => {
  const names = [
    "",
    "btcusdt",
    "btcusdt@kline_",
    "btcusdt@kline_1mo",
    "btcusdt@kline_1m@+09:00",
    "btcusdt@kline_1m@",
    "BTCUSDT@kline_1m",
    "btcUSDT@kline_1m",
    "btcusdt@trade",
    "@kline_1m",
    "a@b@kline_1m",
  ];
  assertEquals(names.filter((name) => readStreamName(name)), []);
});

Deno.test("isPossibleName() takes what may name a stream, existing or not", () => {
  const possible = [
    "btcusdt@kline_1m",
    "BTCUSDT@kline_9x",
    "btcusdt@kline_1d@+08:00",
    "!ticker@arr",
  ];
  const impossible = ["", "btcusdt", "btc usdt@kline_1m", "btcusdt@", "@kline_1m", "a/b@kline_1m"];
  assertEquals(possible.filter(isPossibleName), possible);
  assertEquals(impossible.filter(isPossibleName), []);
});

Deno.test("readStreamUrl() reads names, envelope and unit", () => {
  const read = (path: string) => readStreamUrl(new URL(`wss://host:9443${path}`));
  assertEquals(read("/ws"), { combined: false, names: [], unit: "ms" });
  assertEquals(read("/ws/a@kline_1m/b@kline_1m"), {
    combined: false,
    names: ["a@kline_1m", "b@kline_1m"],
    unit: "ms",
  });
  assertEquals(read("/stream"), { combined: true, names: [], unit: "ms" });
  assertEquals(read("/stream?timeUnit=microsecond&streams=a@kline_1m/b@kline_1m"), {
    combined: true,
    names: ["a@kline_1m", "b@kline_1m"],
    unit: "us",
  });
  assertEquals(read("/stream?streams=a@kline_1d@%2B08:00/%zz")?.names, [
    "a@kline_1d@+08:00",
    "%zz",
  ]);
  assertEquals(read("/api/v3/ping"), undefined);
});
