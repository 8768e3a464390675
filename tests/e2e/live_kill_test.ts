/**
 * Live runs against an exchange in another process: whatever is killed, the file is that of an
 * undisturbed run. `deno task prove` has fifty kills, and an exchange that is away for ten minutes.
 */

import { assertEquals } from "@std/assert";
import { delay } from "@std/async";
import { join } from "@std/path";
import type { Scenario } from "../../simulator/mod.ts";
import { end, killRun, temporaryFolder } from "./_penstock.ts";
import { ExchangeProcess, IS_LONG, LivePipeline, Relay, secondsAgo, type Urls } from "./_live.ts";

const KILLS = IS_LONG ? 50 : 4;
const AWAY_S = IS_LONG ? 600 : 3;

/** Runs two pipelines side by side, one of them undisturbed, and compares what they leave. */
async function compare(
  { urls, scenario = {} }: { readonly urls?: Urls; readonly scenario?: Scenario },
  disturb: (pipeline: LivePipeline, folder: string) => Promise<Deno.ChildProcess>,
): Promise<void> {
  await using temporary = await temporaryFolder();
  const folder = temporary.path;
  await using calm = await ExchangeProcess.start(folder);
  await using wild = urls ? undefined : await ExchangeProcess.start(folder, scenario);
  const fromMs = secondsAgo(300);
  await using undisturbed = await LivePipeline.write(join(folder, "calm"), calm.urls, fromMs);
  const at = urls ?? wild?.urls ?? calm.urls;
  await using disturbed = await LivePipeline.write(join(folder, "wild"), at, fromMs);
  const reference = undisturbed.start();
  const child = await disturb(disturbed, folder);
  const untilMs = secondsAgo(-2);
  const [expected, found] = await Promise.all([
    undisturbed.finish(reference, untilMs),
    disturbed.finish(child, untilMs),
  ]);
  assertEquals(found === expected, true, "the files differ");
}

Deno.test(`a live run killed by SIGKILL at ${KILLS} random moments and resumed leaves the same file`, async () => {
  await compare({}, async (pipeline) => {
    for (let kill = 0; kill < KILLS; kill++) {
      const child = pipeline.start();
      // From the loading of modules to the middle of live candles.
      await delay(3_000 * Math.random());
      await killRun(child);
      assertEquals((await end(child)).signal, "SIGKILL");
    }
    return pipeline.start();
  });
});

Deno.test("a live run leaves the same file when all its connections are cut every two seconds", async () => {
  const scenario = { streams: { lifetime_s: 2, lifetime_code: 1006 } };
  await compare({ scenario }, async (pipeline) => {
    const child = pipeline.start();
    await delay(6_000);
    return child;
  });
});

Deno.test(`a live run leaves the same file when the exchange is killed and comes back after ${AWAY_S} s`, async () => {
  await using temporary = await temporaryFolder();
  await using first = await ExchangeProcess.start(temporary.path);
  await using stack = new AsyncDisposableStack();
  await compare({ urls: first.urls }, async (pipeline, folder) => {
    const child = pipeline.start();
    await delay(2_000);
    await first[Symbol.asyncDispose]();
    await delay(1_000 * AWAY_S);
    stack.use(await ExchangeProcess.start(folder, {}, first.port));
    await delay(2_000);
    return child;
  });
});

Deno.test("a live run leaves the same file when the exchange moves to another port behind one URL", async () => {
  await using temporary = await temporaryFolder();
  await using first = await ExchangeProcess.start(temporary.path);
  using relay = new Relay(first.port);
  await using stack = new AsyncDisposableStack();
  await compare({ urls: relay.urls }, async (pipeline, folder) => {
    const child = pipeline.start();
    await delay(2_000);
    const second = stack.use(await ExchangeProcess.start(folder));
    relay.target = second.port;
    await first[Symbol.asyncDispose]();
    await delay(2_000);
    return child;
  });
});
