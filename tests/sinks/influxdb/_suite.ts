/**
 * What the sink must do against any InfluxDB: imitated or real, of each version.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { OptionsError, RetryableError } from "../../../engine/errors.ts";
import type { PointShape } from "../../../engine/point.ts";
import { influxdb } from "../../../sinks/influxdb/mod.ts";
import { optionsOf } from "../../contracts/plugin.ts";
import { sinkChecks } from "../../contracts/sink.ts";
import { QUOTE, quotePoint, TIME_MS } from "../_fixtures.ts";
import type { FreshStore, Input, Store } from "./_stores.ts";

/** A check of the suite. */
interface Check {
  readonly name: string;
  check(subject: Subject): Promise<void>;
}

/**
 * Runs the suite as steps of a test.
 *
 * @param context The test.
 * @param store The kind of store. Each step has a new one.
 */
export async function runSuite(context: Deno.TestContext, store: Store): Promise<void> {
  for (const { name, check } of contractChecks(store)) await context.step(name, check);
  for (const { name, check } of CHECKS) {
    await context.step(name, () => check(new Subject(store)));
  }
}

const SERIES = [
  { symbol: "BTCUSDT", exchange: "binance" },
  { symbol: "ETH USDT,=", exchange: "binance" },
];

/** Two dozen points of two series, with every type, and each fourth field left out. */
const RECORDS = Array.from({ length: 24 }, (_, at) =>
  quotePoint({
    tags: SERIES[at % 2],
    fields: {
      price: `${100 + at}.25000000`,
      trades: at,
      closed: at % 3 === 0,
      ...(at % 4 === 0 ? {} : { note: `no. ${at}: "a, b = c\\d"` }),
    },
    timeMs: TIME_MS + 60_000 * at,
  }));

const CHECKS: readonly Check[] = [
  { name: "stores what it was given, and the same again, once", check: checkRoundTrip },
  { name: "says what is missing, and the option that makes it", check: checkMissing },
  { name: "makes what is missing, if that is wanted", check: checkCreated },
  { name: "refuses wrong credentials without showing them", check: checkCredentials },
  { name: "refuses one who may only read", check: checkReader },
  { name: "finds the bad lines among good ones", check: checkBadLines },
  { name: "compares the types of fields before the first point", check: checkTypes },
  { name: "tries everything for a probe, and writes nothing", check: checkProbe },
];

function contractChecks(store: Store) {
  return sinkChecks(influxdb, {
    options: store.input,
    shapes: [QUOTE],
    badShapes: [{ kind: "raw", format: "candle" }],
    records: RECORDS,
    rejects: [quotePoint({ timeMs: 0 }), quotePoint({ fields: { price: "x" } })],
    target() {
      const target = store.fresh();
      let made: Promise<void> | undefined;
      return {
        context(signal) {
          const context = target.context(signal);
          // A target is made before it is first reached, outside of what is watched.
          const fetch: typeof context.fetch = async (url, init) => {
            await (made ??= target.make());
            return await context.fetch(url, init);
          };
          return { ...context, fetch };
        },
        stored: () => target.stored(),
      };
    },
  });
}

/** A new store, and the sink that writes to it. */
class Subject {
  readonly store: Store;
  readonly target: FreshStore;

  constructor(store: Store) {
    this.store = store;
    this.target = store.fresh();
  }

  /** The sink, with the options of the store and some of its own. */
  sink(given: Partial<Input> = {}, shapes: readonly PointShape[] = [QUOTE]) {
    const options = optionsOf(influxdb, { ...this.store.input, ...given });
    const context = this.target.context();
    const reject = (_: number, error: Error): never => {
      throw error;
    };
    return {
      context,
      open: () => influxdb.open(options, { token: undefined, shapes }, context),
      probe: async () => await influxdb.probe?.(options, shapes, context) ?? "",
      encode: (records: readonly unknown[]) => ({
        records,
        bytes: influxdb.encode(records, { options, shapes, reject }),
      }),
    };
  }
}

async function checkRoundTrip(subject: Subject): Promise<void> {
  await subject.target.make();
  const { open, encode } = subject.sink();
  const writer = await open();
  assertEquals(await writer.deliver(encode(RECORDS)), []);
  const stored = await subject.target.stored();
  assertEquals(stored.split("\n").length - 1, RECORDS.length);
  assertStringIncludes(
    stored,
    `quote,exchange=binance,symbol=BTCUSDT ${
      TIME_MS + 120_000
    } closed=false,note="no. 2: \\"a, b = c\\\\d\\"",price=102.25,trades=2i\n`,
  );
  assertEquals(await writer.deliver(encode(RECORDS)), []);
  assertEquals(await subject.target.stored(), stored);
}

async function checkMissing(subject: Subject): Promise<void> {
  const error = await assertRejects(subject.sink().open, OptionsError, '"market"');
  assertStringIncludes(error.hint ?? "", "set `create: true` to have it made");
  await assertRejects(subject.sink().probe, OptionsError, '"market"');
  assertEquals(await subject.target.stored(), "");
}

async function checkCreated(subject: Subject): Promise<void> {
  const { open, probe, encode, context } = subject.sink({ create: true });
  assertStringIncludes(await probe(), '"market" is missing and will be made');
  await assertRejects(subject.sink().open, OptionsError, '"market"');
  const writer = await open();
  assertStringIncludes(context.said.map(({ message }) => message).join(), "Made");
  await writer.deliver(encode(RECORDS));
  assertEquals((await subject.target.stored()).split("\n").length - 1, RECORDS.length);
  await subject.sink({ create: true }).open();
}

async function checkCredentials(subject: Subject): Promise<void> {
  const { token, username } = subject.store.input;
  // Some servers let anyone in.
  if (token === undefined && username === undefined) return;
  await subject.target.make();
  const wrong = token === undefined ? { password: "a wrong password" } : { token: "a-wrong-token" };
  const { open, probe } = subject.sink(wrong);
  for (const attempt of [open, probe]) {
    const error = await assertRejects(attempt, OptionsError, "answered 401");
    assertStringIncludes(error.hint ?? "", `Check \`${"token" in wrong ? "token" : "username"}\``);
    assert(!`${error.message} ${error.hint} ${error.stack}`.includes("wrong"));
  }
}

async function checkReader(subject: Subject): Promise<void> {
  const { reader } = subject.store;
  if (!reader) return;
  await subject.target.make();
  const { open } = subject.sink(reader);
  const error = await assertRejects(open, OptionsError, "answered 403");
  assertStringIncludes(error.hint ?? "", reader.token === undefined ? "GRANT ALL" : "right");
}

async function checkBadLines(subject: Subject): Promise<void> {
  await subject.target.make();
  const { open, encode } = subject.sink();
  const writer = await open();
  await writer.deliver(encode(RECORDS.slice(0, 2)));
  const { bytes, records } = encode(RECORDS);
  const text = new TextDecoder().decode(bytes);
  // One line that does not parse, and two whose field has another type in the store.
  const bad = text.replace("trades=5i", "trades=5x").replace("trades=8i", "trades=8")
    .replace("trades=23i", "trades=23");
  const rejections = await writer.deliver({ records, bytes: new TextEncoder().encode(bad) }) ?? [];
  assertEquals(rejections.map(({ index }) => index), [5, 8, 23]);
  for (const { reason } of rejections) assert(reason.length > 10, reason);
  assertStringIncludes(rejections[1]?.reason ?? "", "trades");
  const stored = await subject.target.stored();
  assertEquals(stored.split("\n").length - 1, RECORDS.length - 3);
}

async function checkTypes(subject: Subject): Promise<void> {
  await subject.target.make();
  const { open, encode } = subject.sink();
  await (await open()).deliver(encode(RECORDS));
  const other: PointShape = {
    ...QUOTE,
    fields: { price: "integer", trades: "float", more: "float" },
  };
  const error = await assertRejects(subject.sink({}, [other]).open, OptionsError);
  assertStringIncludes(
    error.message,
    'as fields must keep the types they are stored with: "price" of "quote" must be float: it is declared as integer; "trades" of "quote" must be integer: it is declared as float',
  );
  await subject.sink({}, [{ ...QUOTE, measurement: "another", fields: other.fields }]).open();
}

async function checkProbe(subject: Subject): Promise<void> {
  await subject.target.make();
  const { probe, open, encode } = subject.sink();
  assertStringIncludes(await probe(), "can be written to; no field is stored yet");
  assertEquals(await subject.target.stored(), "");
  await (await open()).deliver(encode(RECORDS));
  const stored = await subject.target.stored();
  assertStringIncludes(await probe(), "can be written to; 4 stored fields have the declared");
  assertEquals(await subject.target.stored(), stored);
  const context = {
    ...subject.target.context(),
    fetch: () => Promise.reject(new TypeError("refused")),
  };
  await assertRejects(
    async () => await influxdb.probe?.(optionsOf(influxdb, subject.store.input), [QUOTE], context),
    RetryableError,
    "Cannot reach InfluxDB at",
  );
}
