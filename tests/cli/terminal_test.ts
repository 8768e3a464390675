import { assertEquals } from "@std/assert";
import { fit } from "../../cli/fit.ts";
import { createTerminal, type TerminalParts } from "../../cli/terminal.ts";

function watched(parts: Partial<TerminalParts> = {}) {
  const written: string[] = [];
  const decoder = new TextDecoder();
  const clock = { ms: 0 };
  const terminal = createTerminal({
    writeOut: (bytes) => Promise.resolve(void written.push(`out:${decoder.decode(bytes)}`)),
    writeErr: (text) => void written.push(`err:${text}`),
    interactive: true,
    colors: false,
    columns: () => 20,
    now: () => clock.ms,
    fit,
    ...parts,
  });
  return { terminal, written, clock };
}

Deno.test("a terminal keeps the status line below what is said", () => {
  const { terminal, written } = watched();
  terminal.show(() => "10 %");
  terminal.say("hello\n");
  assertEquals(written, ["err:10 %", "err:\r\x1b[2Khello\n10 %"]);
});

Deno.test("a terminal takes the status line away before data is printed", async () => {
  const { terminal, written } = watched();
  terminal.show(() => "10 %");
  await terminal.print(new TextEncoder().encode("a\n"));
  assertEquals(written, ["err:10 %", "err:\r\x1b[2K", "out:a\n"]);
});

Deno.test("a terminal shows at most five statuses a second", () => {
  const { terminal, written, clock } = watched();
  for (clock.ms = 0; clock.ms < 1_000; clock.ms += 10) terminal.show(() => `${clock.ms}`);
  assertEquals(written, ["err:0", ...[200, 400, 600, 800].map((ms) => `err:\r\x1b[2K${ms}`)]);
});

Deno.test("a terminal does not write a status again that has not changed", () => {
  const { terminal, written, clock } = watched();
  for (clock.ms = 0; clock.ms < 3_000; clock.ms += 1_000) terminal.show(() => "all is well");
  assertEquals(written, ["err:all is well"]);
});

Deno.test("a terminal cuts a status that is too long, by columns and not by characters", () => {
  const { terminal, written } = watched({ columns: () => 8 });
  terminal.show(() => "日本語日本語");
  assertEquals(written, ["err:日本語…"]);
});

Deno.test("a terminal that nobody watches shows no status", () => {
  const { terminal, written } = watched({ interactive: false });
  terminal.show(() => {
    throw new Error("must not be asked");
  });
  terminal.clear();
  assertEquals(written, []);
});
