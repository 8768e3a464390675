/** A process that is killed anywhere, and resumed, leaves what an undisturbed one leaves. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Bug } from "./bugs.ts";
import { findPrintFaults } from "./experiment.ts";
import { COLUMNS, type MatrixReport, renderMatrix, runMatrix } from "./matrix.ts";
import { allPairs, type Pair } from "./pairs.ts";

/** Each source and each sink at least once: `deno task crash` takes all pairs. */
function somePairs(): Pair[] {
  const pairs = allPairs();
  const sources = [...new Set(pairs.map(({ source }) => source))];
  const sinks = [...new Set(pairs.map(({ sink }) => sink))];
  return sinks.flatMap((sink, at) => {
    const source = sources[at % sources.length];
    return source ? [{ source, sink }] : [];
  });
}

function killsAt(report: MatrixReport, place: string): number {
  return report.rows.reduce((sum, { kills }) => sum + (kills[place] ?? 0), 0);
}

Deno.test("a process that is killed at any place and resumed leaves what an undisturbed one leaves", async () => {
  const report = await runMatrix({ kills: COLUMNS.length, seed: 1, pairs: somePairs() });
  assertEquals(report.faults, [], renderMatrix(report));
  assertEquals(report.kills, COLUMNS.length);
  const spared = COLUMNS.filter((place) => killsAt(report, place) === 0);
  assertEquals(spared, [], renderMatrix(report));
});

/** The deliberate bugs, and where the last of the kills must be to bring them to light. */
const BUGS: readonly [Bug, string, RegExp][] = [
  ["states are lost", "a state that is not saved", /"out\.lp" must have in line/],
  [
    "positions go first",
    "a position that is saved before its records are flushed",
    /"out\.lp" must have in line/,
  ],
];

for (const [bug, name, wanted] of BUGS) {
  Deno.test(`the crash matrix finds ${name}`, async () => {
    const [pair] = allPairs();
    assert(pair);
    const report = await runMatrix({
      ...{ kills: 4, seed: 1, pairs: [pair], bug },
      columns: ["after a read", "after a delivery"],
    });
    assert(report.faults.some((fault) => wanted.test(fault)), renderMatrix(report));
    assertStringIncludes(renderMatrix(report), "went wrong");
  });
}

const FOUR_LINES = "a\nb\nc\nd\n";

Deno.test("findPrintFaults() takes what was printed again from the last checkpoint on", () => {
  const printed = [
    { text: "a\nb\nc", savedRecords: 0 },
    { text: "", savedRecords: 1 },
    { text: "b\nc\nd\n", savedRecords: 1 },
  ];
  assertEquals(findPrintFaults(FOUR_LINES, printed), []);
});

Deno.test("findPrintFaults() finds what was lost, doubled without need, or bent", () => {
  const faultsOf = (...printed: [string, number][]) =>
    findPrintFaults(FOUR_LINES, printed.map(([text, savedRecords]) => ({ text, savedRecords })));
  const cases: [string[], string][] = [
    [faultsOf(["a\n", 0], ["c\nd\n", 2]), "process 2 was to go on behind what was printed"],
    [faultsOf(["a\nb\n", 0], ["a\nb\nc\nd\n", 1]), "what process 2 printed must have in line 1"],
    [faultsOf(["a\nx", 0], ["b\nc\nd\n", 1]), "what process 1 printed must have in line 2"],
    [faultsOf(["a\nb\nc\n", 0]), "what process 1 printed must have in line 4"],
  ];
  for (const [faults, expected] of cases) assertStringIncludes(faults.join("; "), expected);
});
