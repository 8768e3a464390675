import { assertEquals } from "@std/assert";
import { Findings } from "../../../engine/audit/findings.ts";

Deno.test("Findings takes points that follow each other together, each kind by itself", () => {
  const findings = new Findings();
  for (let timeMs = 0; timeMs < 10; timeMs++) {
    findings.next();
    if (timeMs !== 4) findings.note("odd", timeMs);
    if (timeMs === 2) findings.note("twice", timeMs);
    if (timeMs === 2) findings.note("twice", timeMs);
  }
  assertEquals(findings.end(), [
    { what: "odd", fromMs: 0, lastMs: 3, points: 4 },
    { what: "twice", fromMs: 2, lastMs: 2, points: 1 },
    { what: "odd", fromMs: 5, lastMs: 9, points: 5 },
  ]);
});

Deno.test("Findings leaves out what is nothing below a number of points", () => {
  const findings = new Findings();
  for (let timeMs = 0; timeMs < 6; timeMs++) {
    findings.next();
    if (timeMs !== 2) findings.note("still", timeMs, 3);
  }
  assertEquals(findings.end(), [{ what: "still", fromMs: 3, lastMs: 5, points: 3 }]);
});

Deno.test("Findings keeps a bounded number of each kind", () => {
  const findings = new Findings();
  for (let timeMs = 0; timeMs < 5_000; timeMs++) {
    findings.next();
    if (timeMs % 2 === 0) findings.note("odd", timeMs);
  }
  const found = findings.end();
  assertEquals(found.length, 1_000);
  assertEquals(found.at(-1), { what: "odd", fromMs: 1_998, lastMs: 4_998, points: 1_501 });
});
