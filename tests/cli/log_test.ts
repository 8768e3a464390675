import { assertEquals, assertMatch } from "@std/assert";
import { configureLog, loggingTerminal, logOf, type LogOptions } from "../../cli/log.ts";
import { createTerminal } from "../../cli/terminal.ts";

/** What is logged while something runs: each line with its time as `TIME`. */
function linesOf(options: Omit<LogOptions, "write">, log: () => void): string[] {
  const lines: string[] = [];
  configureLog({
    ...options,
    write(line) {
      const [time = ""] = /\d{4}-[\d:T.-]+Z/.exec(line) ?? [];
      assertMatch(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      lines.push(line.replace(time, "TIME"));
    },
  });
  log();
  return lines;
}

Deno.test("logOf() writes lines for people, with what a message carries behind it", () => {
  const lines = linesOf({ format: "text", verbose: true }, () => {
    logOf("btc", "kline").info("Read {all}", { records: 3, whole: true, hole: undefined });
    logOf("btc").warn("Slow");
    logOf("btc").debug("Saved", { epoch: 2 });
  });
  assertEquals(lines, [
    "TIME info btc.kline: Read {all} records=3 whole=true\n",
    "TIME warning btc: Slow\n",
    "TIME debug btc: Saved epoch=2\n",
  ]);
});

Deno.test("logOf() writes JSON for machines, one object on a line", () => {
  const lines = linesOf({ format: "json", verbose: false }, () => {
    logOf("btc", "kline").warn('Read "all"', { records: 3, hole: undefined });
  });
  assertEquals(lines, [
    '{"@timestamp":"TIME","level":"WARN","message":"Read \\"all\\"","logger":"penstock.btc.kline","properties":{"records":3}}\n',
  ]);
});

Deno.test("logOf() leaves out debug messages unless they are asked for", () => {
  const lines = linesOf({ format: "text", verbose: false }, () => logOf("btc").debug("Saved"));
  assertEquals(lines, []);
});

Deno.test("logOf() shows control characters, so that a message is one line and moves nothing", () => {
  const log = () => logOf("btc").info("a\nb\x1b[2K\x9bc", { reply: "\r\x7f" });
  assertEquals(linesOf({ format: "text", verbose: false }, log), [
    "TIME info btc: a\\u000ab\\u001b[2K\\u009bc reply=\\u000d\\u007f\n",
  ]);
  const [json = ""] = linesOf({ format: "json", verbose: false }, log);
  assertMatch(json, /^[\x20-\x7e]+\n$/);
  assertEquals(JSON.parse(json).message, "a\nb\x1b[2K\x9bc");
});

Deno.test("loggingTerminal() logs what is said", () => {
  const terminal = createTerminal({
    writeOut: () => Promise.resolve(),
    writeErr: () => {},
    interactive: false,
    colors: false,
    columns: () => 80,
    now: () => 0,
  });
  const lines = linesOf({ format: "json", verbose: false }, () => {
    loggingTerminal(terminal, "error").say("error: It failed\n  hint: Try\n");
    loggingTerminal(terminal, "info").say("done\n");
  });
  assertEquals(lines, [
    '{"@timestamp":"TIME","level":"ERROR","message":"error: It failed\\n  hint: Try","logger":"penstock","properties":{}}\n',
    '{"@timestamp":"TIME","level":"INFO","message":"done","logger":"penstock","properties":{}}\n',
  ]);
});
