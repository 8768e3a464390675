import { assertEquals } from "@std/assert";
import { INTERVALS } from "../../engine/interval.ts";
import { gridOf } from "../../simulator/grid.ts";

const AT = Date.UTC(2024, 1, 29, 13, 7, 5, 250);

Deno.test("gridOf() opens the slots of each interval where the exchange does", () => {
  const opens = Object.fromEntries(INTERVALS.map((interval) => {
    const grid = gridOf(interval);
    return [interval, new Date(grid.open(grid.index(AT))).toISOString().slice(0, 19)];
  }));
  assertEquals(opens, {
    "1s": "2024-02-29T13:07:05",
    "1m": "2024-02-29T13:07:00",
    "3m": "2024-02-29T13:06:00",
    "5m": "2024-02-29T13:05:00",
    "15m": "2024-02-29T13:00:00",
    "30m": "2024-02-29T13:00:00",
    "1h": "2024-02-29T13:00:00",
    "2h": "2024-02-29T12:00:00",
    "4h": "2024-02-29T12:00:00",
    "6h": "2024-02-29T12:00:00",
    "8h": "2024-02-29T08:00:00",
    "12h": "2024-02-29T12:00:00",
    "1d": "2024-02-29T00:00:00",
    "3d": "2024-02-29T00:00:00",
    "1w": "2024-02-26T00:00:00",
    "1M": "2024-02-01T00:00:00",
  });
});

Deno.test("gridOf() numbers slots one after the other, an open time being the first moment", () => {
  for (const interval of INTERVALS) {
    const grid = gridOf(interval);
    const slot = grid.index(AT);
    assertEquals(grid.index(grid.open(slot + 1)), slot + 1, interval);
    assertEquals(grid.index(grid.open(slot + 1) - 1), slot, interval);
  }
});

Deno.test("gridOf() moves days, weeks and months by an offset, and hours not", () => {
  const opens = (["1h", "1d", "1w", "1M"] as const).map((interval) => {
    const grid = gridOf(interval, 8 * 3_600_000);
    return new Date(grid.open(grid.index(AT))).toISOString().slice(0, 16);
  });
  assertEquals(opens, [
    "2024-02-29T13:00",
    "2024-02-28T16:00",
    "2024-02-25T16:00",
    "2024-01-31T16:00",
  ]);
});
