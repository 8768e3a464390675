import { assertEquals, assertRejects } from "@std/assert";
import { VirtualClock } from "../../../engine/clock.ts";
import { OptionsError, RetryableError } from "../../../engine/errors.ts";
import { createSimulator } from "../../../simulator/mod.ts";
import { binanceRest } from "../../../sources/binance_rest.ts";
import { binanceWebsocket } from "../../../sources/binance_websocket.ts";
import { fakeContext } from "../../contracts/context.ts";
import { optionsOf } from "../../contracts/plugin.ts";

const clock = new VirtualClock(Date.UTC(2024, 4, 17));
const simulator = createSimulator({}, { clock });
const context = fakeContext({
  clock,
  fetch: (url, init) => simulator.handle(new Request(url, init)),
});

Deno.test("the probe of Binance looks the symbols up", async () => {
  const rest = optionsOf(binanceRest, { symbols: ["BTCUSDT"], interval: "1m", from: "2024-05-01" });
  assertEquals(await binanceRest.probe?.(rest, context), "api.binance.com:443 knows BTCUSDT");
  const live = optionsOf(binanceWebsocket, { symbols: ["BTCUSDT", "ETHUSDT"], interval: "1m" });
  assertEquals(
    await binanceWebsocket.probe?.(live, context),
    "api.binance.com:443 knows BTCUSDT, ETHUSDT; the streams of stream.binance.com:9443 were not tried",
  );
});

Deno.test("the probe of Binance fails on a symbol that does not exist, and at once where nobody answers", async () => {
  const wrong = optionsOf(binanceRest, {
    symbols: ["BTCUSDX"],
    interval: "1m",
    from: "2024-05-01",
  });
  await assertRejects(
    async () => await binanceRest.probe?.(wrong, context),
    OptionsError,
    "BTCUSDX",
  );
  const alone = fakeContext({ clock });
  await assertRejects(async () => await binanceRest.probe?.(wrong, alone), RetryableError);
  assertEquals(alone.said, []);
});
