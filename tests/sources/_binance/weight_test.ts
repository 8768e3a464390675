import { assertEquals } from "@std/assert";
import { WeightBudget } from "../../../sources/_binance/weight.ts";

const MINUTE = { kind: "weight", windowMs: 60_000, header: "x-mbx-used-weight-1m" } as const;

function told(weight: number): Headers {
  return new Headers({ "X-MBX-USED-WEIGHT-1M": String(weight) });
}

Deno.test("WeightBudget gives out its share of the limit and then waits for the clock's next minute", () => {
  const budget = new WeightBudget();
  budget.setLimits([{ ...MINUTE, limit: 20 }]);
  const nowMs = 1_000_020_015_000;
  assertEquals([1, 2, 3, 4, 5].map(() => budget.take(2, nowMs, 0.5)), [0, 0, 0, 0, 0]);
  assertEquals(budget.take(2, nowMs, 0.5), 45_000);
  assertEquals(budget.used(nowMs), 10);
  assertEquals(budget.take(2, nowMs + 45_000, 0.5), 0);
});

Deno.test("WeightBudget counts what others use of the address, as answers tell it", () => {
  const budget = new WeightBudget();
  budget.setLimits([{ ...MINUTE, limit: 100 }]);
  budget.take(2, 0, 0.5);
  budget.learn(2, told(86), 0, 100);
  assertEquals(budget.used(100), 86);
  assertEquals([budget.take(2, 100, 0.5), budget.take(2, 100, 0.5)], [0, 0]);
  assertEquals(budget.take(2, 100, 0.5), 59_900, "92 of 100 is more than nine tenths");
});

Deno.test("WeightBudget does not count its own requests twice when an answer tells of them", () => {
  const budget = new WeightBudget();
  budget.setLimits([{ ...MINUTE, limit: 100 }]);
  budget.take(20, 0, 0.5);
  budget.take(20, 0, 0.5);
  budget.learn(20, told(20), 0, 100);
  budget.learn(20, told(40), 0, 200);
  assertEquals(budget.used(200), 40);
});

Deno.test("WeightBudget forgets at the clock's minute, not a minute after the first request", () => {
  const budget = new WeightBudget();
  budget.setLimits([{ ...MINUTE, limit: 8 }]);
  assertEquals(budget.take(4, 59_000, 0.5), 0);
  assertEquals(budget.take(4, 59_500, 0.5), 500);
  assertEquals(budget.take(4, 60_000, 0.5), 0);
});

Deno.test("WeightBudget leaves out what an answer tells that took until the next minute", () => {
  const budget = new WeightBudget();
  budget.setLimits([{ ...MINUTE, limit: 100 }]);
  budget.take(2, 59_900, 0.5);
  budget.learn(2, told(90), 59_900, 60_100);
  assertEquals(budget.used(60_100), 0);
});

Deno.test("WeightBudget keeps to the limit on requests as well", () => {
  const budget = new WeightBudget();
  budget.setLimits([
    { ...MINUTE, limit: 6_000 },
    { kind: "requests", windowMs: 300_000, limit: 4 },
  ]);
  assertEquals([budget.take(2, 60_000, 0.5), budget.take(2, 60_000, 0.5)], [0, 0]);
  assertEquals(budget.take(2, 60_000, 0.5), 240_000);
});

Deno.test("WeightBudget keeps what was used when the exchange states its limits", () => {
  const budget = new WeightBudget();
  budget.take(20, 0, 1);
  budget.setLimits([{ ...MINUTE, limit: 30 }]);
  assertEquals(budget.used(0), 20);
  assertEquals(budget.take(20, 0, 1), 60_000);
});

Deno.test("WeightBudget lets the first request of a window out whatever it weighs", () => {
  const budget = new WeightBudget();
  budget.setLimits([{ ...MINUTE, limit: 100 }]);
  assertEquals(budget.take(20, 0, 0.01), 0);
  assertEquals(budget.take(2, 0, 0.01), 60_000);
});

Deno.test("WeightBudget works with a cautious limit while none is stated", () => {
  const budget = new WeightBudget();
  budget.setLimits([]);
  assertEquals(budget.take(600, 0, 0.5), 0);
  assertEquals(budget.take(2, 0, 0.5), 60_000);
});

Deno.test("WeightBudget keeps what was used when the clock is set back, and waits no longer for it", () => {
  const budget = new WeightBudget();
  budget.setLimits([{ ...MINUTE, limit: 8 }]);
  assertEquals(budget.take(4, 7_260_000, 0.5), 0);
  assertEquals(budget.take(4, 59_000, 0.5), 1_000);
  assertEquals(budget.take(4, 60_000, 0.5), 0);
});

Deno.test("WeightBudget counts what one source used for another that has a share of its own", () => {
  const budget = new WeightBudget();
  budget.setLimits([{ ...MINUTE, limit: 100 }]);
  assertEquals(budget.take(30, 0, 0.5), 0);
  assertEquals(budget.take(2, 0, 0.3), 60_000);
  assertEquals(budget.take(20, 0, 0.5), 0);
  assertEquals(budget.take(2, 0, 0.5), 60_000);
});
