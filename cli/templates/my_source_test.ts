import { fakeContext, testSource } from "../../tests/contracts/mod.ts";
import mySource from "./my_source.ts";

const FROM_MS = Date.UTC(2024, 0, 1);
const point = (number: number) => ({
  measurement: "my_source",
  tags: { name: "step" },
  fields: { number },
  timeMs: FROM_MS + number * 60_000,
});

testSource(mySource, {
  options: { from: "2024-01-01", to: "2024-01-01T00:03:00Z" },
  badOptions: [{ from: "2024-01-01" }, { from: "2024-01-01", to: "2024-01-02", step_ms: 0 }],
  permissions: {},
  context: (signal) => fakeContext({ signal }),
  records: [point(0), point(1), point(2)],
});
