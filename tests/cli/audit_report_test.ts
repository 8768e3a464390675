import { assertEquals, assertStringIncludes } from "@std/assert";
import { describeAudit } from "../../cli/audit_report.ts";
import type { AuditedSeries, AuditReport } from "../../engine/audit/audit.ts";

const T0 = Date.UTC(2024, 0, 1);
const HOUR = 3_600_000;

const WHOLE: AuditedSeries = {
  source: "binance_rest",
  sink: "influxdb",
  tags: { symbol: "BTCUSDT", interval: "1h" },
  fromMs: T0,
  toMs: T0 + 2_000 * HOUR,
  expected: 2_000,
  stored: 2_000,
  gaps: [],
  holes: [],
  breaks: [],
  suspicious: [],
};

function describe(series: readonly AuditedSeries[], rest: Partial<AuditReport> = {}): string[] {
  const isWhole = series.every(({ gaps, breaks }) => gaps.length + breaks.length === 0);
  const report = { pipeline: "btc", series, left: [], stores: [], isWhole, ...rest };
  return describeAudit(report, "btc.yaml").trimEnd().split("\n");
}

function slots(from: number, to: number) {
  return { fromMs: T0 + from * HOUR, toMs: T0 + to * HOUR, slots: to - from };
}

Deno.test("describeAudit() says of a whole store that nothing is missing", () => {
  assertEquals(describe([WHOLE]), [
    "symbol=BTCUSDT interval=1h in influxdb: 2,000 points of 2,000, none missing",
    "1 series: nothing is missing",
  ]);
});

Deno.test("describeAudit() names what is missing, wrong, never made and suspicious, with its times", () => {
  const finding = { fromMs: T0, lastMs: T0 + 14_789, points: 2 };
  const lines = describe([WHOLE, {
    ...WHOLE,
    stored: 1_990,
    gaps: [slots(0, 1), slots(24, 33)],
    holes: [slots(40, 42)],
    breaks: [{ ...finding, what: "without rsi_14" }],
    suspicious: [{ ...finding, lastMs: T0, points: 1, what: "off the grid" }],
  }]);
  assertEquals(lines.slice(1), [
    "symbol=BTCUSDT interval=1h in influxdb: 1,990 points of 2,000, 10 missing",
    "  missing     2024-01-01T00:00Z – 2024-01-01T01:00Z  1 point",
    "  missing     2024-01-02T00:00Z – 2024-01-02T09:00Z  9 points",
    "  wrong       2024-01-01T00:00Z – 2024-01-01T00:00:14.789Z  2 points without rsi_14",
    "  hole        2024-01-02T16:00Z – 2024-01-02T18:00Z  2 points never made",
    "  suspicious  2024-01-01T00:00Z  1 point off the grid",
    "2 series, 1 of them whole: 10 points missing, 2 points with wrong fields; " +
    "1 with suspicious points",
    "`penstock audit btc.yaml --repair` fetches and writes just what is missing",
  ]);
});

Deno.test("describeAudit() shows the first of many lines, and says how many more there are", () => {
  const gaps = Array.from({ length: 1_500 }, (_, at) => slots(at, at + 1));
  const lines = describe([{ ...WHOLE, gaps }]);
  assertEquals(lines.filter((line) => line.startsWith("  missing")).length, 20);
  assertEquals(lines[21], "  … and 1,480 more: `--format json` has all");
});

Deno.test("describeAudit() says what a repair did, and what was refused", () => {
  const repair = { filled: 9, computed: 1, holes: [slots(40, 42)], refused: ["Cannot take it"] };
  const [, repaired, refused, last] = describe([{ ...WHOLE, repair }]);
  assertEquals(
    repaired,
    "  repaired    9 points fetched and written, 1 point computed anew, 2 points found never to " +
      "have been made",
  );
  assertEquals(refused, "  refused     Cannot take it");
  assertEquals(last, "1 series: nothing is missing");
});

Deno.test("describeAudit() names what was left out, mixed types, and series without an interval", () => {
  const lines = describe([{ ...WHOLE, expected: undefined }], {
    left: [{ step: "stdout", why: "it cannot be read back" }],
    stores: [{ sink: "influxdb", what: '"volume" is stored twice' }],
  });
  assertStringIncludes(lines[0] ?? "", "2,000 points of a series without an interval");
  assertEquals(lines.slice(1, 3), [
    'suspicious in influxdb: "volume" is stored twice',
    "left out: stdout, as it cannot be read back",
  ]);
});
