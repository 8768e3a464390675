/**
 * Interrupting a sink: processes that die, power that fails, targets that fail, signals that abort.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { Deliverer, SinkTarget } from "./delivering.ts";
import { soon, spread } from "./pure.ts";
import type { Fault } from "./watch.ts";

/** How many things that go wrong are tried, spread evenly, when there are more. */
const MOST_FAULTS = 60;

/** Kills the process at each thing it does, and goes on in another one. */
export async function checkKills(sink: Deliverer): Promise<void> {
  const undisturbed = sink.given.target();
  const { world: { effects } } = await sink.run(undisturbed);
  const expected = await undisturbed.stored();
  const kills = effects.flatMap((_, at) =>
    sharesOf(sink).map((done): Fault => ({ at, how: "kill", done }))
  );
  for (const kill of pick(kills)) {
    for (const power of ["stays", "fails"]) {
      const target = sink.given.target();
      const { saved, world } = await sink.run(target, { fault: kill });
      if (power === "fails") await world.cutPower();
      const when = `when its process dies at "${effects[kill.at]?.kind}" (effect ${kill.at}, ${
        (kill.done ?? 0) * 100
      } % done) and the power ${power}`;
      await sink.runOn(target, saved);
      await checkPromise(sink, target, expected, when);
    }
  }
}

/** Lets each thing it does fail once. */
export async function checkFailures(sink: Deliverer): Promise<void> {
  const undisturbed = sink.given.target();
  const { world: { effects } } = await sink.run(undisturbed);
  const expected = await undisturbed.stored();
  const faults = effects.flatMap(({ kind }, at): Fault[] => {
    // A request whose answer is lost has reached the target all the same.
    if (kind === "fetch") {
      return [{ at, how: "page" }, { at, how: "fail" }, { at, how: "fail", done: 1 }];
    }
    if (kind === "sleep" || kind === "webSocket") return [];
    return sharesOf(sink).filter((done) => done < 1).map((done) => ({ at, how: "fail", done }));
  });
  for (const fault of pick(faults)) {
    const target = sink.given.target();
    const when = `when "${effects[fault.at]?.kind}" fails (effect ${fault.at})`;
    const { how, error, saved, world } = await sink.run(target, { fault });
    assertEquals(world.open(), [], `${sink.name} must leave nothing open ${when}`);
    if (how === "failed") {
      sink.ownError(error, when);
      await sink.runOn(target, saved);
    }
    await checkPromise(sink, target, expected, when);
  }
}

/** Aborts while a request or a wait does not end. */
export async function checkAbort(sink: Deliverer): Promise<void> {
  const { world: { effects } } = await sink.run(sink.given.target());
  const hangs = effects.flatMap(({ kind }, at): Fault[] =>
    kind === "fetch" || kind === "sleep" ? [{ at, how: "hang" }] : []
  );
  for (const fault of pick(hangs)) {
    const stopping = new AbortController();
    const when = `when the signal aborts during "${effects[fault.at]?.kind}" (effect ${fault.at})`;
    const hint = "hand `context.signal` to `fetch`, and wait with `context.sleep`";
    const struck = () => stopping.abort();
    const running = sink.run(sink.given.target(), { fault, stopping, struck });
    const ending = await soon(running, `${sink.name} must end soon ${when}: ${hint}`);
    assert(
      ending.how === "done" || ending.error === stopping.signal.reason,
      `${sink.name} must throw the signal's reason ${when}: it threw ${ending.error}`,
    );
    assertEquals(ending.world.open(), [], `${sink.name} must leave nothing open ${when}`);
  }
}

/** Compares what is stored with what an undisturbed process stores, as the delivery promises. */
async function checkPromise(
  sink: Deliverer,
  target: SinkTarget,
  expected: string,
  when: string,
): Promise<void> {
  const stored = await target.stored();
  if (sink.delivery !== "append") {
    return assertEquals(stored, expected, `${sink.name} must store everything once ${when}`);
  }
  const found = countLines(stored);
  for (const [line, count] of countLines(expected)) {
    assert(
      (found.get(line) ?? 0) >= count,
      `${sink.name} must lose nothing ${when}: "${line}" is missing`,
    );
  }
}

/** How much of a write may have happened. Half of it is nothing an appending sink can take back. */
function sharesOf(sink: Deliverer): number[] {
  return sink.delivery === "append" ? [0, 1] : [0, 0.5, 1];
}

function countLines(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of text.split("\n")) counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}

function pick(faults: readonly Fault[]): Fault[] {
  return spread(faults.length - 1, MOST_FAULTS).flatMap((index) => faults[index] ?? []);
}
