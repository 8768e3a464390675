import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { VirtualClock } from "../../engine/clock.ts";
import {
  createSimulator,
  type Scenario,
  serveSimulator,
  type Simulator,
} from "../../simulator/mod.ts";
import { NOW } from "./_ask.ts";

const KLINES = "/api/v3/klines?symbol=BTCUSDT&interval=1h&limit=2";

function serve(scenario: Scenario = {}) {
  const clock = new VirtualClock(NOW, { manual: true });
  const simulator = createSimulator(scenario, { clock });
  return { simulator, clock, served: serveSimulator(simulator) };
}

Deno.test("serveSimulator() listens on loopback and answers as handle() does", async () => {
  const { served, simulator } = serve();
  assertMatch(served.rest, /^http:\/\/127\.0\.0\.1:\d+$/);
  assertEquals(served.stream, served.rest.replace("http", "ws"));
  const response = await fetch(served.rest + KLINES);
  const own = await simulator.handle(new Request(`http://localhost${KLINES}`));
  assertEquals(await response.text(), await own.text());
  assertEquals(response.headers.get("x-mbx-used-weight-1m"), "2");
  await served.close();
});

Deno.test("serveSimulator() lets requests wait for a simulator that is still to be made", async () => {
  const { promise, resolve } = Promise.withResolvers<Simulator>();
  const served = serveSimulator(promise);
  const response = fetch(`${served.rest}/api/v3/time`);
  resolve(createSimulator({}, { clock: new VirtualClock(NOW, { manual: true }) }));
  assertEquals(await (await response).json(), { serverTime: NOW });
  await served.close();
});

Deno.test("serveSimulator() passes headers on", async () => {
  const { served } = serve();
  const response = await fetch(`${served.rest}/api/v3/time`, {
    headers: { "X-MBX-TIME-UNIT": "MICROSECOND" },
  });
  assertEquals(await response.json(), { serverTime: NOW * 1_000 });
  await served.close();
});

Deno.test("serveSimulator() listens on the port it is given, again after it was closed", async () => {
  const first = serve();
  const port = Number(new URL(first.served.rest).port);
  await first.served.close();
  const served = serveSimulator(first.simulator, { port });
  assertEquals(served.rest, `http://127.0.0.1:${port}`);
  assertEquals(await (await fetch(`${served.rest}/api/v3/ping`)).json(), {});
  await served.close();
});

Deno.test("serveSimulator() refuses a port that is taken", async () => {
  const { served, simulator } = serve();
  const port = Number(new URL(served.rest).port);
  await assertRejects(
    () => Promise.resolve().then(() => serveSimulator(simulator, { port }).close()),
    Deno.errors.AddrInUse,
  );
  await served.close();
});

Deno.test("a reset reaches a client as a connection that breaks", async () => {
  const { served } = serve({ faults: [{ kind: "reset" }] });
  const response = await fetch(served.rest + KLINES);
  assertEquals(response.status, 200);
  await assertRejects(() => response.text(), TypeError);
  assertEquals((await (await fetch(served.rest + KLINES)).json()).length, 2);
  await served.close();
});

Deno.test("a truncated answer reaches a client whole, as broken JSON", async () => {
  const { served } = serve({ faults: [{ kind: "truncate" }] });
  const response = await fetch(served.rest + KLINES);
  await assertRejects(() => response.json(), SyntaxError);
  await served.close();
});

Deno.test("close() gives up answers that are held back", async () => {
  const { served, held } = serveSlowly();
  const answer = fetch(served.rest + KLINES).then((response) => response.body?.cancel());
  await held;
  await served.close();
  // It depends on timing whether the client still gets a 503 or sees the connection break.
  await Promise.allSettled([answer]);
});

Deno.test("close() ends the waiting for an answer that is held back", async () => {
  const waited = Promise.withResolvers<AbortSignal | undefined>();
  const clock = {
    now: () => NOW,
    steady: () => NOW,
    sleep: (_ms: number, signal?: AbortSignal) => {
      waited.resolve(signal);
      return new Promise<void>((_, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
    },
  };
  const faults = [{ kind: "slow" as const, delay_ms: 60_000 }];
  const served = serveSimulator(createSimulator({ faults }, { clock }));
  const answer = fetch(served.rest + KLINES).then((response) => response.body?.cancel());
  const signal = await waited.promise;
  assertEquals(signal?.aborted, false);
  await served.close();
  assertEquals(signal?.aborted, true);
  await Promise.allSettled([answer]);
});

Deno.test("a client may give up while its answer is held back", async () => {
  const { served, clock, held } = serveSlowly();
  const abort = new AbortController();
  const answer = fetch(served.rest + KLINES, { signal: abort.signal });
  await held;
  abort.abort(new Error("given up"));
  await assertRejects(() => answer, Error, "given up");
  await clock.advance(60_000);
  assertEquals(await (await fetch(`${served.rest}/api/v3/ping`)).json(), {});
  await served.close();
});

/** Holds back its first answer for a minute; `held` tells when the request came in. */
function serveSlowly() {
  const clock = new VirtualClock(NOW, { manual: true });
  const { promise: held, resolve } = Promise.withResolvers<void>();
  const scenario = { faults: [{ kind: "slow" as const, delay_ms: 60_000 }] };
  const simulator = createSimulator(scenario, { clock, onRequest: () => resolve() });
  return { clock, held, served: serveSimulator(simulator) };
}
