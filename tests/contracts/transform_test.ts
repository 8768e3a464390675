import { assertEquals } from "@std/assert";
import { z } from "zod";
import { OptionsError, RecordError } from "../../engine/errors.ts";
import { defineTransform, type StepContext, type TransformSpec } from "../../engine/plugin.ts";
import { findFailing } from "./failing.ts";
import { testTransform, type TransformCase, transformChecks } from "./transform.ts";

interface Options {
  readonly step: number;
}
interface Input {
  readonly step?: number | undefined;
}
interface Reading {
  readonly meter: string;
  readonly kwh: number;
}
interface State {
  readonly total: number;
  readonly seen: readonly number[];
}
type Spec = TransformSpec<Options, Input, State, Reading, Reading>;
type Step = StepContext<Options, State, Reading>;

const EXPECTED = "gives the expected records";
const SHAPE = "gives records of the shape it declares";
const AGAIN = "gives the same when it is run again";
const BATCHES = "gives the same in batches of any size";
const RESUME = "gives the same wherever it stops and resumes";
const FROZEN = "changes neither records nor state in place";
const PURE = "uses no clock, no chance and no network";
const SYNCHRONOUS = "is done when its step returns";
const STATE = "keeps its state as plain JSON";
const KEYS = "works on each key as if it were alone";
const DOUBTS = "doubts stored points by what they are, and nothing else";
const BAD_SHAPES = "refuses what it cannot work with, before anything runs";
const REJECTS = "refuses bad records with RecordError, and forgets them";

const given: TransformCase<Input, Reading, Reading> = {
  options: { step: 2 },
  badOptions: [{ step: 0 }],
  shape: { kind: "raw", format: "reading" },
  badShapes: [{ kind: "raw", format: "candle" }],
  records: [
    { meter: "a", kwh: 1 },
    { meter: "b", kwh: 10 },
    { meter: "a", kwh: 2 },
    { meter: "a", kwh: 3 },
    { meter: "b", kwh: 20 },
  ],
  expected: [
    { meter: "a", kwh: 2 },
    { meter: "b", kwh: 20 },
    { meter: "a", kwh: 6 },
    { meter: "a", kwh: 12 },
    { meter: "b", kwh: 60 },
  ],
  rejects: [{ meter: "a", kwh: -1 }, { meter: "b", kwh: NaN }],
};

/** A transform that keeps its contract, and the thread the broken ones are spun from. */
const sound: Spec = {
  id: "add_up",
  summary: "Adds up what meters read",
  options: z.strictObject({ step: z.int().min(1).default(1).describe("Factor") }),
  shape(input) {
    if (input.kind === "raw" && input.format === "reading") return input;
    throw new OptionsError("Cannot add up records that are not readings");
  },
  key: ({ meter }) => meter,
  state: { version: 1, initial: () => ({ total: 0, seen: [] }) },
  step: addUp,
};

function addUp({ meter, kwh }: Reading, { options, state, emit }: Step): State {
  if (!(kwh >= 0)) throw new RecordError("A reading must not be below 0");
  const total = state.total + options.step * kwh;
  emit({ meter, kwh: total });
  return { total, seen: [...state.seen, kwh] };
}

testTransform(defineTransform(sound), given);

testTransform(
  defineTransform({
    id: "odd_ones",
    summary: "Keeps odd numbers",
    options: z.strictObject({}),
    shape: (input) => input,
    step(record: number, { emit }) {
      if (record % 2 === 1) emit(record);
    },
  }),
  { options: {}, shape: { kind: "raw", format: "number" }, records: [1, 2, 3], expected: [1, 3] },
);

let lastMeter = "";
let runs = 0;
let held: Step | undefined;

const BROKEN: readonly (readonly [what: string, spec: Partial<Spec>, failing: string[]])[] = [
  [
    "loses a record",
    {
      step: (record, step) =>
        addUp(record, record.kwh === 3 ? { ...step, emit: () => {} } : { ...step }),
    },
    [EXPECTED, AGAIN, BATCHES, RESUME, REJECTS],
  ],
  [
    "gives points where it declared none",
    {
      shape(input, options) {
        sound.shape(input, options);
        return { kind: "point", measurement: "reading", tags: [], fields: { kwh: "float" } };
      },
    },
    [SHAPE],
  ],
  [
    "takes shapes it cannot work with",
    { shape: (input) => input },
    [BAD_SHAPES],
  ],
  [
    "remembers outside of its state what it saw last",
    {
      step(record, step) {
        const state = addUp(record, step);
        if (record.kwh === 3 && lastMeter === "b") step.emit(record);
        lastMeter = record.meter;
        return state;
      },
    },
    [RESUME],
  ],
  [
    "remembers outside of its state that it ran before",
    {
      step(record, step) {
        const state = addUp(record, step);
        runs += record.kwh === 1 ? 1 : 0;
        if (runs > 1) step.emit(record);
        return state;
      },
    },
    [AGAIN, BATCHES, RESUME, REJECTS],
  ],
  [
    "changes its state in place",
    {
      step(record, step) {
        const next = addUp(record, step);
        return Object.assign(step.state, next);
      },
    },
    [FROZEN],
  ],
  [
    "changes a list in its state in place, before it refuses",
    {
      step(record, step) {
        const seen: number[] = Object(step.state.seen);
        seen.push(record.kwh);
        const { total } = addUp(record, step);
        return { total, seen };
      },
    },
    [FROZEN, REJECTS],
  ],
  [
    "changes the record it is given",
    {
      step(record, step) {
        const state = addUp(record, step);
        Object.assign(record, { kwh: 0 });
        return state;
      },
    },
    [FROZEN],
  ],
  [
    "changes a record it has emitted",
    {
      step({ meter, kwh }, { options, state, emit }) {
        if (!(kwh >= 0)) throw new RecordError("A reading must not be below 0");
        const record = { meter, kwh: 0 };
        emit(record);
        record.kwh = state.total + options.step * kwh;
        return { ...state, total: record.kwh };
      },
    },
    [FROZEN],
  ],
  [
    "looks at the clock",
    {
      step(record, step) {
        if (Date.now() < 0) step.emit(record);
        return addUp(record, step);
      },
    },
    [PURE],
  ],
  [
    "draws lots",
    {
      step(record, step) {
        if (Math.random() > 1) step.emit(record);
        return addUp(record, step);
      },
    },
    [PURE],
  ],
  [
    "returns a promise",
    {
      step(record, step) {
        return Object(Promise.resolve(addUp(record, step)));
      },
    },
    [EXPECTED, SHAPE, AGAIN, BATCHES, RESUME, FROZEN, PURE, SYNCHRONOUS, STATE, KEYS, REJECTS],
  ],
  [
    "emits after its step has returned",
    {
      step(record, { options, state, emit }) {
        const next = addUp(record, { options, state, emit: () => {} });
        Promise.resolve().then(() => emit({ meter: record.meter, kwh: next.total }));
        return next;
      },
    },
    [EXPECTED, AGAIN, BATCHES, RESUME, SYNCHRONOUS, REJECTS],
  ],
  [
    "keeps the step's context",
    {
      step(record, step) {
        const before = held;
        held = step;
        const state = addUp(record, step);
        if (before?.state?.seen.length === 1) step.emit(record);
        return state;
      },
    },
    [EXPECTED, AGAIN, BATCHES, RESUME, REJECTS],
  ],
  [
    "keeps a NaN in its state",
    { step: (record, step) => ({ ...addUp(record, step), mean: NaN }) },
    [STATE],
  ],
  [
    "has a state of version 0",
    { state: { version: 0, initial: () => ({ total: 0, seen: [] }) } },
    [STATE],
  ],
  [
    "keeps in its state what JSON loses",
    {
      step(record, step) {
        const seen: unknown = Reflect.get(step.state, "meters") ?? new Set();
        const meters = seen instanceof Set ? seen : new Set();
        const isNew = !meters.has(record.meter);
        const state = addUp(record, { ...step, state: { ...step.state } });
        if (isNew && state.seen.length > 1) step.emit(record);
        return { ...state, meters: new Set([...meters, record.meter]) };
      },
    },
    [BATCHES, RESUME, STATE],
  ],
  [
    "mixes up its keys",
    { key: ({ kwh }) => kwh < 10 ? "low" : "high", step: mixUp },
    [EXPECTED, AGAIN, BATCHES, RESUME, REJECTS],
  ],
  [
    "throws something else to refuse a record",
    {
      step(record, step) {
        if (!(record.kwh >= 0)) throw new TypeError("below 0");
        return addUp(record, step);
      },
    },
    [REJECTS],
  ],
  [
    "takes bad records",
    {
      step: ({ meter, kwh }, step) =>
        kwh < 0 ? step.state : addUp({ meter, kwh: kwh >= 0 ? kwh : 0 }, step),
    },
    [REJECTS],
  ],
  [
    "doubts a point only once",
    { doubts: () => runs++ === 0 ? [{ what: "new" }] : [] },
    [DOUBTS],
  ],
  [
    "doubts points by the clock",
    { doubts: () => Date.now() < 0 ? [{ what: "old" }] : [] },
    [DOUBTS],
  ],
  [
    "does not say what it doubts, or from how many points on",
    { doubts: () => [{ what: "odd", least: 0 }] },
    [DOUBTS],
  ],
];

function mixUp(record: Reading, step: Step): State {
  const state = addUp(record, step);
  if (record.kwh === 20) step.emit(record);
  return state;
}

for (const [what, spec, failing] of BROKEN) {
  Deno.test(`the suite of transforms finds a transform that ${what}`, async () => {
    lastMeter = "";
    runs = 0;
    held = undefined;
    assertEquals(
      await findFailing(transformChecks(defineTransform({ ...sound, ...spec }), given)),
      failing,
    );
  });
}

Deno.test("the suite of transforms asks for records of two keys where a transform has keys", async () => {
  const checks = transformChecks(defineTransform(sound), {
    ...given,
    records: [{ meter: "a", kwh: 1 }],
    expected: [{ meter: "a", kwh: 2 }],
  });
  assertEquals(await findFailing(checks), [KEYS]);
});

Deno.test("the suite of transforms finds keys that meet outside of the state", async () => {
  lastMeter = "";
  const meeting = defineTransform({
    ...sound,
    step(record: Reading, step: Step): State {
      const state = addUp(record, step);
      if (record.kwh === 1) lastMeter = "";
      if (lastMeter !== "" && lastMeter !== record.meter) {
        step.emit({ meter: record.meter, kwh: 0 });
      }
      lastMeter = record.meter;
      return state;
    },
  });
  const checks = transformChecks(meeting, {
    ...given,
    expected: [
      { meter: "a", kwh: 2 },
      { meter: "b", kwh: 20 },
      { meter: "b", kwh: 0 },
      { meter: "a", kwh: 6 },
      { meter: "a", kwh: 0 },
      { meter: "a", kwh: 12 },
      { meter: "b", kwh: 60 },
      { meter: "b", kwh: 0 },
    ],
  });
  assertEquals(await findFailing(checks), [RESUME, KEYS]);
});
