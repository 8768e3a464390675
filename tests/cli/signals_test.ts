import { assertEquals } from "@std/assert";
import { countSignals, listenForStop, type StopSignal } from "../../cli/signals.ts";
import { createTerminal } from "../../cli/terminal.ts";

function watched() {
  const said: string[] = [];
  const terminal = createTerminal({
    writeOut: () => Promise.resolve(),
    writeErr: (text) => said.push(text),
    interactive: false,
    colors: false,
    columns: () => 80,
    now: () => 0,
  });
  let relayed: (signal: StopSignal) => void = () => {};
  const stop = listenForStop(terminal, (listener) => void (relayed = listener));
  return { said, stop, relay: (signal: StopSignal) => relayed(signal) };
}

Deno.test("countSignals() takes a signal that reaches both processes for one, whichever is first", () => {
  const heeded: string[] = [];
  const { count } = countSignals((signal) => heeded.push(signal));
  count("SIGINT", "heard");
  count("SIGINT", "relayed");
  assertEquals(heeded, ["SIGINT"]);
  count("SIGINT", "relayed");
  assertEquals(heeded, ["SIGINT", "SIGINT"]);
  count("SIGINT", "heard");
  assertEquals(heeded, ["SIGINT", "SIGINT"]);
  count("SIGTERM", "heard");
  assertEquals(heeded, ["SIGINT", "SIGINT", "SIGTERM"]);
});

Deno.test("a signal that only the other process got counts as well", () => {
  const { stop, relay } = watched();
  using _ = stop;
  relay("SIGTERM");
  assertEquals([stop.stopping.aborted, stop.aborting.aborted, stop.exitCode], [true, false, 143]);
  relay("SIGINT");
  assertEquals([stop.aborting.aborted, stop.exitCode], [true, 130]);
});
