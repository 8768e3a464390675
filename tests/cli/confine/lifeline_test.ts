import { assertEquals, assertRejects } from "@std/assert";
import { openLifeline } from "../../../cli/confine/lifeline.ts";

const HANDOVER = { file: { path: "/a.yaml", content: { text: "line\nbreak" } }, values: {} };

function stream(): {
  writer: WritableStreamDefaultWriter<string>;
  bytes: ReadableStream<Uint8Array>;
} {
  const { readable, writable } = new TextEncoderStream();
  return { writer: writable.getWriter(), bytes: readable };
}

Deno.test("a lifeline gives what was handed over, then signals, then that the other end is gone", async () => {
  const { writer, bytes } = stream();
  const gone = Promise.withResolvers<void>();
  const signals: string[] = [];
  const first = writer.write(`${JSON.stringify(HANDOVER)}\nSIG`);
  const { handover, onSignal } = await openLifeline(bytes, gone.resolve);
  onSignal((signal) => signals.push(signal));
  await first;
  await writer.write("INT\nSIGTERM\nSIGKILL\n__proto__\n");
  await writer.close();
  await gone.promise;
  assertEquals(handover, HANDOVER);
  assertEquals(signals, ["SIGINT", "SIGTERM"]);
});

Deno.test("a lifeline that ends before anything was handed over is refused", async () => {
  const { writer, bytes } = stream();
  const closing = writer.close();
  await assertRejects(() => openLifeline(bytes, () => {}), Error, "started by `penstock` alone");
  await closing;
});
