import { assert, assertEquals } from "@std/assert";
import { type Input, openLifeline } from "../../../cli/confine/lifeline.ts";

const HANDOVER = { file: { path: "/a.yaml", content: { text: "line\nbröak €" } }, values: {} };

/** An input that gives the bytes of these texts, some at a time. */
function inputOf(...texts: readonly string[]): Input {
  let bytes = new TextEncoder().encode(texts.join(""));
  return {
    read(into) {
      if (bytes.length === 0) return Promise.resolve(null);
      const part = bytes.subarray(0, Math.min(7, into.length));
      into.set(part);
      bytes = bytes.subarray(part.length);
      return Promise.resolve(part.length);
    },
  };
}

Deno.test("a lifeline gives what was handed over, then signals, then that the other end is gone", async () => {
  const gone = Promise.withResolvers<void>();
  const signals: string[] = [];
  const input = inputOf(
    `${JSON.stringify(HANDOVER)}\n`,
    "SIGINT\nSIGTERM\nSIGKILL\n__proto__\n",
  );
  const lifeline = await openLifeline(input, () => gone.resolve());
  assert(lifeline);
  lifeline.onSignal((signal) => signals.push(signal));
  await gone.promise;
  assertEquals(lifeline.handover, HANDOVER);
  assertEquals(signals, ["SIGINT", "SIGTERM"]);
});

Deno.test("a signal for which nobody listens yet ends the process, and is not lost", async () => {
  const ends: unknown[] = [];
  const gone = Promise.withResolvers<void>();
  const input = inputOf(`${JSON.stringify(HANDOVER)}\n`, "SIGTERM\n");
  await openLifeline(input, (signal) => {
    ends.push(signal);
    if (!signal) gone.resolve();
  });
  await gone.promise;
  assertEquals(ends, ["SIGTERM", undefined]);
});

Deno.test("there is no lifeline where it ends before anything was handed over", async () => {
  assertEquals(await openLifeline(inputOf(), () => {}), undefined);
});
