import { assertEquals } from "@std/assert";
import { haltAtEnd, haltAtStart, haltOver, mergeHalts } from "../../simulator/halts.ts";

const halt = (fromMs: number, toMs: number, cut = false) => ({ fromMs, toMs, cut });
const HALTS = [halt(10, 20), halt(50, 60)];

Deno.test("mergeHalts() puts halts in order and joins those that touch or overlap", () => {
  const merged = mergeHalts([halt(30, 40), halt(0, 10), halt(5, 20), halt(20, 25), halt(1, 2)]);
  assertEquals(merged, [halt(0, 25), halt(30, 40)]);
});

Deno.test("haltOver() finds a halt only when it covers the whole span", () => {
  assertEquals(haltOver(HALTS, 10, 20), HALTS[0]);
  assertEquals(haltOver(HALTS, 12, 15), HALTS[0]);
  assertEquals(haltOver(HALTS, 50, 60), HALTS[1]);
  assertEquals(haltOver(HALTS, 9, 20), undefined);
  assertEquals(haltOver(HALTS, 10, 21), undefined);
  assertEquals(haltOver(HALTS, 30, 40), undefined);
});

Deno.test("haltAtEnd() finds a halt that begins within a span and outlasts it", () => {
  assertEquals(haltAtEnd(HALTS, 5, 15), HALTS[0]);
  assertEquals(haltAtEnd(HALTS, 5, 20), HALTS[0]);
  assertEquals(haltAtEnd(HALTS, 5, 21), undefined);
  assertEquals(haltAtEnd(HALTS, 10, 20), undefined);
});

Deno.test("haltAtStart() finds a halt that goes on at the start of a span and ends within", () => {
  assertEquals(haltAtStart(HALTS, 15, 30), HALTS[0]);
  assertEquals(haltAtStart(HALTS, 10, 30), HALTS[0]);
  assertEquals(haltAtStart(HALTS, 20, 30), undefined);
  assertEquals(haltAtStart(HALTS, 15, 20), undefined);
});
