import { fakeContext, testSink } from "../../tests/contracts/mod.ts";
import mySink from "./my_sink.ts";

testSink(mySink, {
  options: { path: "out.jsonl" },
  badOptions: [{ path: "" }, {}],
  permissions: { read: ["out.jsonl"], write: ["out.jsonl"] },
  shapes: [{ kind: "raw", format: "word" }],
  records: ["one", 2, { three: 3 }, "four", "five", "six"],
  rejects: [undefined],
  encoded: '"one"\n2\n{"three":3}\n"four"\n"five"\n"six"\n',
  target() {
    const files = new Map<string, string>();
    return {
      context: (signal) => fakeContext({ signal, files }),
      stored: () => files.get("out.jsonl") ?? "",
    };
  },
});
