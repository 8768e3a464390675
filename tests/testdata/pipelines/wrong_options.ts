import { definePipeline } from "../../../engine/pipeline.ts";

const common = { symbols: ["BTC"], interval: "1m" };

// Misspelt on purpose: a test looks for these mistakes.
export default definePipeline({
  name: "wrong",
  ...{ naem: "wrong" },
  sources: [
    { use: "ticks", with: { ...common, intervall: "1m" } },
    { use: "ticks", with: common },
  ],
  transforms: [{ use: "to_point" }],
  sinks: [{ use: "printer" }],
});
