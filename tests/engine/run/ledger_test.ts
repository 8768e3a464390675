import { assertEquals, assertNotStrictEquals } from "@std/assert";
import {
  emptyStep,
  findImbalances,
  type Ledger,
  type StepLedger,
} from "../../../engine/run/ledger.ts";

function counts(parts: Partial<StepLedger>): StepLedger {
  return { in: 0, replayed: 0, out: 0, extra: 0, filtered: 0, rejected: 0, ...parts };
}

/**
 * Two sources give 60 and 40 records. `one` leaves out 10, refuses 5 and doubles 3: 88 go on.
 * `two` refuses 8: 80 go on. The sinks refuse 4 and none. Of 17 refused records 6 were dropped.
 */
function balanced(): Ledger {
  return {
    sources: { left: counts({ out: 60 }), right: counts({ out: 40 }) },
    transforms: {
      one: counts({ in: 100, replayed: 0, out: 88, extra: 3, filtered: 10, rejected: 5 }),
      two: counts({ in: 88, replayed: 0, out: 80, rejected: 8 }),
    },
    sinks: {
      near: counts({ in: 80, replayed: 0, out: 76, rejected: 4 }),
      far: counts({ in: 80, replayed: 0, out: 80 }),
    },
    deadLetter: counts({ in: 11, replayed: 0, out: 11 }),
    dropped: 6,
  };
}

Deno.test("emptyStep() gives zeros, in an object of its own each time", () => {
  assertEquals(emptyStep(), { in: 0, replayed: 0, out: 0, extra: 0, filtered: 0, rejected: 0 });
  assertNotStrictEquals(emptyStep(), emptyStep());
});

Deno.test("findImbalances() finds none in a run without records, nor in one without steps", () => {
  assertEquals(
    findImbalances({
      sources: { feed: emptyStep() },
      transforms: { rsi: emptyStep() },
      sinks: { store: emptyStep() },
      deadLetter: emptyStep(),
      dropped: 0,
    }),
    [],
  );
  assertEquals(
    findImbalances({
      sources: {},
      transforms: {},
      sinks: {},
      deadLetter: emptyStep(),
      dropped: 0,
    }),
    [],
  );
});

Deno.test("findImbalances() finds none when every record is accounted for", () => {
  assertEquals(findImbalances(balanced()), []);
});

Deno.test("findImbalances() compares each sink with all that was on its way to it", () => {
  const ledger: Ledger = {
    sources: { left: counts({ out: 60 }), right: counts({ out: 40 }) },
    transforms: {},
    sinks: {
      near: counts({ in: 100, replayed: 0, out: 100 }),
      far: counts({ in: 99, replayed: 0, out: 99 }),
      third: counts({ in: 101, replayed: 0, out: 101 }),
    },
    deadLetter: emptyStep(),
    dropped: 0,
  };
  assertEquals(findImbalances(ledger), [
    'sink "far" took 99 records, but 100 were on their way to it',
    'sink "third" took 101 records, but 100 were on their way to it',
  ]);
});

Deno.test("findImbalances() has one sentence for each equation that does not hold", async (t) => {
  const cases: [string, (ledger: Ledger) => void, string[]][] = [
    [
      "a record lost between source and transform",
      (ledger) => void (of(ledger.sources, "left").out++),
      ['transform "one" took 100 records, but 101 were on their way to it'],
    ],
    [
      "a record lost inside a transform",
      (ledger) => void (of(ledger.transforms, "one").filtered--),
      ['transform "one" took 100 records and made 3 more, but 102 are accounted for'],
    ],
    [
      "a record a transform made without saying so",
      (ledger) => void (of(ledger.transforms, "one").extra--),
      ['transform "one" took 100 records and made 2 more, but 103 are accounted for'],
    ],
    [
      "a record lost between two transforms",
      (ledger) => {
        of(ledger.transforms, "two").in--;
        of(ledger.transforms, "two").out--;
        for (const id of ["near", "far"]) {
          of(ledger.sinks, id).in--;
          of(ledger.sinks, id).out--;
        }
      },
      ['transform "two" took 87 records, but 88 were on their way to it'],
    ],
    [
      "a record doubled on its way to one sink",
      (ledger) => {
        of(ledger.sinks, "far").in++;
        of(ledger.sinks, "far").out++;
      },
      ['sink "far" took 81 records, but 80 were on their way to it'],
    ],
    [
      "a record one sink never acknowledged",
      (ledger) => void (of(ledger.sinks, "near").out--),
      ['sink "near" took 80 records and made 0 more, but 79 are accounted for'],
    ],
    [
      "a refused record that never reached the dead-letter sink",
      (ledger) => {
        ledger.deadLetter.in--;
        ledger.deadLetter.out--;
      },
      ["the dead-letter sink took 10 records, but 11 were on their way to it"],
    ],
    [
      "a refused record that was dropped and not counted",
      (ledger) => void ledger.dropped--,
      ["the dead-letter sink took 11 records, but 12 were on their way to it"],
    ],
    [
      "a refused record that was both dropped and kept",
      (ledger) => void ledger.dropped++,
      ["the dead-letter sink took 11 records, but 10 were on their way to it"],
    ],
    [
      "a dead letter that was never acknowledged",
      (ledger) => void ledger.deadLetter.out--,
      ["the dead-letter sink took 11 records and made 0 more, but 10 are accounted for"],
    ],
  ];
  for (const [name, spoil, faults] of cases) {
    await t.step(name, () => {
      const ledger = balanced();
      spoil(ledger);
      assertEquals(findImbalances(ledger), faults);
    });
  }
});

Deno.test("findImbalances() names every fault at once, in the order of the pipeline", () => {
  const ledger = balanced();
  of(ledger.sources, "left").out++;
  of(ledger.sinks, "near").out--;
  ledger.deadLetter.out--;
  assertEquals(findImbalances(ledger), [
    'transform "one" took 100 records, but 101 were on their way to it',
    'sink "near" took 80 records and made 0 more, but 79 are accounted for',
    "the dead-letter sink took 11 records and made 0 more, but 10 are accounted for",
  ]);
});

Deno.test("findImbalances() sees two faults that would cancel each other out in a sum", () => {
  const ledger = balanced();
  of(ledger.sinks, "near").out++;
  of(ledger.sinks, "far").out--;
  assertEquals(findImbalances(ledger).length, 2);
});

Deno.test("findImbalances() leaves the ledger as it is", () => {
  const ledger = balanced();
  findImbalances(ledger);
  assertEquals(ledger, balanced());
});

function of(steps: Readonly<Record<string, StepLedger>>, id: string): StepLedger {
  const step = steps[id];
  if (!step) throw new Error(`There is no step "${id}"`);
  return step;
}
