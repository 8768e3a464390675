/**
 * Scenarios: what the market does, what the exchange does wrong, and when, as plain data.
 *
 * ```yaml
 * seed: 7
 * halts:
 *   - { from: 2024-02-01T02:00:00Z, to: 2024-02-01T04:30:00Z }
 * faults:
 *   - { kind: status, path: /api/v3/klines, after: 20, status: 429, retry_after_s: 5 }
 *   - { kind: rows, symbol: ETHUSDT, times: always, rows: { change: short } }
 * stream_faults:
 *   - { kind: cut, age_ms: 600000, times: 1 }
 *   - { kind: mute, symbol: BTCUSDT, connection_from: 2 }
 * outages:
 *   - { from: 2024-02-02T10:00:00Z, to: 2024-02-02T10:10:00Z }
 * ```
 *
 * @module
 */

import { dirname, resolve } from "@std/path";
import { closestString, levenshteinDistance } from "@std/text";
import { z } from "zod";
import { OptionsError } from "../engine/errors.ts";
import { INTERVALS } from "../engine/interval.ts";
import { type SchemaIssue, time } from "../engine/options.ts";
import { faultSchema } from "./fault_rule.ts";
import { streamFaultSchema } from "./stream_fault_rule.ts";

const symbol = z.strictObject({
  symbol: z.string().min(1).describe("Name, upper case"),
  base: z.string().min(1).describe("The asset that is traded"),
  quote: z.string().min(1).describe("The asset its price is told in"),
  status: z.string().min(1).default("TRADING").describe("Status, such as `TRADING` or `BREAK`"),
  price: z.number().positive().default(1).describe("The level around which the price moves"),
  trades_per_minute: z.number().positive().max(1_000_000).default(600)
    .describe("How busy it is; below 1, most candles of a minute have no trade"),
  listed: time().optional().describe("First moment of trade; `listed` of the scenario by default"),
  delisted: time().optional()
    .describe("First moment without trade for good; from then on the status is `BREAK`"),
});

const file = z.strictObject({
  symbol: z.string().min(1).describe("Symbol, one of `symbols`"),
  interval: z.enum(INTERVALS).describe("Interval"),
  path: z.string().min(1).describe(
    "Recorded candles that are served instead of made-up ones: a REST answer in JSON or an " +
      "archive's CSV, in milliseconds or microseconds. Relative to the scenario's file",
  ),
});

const halt = z.strictObject({
  from: time().describe("First moment without trades"),
  to: time().describe("First moment with trades again"),
  cut: z.boolean().default(false)
    .describe(
      "Whether candles under way close at once, as in 2018, rather than at their usual end",
    ),
});

const shift = z.strictObject({
  from: time().describe("First open time that is moved"),
  to: time().describe("First open time that is not"),
  by_ms: z.int().min(1)
    .describe("How far candles open after their usual time; whole intervals do not count"),
});

const correction = z.strictObject({
  symbol: z.string().min(1).describe("Symbol, one of `symbols`"),
  interval: z.enum(INTERVALS).describe("Interval"),
  open_time: time().describe("Open time of the candle"),
  at: time().optional().describe("When the exchange corrects it; before the start by default"),
  values: z.partialRecord(
    z.enum(["open", "high", "low", "close", "volume", "quote_volume"]),
    z.string().regex(/^\d+(\.\d+)?$/, "must be a decimal, in quotes"),
  ).describe("The values it has from then on, decimals in quotes"),
});

const lag = z.strictObject({
  absent_ms: z.int().min(0).default(0)
    .describe("How long after its close a candle is missing, along with all after it"),
  changing_ms: z.int().min(0).default(0)
    .describe("How long it is then served without its last trades"),
});

const limits = z.strictObject({
  weight_per_minute: z.int().min(1).default(6_000).describe("Request weight in a clock minute"),
  requests_per_5_minutes: z.int().min(1).default(61_000)
    .describe("Requests in five clock minutes"),
  others_per_minute: z.int().min(0).default(0)
    .describe("Weight that other users of the same address need in each clock minute"),
  ban_after: z.int().min(1).default(10)
    .describe("How many requests in spite of a 429 lead to a ban"),
  ban_s: z.int().min(1).max(259_200).default(120)
    .describe("Length of the first ban; each further one is four times as long, up to three days"),
});

const outage = z.strictObject({
  from: time().describe("First moment without the exchange"),
  to: time().describe("First moment at which it is back"),
});

const streams = z.strictObject({
  snapshot_ms: z.union([z.int().min(10), z.literal("never")]).default(2_000).describe(
    "Time between snapshots of a candle under way, half of it for candles of a second; more of " +
      "it, or `never`, makes long simulations faster",
  ),
  close_with_trade: z.array(z.string().min(1)).default([])
    .describe("Symbols whose closes are told only along with the next trade, as in 2018"),
  latency_ms: z.int().min(0).default(5)
    .describe("How long handshakes and frames of clients within the process are under way"),
  lifetime_s: z.number().positive().default(86_400).describe("Age at which a connection is closed"),
  lifetime_code: z.int().min(1_000).max(4_999).default(1_001)
    .describe("Code of that close; 1006 for none"),
  streams_per_connection: z.int().min(1).default(1_024).describe("Most streams of a connection"),
  frames_per_second: z.int().min(1).default(5)
    .describe("Frames of a client in any second; more close the connection with 1008"),
  handshakes_per_5_minutes: z.int().min(1).default(300)
    .describe("Handshakes in any five minutes; more are refused with 429"),
  url_length: z.int().min(100).default(8_000).describe("Longest URL of a handshake"),
  error_shape: z.enum(["flat", "nested"]).default("flat")
    .describe("Whether errors on a connection are as documented, or as they were seen"),
});

/** The symbols of a scenario that names none. */
const SYMBOLS: readonly z.input<typeof symbol>[] = [
  { symbol: "BTCUSDT", base: "BTC", quote: "USDT", price: 64_000, trades_per_minute: 1_500 },
  { symbol: "ETHUSDT", base: "ETH", quote: "USDT", price: 3_100, trades_per_minute: 900 },
  { symbol: "BNBUSDT", base: "BNB", quote: "USDT", price: 590, trades_per_minute: 300 },
  { symbol: "SOLUSDT", base: "SOL", quote: "USDT", price: 150, trades_per_minute: 500 },
  { symbol: "XRPUSDT", base: "XRP", quote: "USDT", price: 0.52, trades_per_minute: 200 },
  { symbol: "DOGEUSDT", base: "DOGE", quote: "USDT", price: 0.12, trades_per_minute: 200 },
  { symbol: "ETHBTC", base: "ETH", quote: "BTC", price: 0.048, trades_per_minute: 60 },
  { symbol: "PEPEUSDT", base: "PEPE", quote: "USDT", price: 0.000011, trades_per_minute: 150 },
  {
    symbol: "1000SATSUSDT",
    base: "1000SATS",
    quote: "USDT",
    price: 0.00021,
    trades_per_minute: 20,
  },
  { symbol: "USDTTRY", base: "USDT", quote: "TRY", price: 33, trades_per_minute: 40 },
  { symbol: "币安人生USDT", base: "币安人生", quote: "USDT", price: 0.14, trades_per_minute: 30 },
  { symbol: "WANBTC", base: "WAN", quote: "BTC", price: 0.0000031, trades_per_minute: 0.2 },
  {
    symbol: "SRMUSDT",
    base: "SRM",
    quote: "USDT",
    status: "BREAK",
    price: 0.8,
    delisted: "2022-11-28T03:00:00Z",
  },
];

/** A scenario: everything the simulator does, with nothing required. */
export const scenarioSchema = z.strictObject({
  seed: z.int().default(1).describe("Another seed gives other candles"),
  now: time().optional()
    .describe("What the exchange's clock shows at the start; that of the machine by default"),
  listed: time().prefault("2017-08-17T04:00:00Z")
    .describe("First moment of trade of symbols that do not say"),
  symbols: z.array(symbol).min(1).prefault([...SYMBOLS]).describe("The symbols of the exchange"),
  files: z.array(file).default([]).describe("Recorded series"),
  halts: z.array(halt).default([]).describe("Times without candles, of all symbols"),
  shifts: z.array(shift).default([])
    .describe("Times in which candles of all symbols open off the grid, as in 2018"),
  tradeless: z.number().min(0).max(1).default(0)
    .describe("Share of candles without trades even where there is much trade"),
  corrections: z.array(correction).default([])
    .describe("Candles that the exchange corrects afterwards"),
  lag: lag.prefault({}).describe("How far REST answers lag behind the market"),
  limits: limits.prefault({}).describe("Limits of the exchange, and what else uses them up"),
  streams: streams.prefault({}).describe("How streams behave, and the limits of connections"),
  faults: z.array(faultSchema).default([])
    .describe("What goes wrong; the first that is due hits a request"),
  stream_faults: z.array(streamFaultSchema).default([])
    .describe("What goes wrong with streams; all that are due hit an event"),
  outages: z.array(outage).default([])
    .describe("Times in which the exchange is away: connections break, and all is refused"),
}).superRefine((scenario, context) => {
  const names = scenario.symbols.map((one) => one.symbol);
  names.forEach((name, index) => {
    if (names.indexOf(name) < index) {
      context.addIssue({
        code: "custom",
        path: ["symbols", index, "symbol"],
        message: `must be another name: "${name}" is there twice`,
      });
    }
  });
  const check = (symbol: string | undefined, path: (string | number)[]) => {
    if (symbol === undefined || names.includes(symbol)) return;
    const message = `must be one of \`symbols\`, not "${symbol}"${nearest(symbol, names)}`;
    context.addIssue({ code: "custom", path, message });
  };
  for (const key of ["files", "corrections", "stream_faults"] as const) {
    scenario[key].forEach((one, index) => {
      if ("symbol" in one) check(one.symbol, [key, index, "symbol"]);
    });
  }
  scenario.streams.close_with_trade.forEach((symbol, index) => {
    check(symbol, ["streams", "close_with_trade", index]);
  });
});

/** A scenario as it is written: plain data, everything optional. */
export type Scenario = z.input<typeof scenarioSchema>;

/** A scenario, checked, with defaults. */
export type CheckedScenario = z.output<typeof scenarioSchema>;

/**
 * Checks a scenario.
 *
 * @param scenario The scenario as it is written.
 * @param name What to call it in messages, such as its path.
 * @throws {OptionsError} If anything is wrong with it; the message names all of it.
 *
 * @example
 * ```ts
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * assertEquals(parseScenario({ seed: 7 }).seed, 7);
 * assertThrows(() => parseScenario({ sed: 7 }), Error, 'did you mean "seed"?');
 * ```
 */
export function parseScenario(scenario: unknown, name = "the scenario"): CheckedScenario {
  const parsed = scenarioSchema.safeParse(scenario ?? {});
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(describeIssue);
  throw new OptionsError(`Cannot use ${name}: ${issues.join("; ")}`, {
    hint: "See `simulator/scenario.ts` for what a scenario may hold",
  });
}

/**
 * Reads a scenario from a YAML or JSON file.
 *
 * @param path The file. Paths in it are relative to its folder, and come back absolute.
 * @throws {OptionsError} If the file cannot be read or is no scenario.
 */
export async function loadScenario(path: string): Promise<Scenario> {
  const scenario = await readYaml(path);
  parseScenario(scenario, `scenario "${path}"`);
  const checked = scenario as Scenario | null;
  const files = checked?.files?.map((one) => ({ ...one, path: resolve(dirname(path), one.path) }));
  return files ? { ...checked, files } : { ...checked };
}

async function readYaml(path: string): Promise<unknown> {
  // Loaded on demand: it would put off the start of all simulators, of which few have a scenario.
  const { parse } = await import("yaml");
  try {
    return parse(await Deno.readTextFile(path));
  } catch (cause) {
    throw new OptionsError(`Cannot read scenario "${path}"`, { cause });
  }
}

const KEYS = Object.keys(scenarioSchema.shape);

function describeIssue(issue: SchemaIssue): string {
  const place = issue.path.map((part) =>
    typeof part === "number" ? `[${part}]` : `.${String(part)}`
  )
    .join("").replace(/^\./, "");
  const names = issue.keys?.map((key) => `"${key}" does not exist${nearest(key, KEYS)}`);
  const text = names?.join(", ") ?? issue.message;
  return place ? `${place}: ${text}` : text;
}

function nearest(name: string, names: readonly string[]): string {
  const closest = closestString(name, names);
  return levenshteinDistance(name, closest) > 3 ? "" : `, did you mean "${closest}"?`;
}
