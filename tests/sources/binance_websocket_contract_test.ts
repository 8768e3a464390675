import { VirtualClock } from "../../engine/clock.ts";
import { FatalError, OptionsError } from "../../engine/errors.ts";
import type { RawCandle } from "../../engine/point.ts";
import { createSimulator, type Scenario, type Simulator } from "../../simulator/mod.ts";
import { binanceWebsocket } from "../../sources/binance_websocket.ts";
import { type FakeContext, fakeContext } from "../contracts/context.ts";
import { testSource } from "../contracts/source.ts";

const MINUTE = 60_000;
const NOW = Date.UTC(2024, 0, 1, 12, 0, 20);
const FROM = NOW - 30 * MINUTE;

/** A market with a halt, and an exchange that now and then forgets a close. */
const SCENARIO: Scenario = {
  halts: [{ from: NOW - 20 * MINUTE, to: NOW - 15 * MINUTE }],
  stream_faults: [{ kind: "omit", after: 2, times: 2 }],
  streams: { snapshot_ms: 30_000 },
};

function exchange(
  signal: AbortSignal,
  scenario: Scenario,
): { readonly simulator: Simulator; readonly context: FakeContext } {
  const clock = new VirtualClock(NOW);
  const simulator = createSimulator(scenario, { clock });
  const context = fakeContext({
    clock,
    signal,
    fetch: (url, init) => simulator.handle(new Request(url, init)),
    webSocket: (url) => {
      const socket = simulator.connect(url);
      const close = socket.close.bind(socket);
      // The only socket is closed when reading ends: nothing of this world may go on then.
      socket.close = (...how) => {
        close(...how);
        simulator.close();
      };
      return socket;
    },
  });
  return { simulator, context };
}

/** What the exchange has had by the fourth minute after the start. */
async function expected(): Promise<RawCandle[]> {
  const clock = new VirtualClock(NOW);
  const simulator = createSimulator(SCENARIO, { clock });
  await clock.sleep(4 * MINUTE);
  const candles = ["BTC", "ETH"].flatMap((base) => {
    const symbol = `${base}USDT`;
    const series = { exchange: "binance", symbol, base, quote: "USDT", interval: "1m" };
    return simulator.candles(symbol, "1m", FROM, clock.now())
      .map((candle) => ({ series, candle: [...candle], closed: true }));
  });
  simulator.close();
  return candles.sort((a, b) => Number(a.candle[0]) - Number(b.candle[0]));
}

const OPTIONS = {
  symbols: ["BTCUSDT", "ETHUSDT"],
  interval: "1m" as const,
  from: FROM,
  base_url: "ws://stream.test:9443",
  rest_url: "http://rest.test:8080",
};

testSource(binanceWebsocket, {
  name: "at the simulator",
  options: OPTIONS,
  permissions: { net: ["stream.test:9443", "rest.test:8080"] },
  context: (signal) => exchange(signal, SCENARIO).context,
  records: await expected(),
  failing: [
    {
      name: "the exchange does not have a symbol",
      options: { ...OPTIONS, symbols: ["BTCUSD"] },
      context: (signal) => exchange(signal, SCENARIO).context,
      error: OptionsError,
      message: "BTCUSD",
    },
    {
      name: "the exchange is not to be reached from here",
      context: (signal) => exchange(signal, { faults: [{ kind: "status", status: 451 }] }).context,
      error: FatalError,
      message: "country",
    },
  ],
});
