import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import type { FieldValue } from "../../engine/point.ts";
import { bars, column, openBar, type RsiOptions, run, start } from "./_rsi.ts";
import { hasShared, readShared } from "./_shared.ts";

/** Values of one indicator: the one of bar `first + i` is `values[i]`. */
interface Line {
  readonly first: number;
  readonly values: readonly number[];
}

interface Golden {
  readonly input: { readonly close: readonly number[] };
  readonly talib: Readonly<Record<string, Line>>;
  readonly reference: Readonly<Record<string, Line>>;
  readonly unreliable: Readonly<Record<string, readonly number[]>>;
}

interface Provisional {
  readonly cases: readonly {
    readonly period: number;
    readonly index: number;
    readonly provisional: readonly { readonly close: number; readonly rsi: number | null }[];
    readonly closed: number | null;
    readonly next_closed: number;
  }[];
}

const SERIES = ["walk", "flat", "zigzag"];
const PERIODS = [2, 6, 9, 12, 14, 24];
const ignore = !hasShared;

for (const series of SERIES) {
  for (const period of PERIODS) {
    Deno.test({
      name: `rsi of period ${period} equals TA-Lib's on ${series} (needs ../shared)`,
      ignore,
      fn: () => {
        const { input, talib, unreliable } = readGolden(series);
        const name = `RSI_${period}`;
        const values = valuesOf(input.close, { period });
        const found = assertLine(values, talib[name], new Set(unreliable[name]));
        assertEquals(found.same, found.compared, "equal to the last bit");
      },
    });

    Deno.test({
      name:
        `rsi of period ${period} with \`flat: talib\` equals TA-Lib's on each bar of ${series} (needs ../shared)`,
      ignore,
      fn: () => {
        const { input, talib } = readGolden(series);
        const found = assertLine(
          valuesOf(input.close, { period, flat: "talib" }),
          talib[`RSI_${period}`],
          new Set(),
        );
        assertEquals(found.compared, input.close.length - period);
      },
    });
  }

  for (const period of [6, 14]) {
    Deno.test({
      name:
        `rsi of period ${period} equals the reference on each bar of ${series} (needs ../shared)`,
      ignore,
      fn: () => {
        const { input, reference } = readGolden(series);
        assertLine(
          valuesOf(input.close, { period }),
          reference[`RSI_${period}_neutral`],
          new Set(),
        );
      },
    });
  }
}

Deno.test({
  name: "rsi of an open candle equals TA-Lib's, and leaves no trace (needs ../shared)",
  ignore,
  fn: () => {
    const { input } = readGolden("walk");
    const points = bars(input.close);
    const { cases }: Provisional = JSON.parse(readShared("golden/provisional_rsi.json"));
    assert(cases.length > 0);
    for (const { period, index, provisional, closed, next_closed } of cases) {
      const name = `rsi_${period}`;
      const running = start({ period });
      for (const point of points.slice(0, index)) running.step(point);
      for (const { close, rsi } of provisional) {
        assertNear(running.step(openBar(index, close)).fields[name], rsi ?? undefined, index);
      }
      const [own, next] = points.slice(index, index + 2).map(running.step);
      assertNear(own?.fields[name], closed ?? undefined, index);
      assertNear(next?.fields[name], next_closed, index + 1);
    }
  },
});

Deno.test({
  name: "rsi equals TA-Lib's across a stop and resume at each bar of walk (needs ../shared)",
  ignore,
  fn: () => {
    const { input } = readGolden("walk");
    const points = bars(input.close);
    const expected = valuesOf(input.close, {});
    for (let stop = 0; stop <= points.length; stop++) {
      const before = start();
      const emitted = points.slice(0, stop).map(before.step);
      const after = start({}, JSON.parse(JSON.stringify(before.state())));
      emitted.push(...points.slice(stop).map(after.step));
      const wrong = column(emitted, "rsi_14").findIndex((value, bar) => value !== expected[bar]);
      assertEquals(wrong, -1, `first wrong bar after a stop before bar ${stop}`);
    }
  },
});

function readGolden(series: string): Golden {
  return JSON.parse(readShared(`golden/${series}.json`));
}

function valuesOf(
  closes: readonly number[],
  options: RsiOptions,
): (FieldValue | undefined)[] {
  return column(run(bars(closes), options), `rsi_${options.period ?? 14}`);
}

/** Compares all values but those of the bars in `skip`; says how many, and how many to the bit. */
function assertLine(
  values: readonly (FieldValue | undefined)[],
  line: Line | undefined,
  skip: ReadonlySet<number>,
): { compared: number; same: number } {
  assert(line);
  assertEquals(values.findIndex((value) => value !== undefined), line.first);
  assertEquals(values.length, line.first + line.values.length);
  let compared = 0;
  let same = 0;
  for (const [i, expected] of line.values.entries()) {
    const index = line.first + i;
    if (skip.has(index)) continue;
    assertNear(values[index], expected, index);
    compared++;
    if (values[index] === expected) same++;
  }
  return { compared, same };
}

function assertNear(
  value: FieldValue | undefined,
  expected: number | undefined,
  index: number,
): void {
  if (expected === undefined) return assertEquals(value, undefined, `bar ${index}`);
  assertAlmostEquals(Number(value), expected, 1e-9 * Math.max(1, expected), `bar ${index}`);
}
