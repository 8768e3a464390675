import { assertEquals, assertRejects } from "@std/assert";
import { z } from "zod";
import type { Context } from "../../engine/context.ts";
import { FatalError, OptionsError, RetryableError } from "../../engine/errors.ts";
import {
  defineSource,
  type Position,
  type SourceBatch,
  type SourceSpec,
} from "../../engine/plugin.ts";
import { fakeContext } from "./context.ts";
import { findFailing } from "./failing.ts";
import { type SourceCase, sourceChecks, testSource } from "./source.ts";

interface Options {
  readonly url: string;
}
type Spec = SourceSpec<Options, Options, number>;
type Batches = AsyncIterable<SourceBatch<number>>;

const EXPECTED = "gives the expected records";
const SHAPE = "gives records of the shape it declares";
const POSITIONS = "gives positions that survive JSON";
const STAYS = "leaves alone what it has given";
const LAZY = "touches nothing before the first pull";
const REACH = "reaches only what its permissions name";
const OPEN = "leaves nothing open, wherever its consumer stops";
const ABORT = "ends at the next pull once the signal has aborted";
const WAITING = "ends when the signal aborts while it waits";
const TWICE = "may be read twice at the same time";
const FAULTS = "loses nothing in silence when the world fails";
const RESUME = "gives exactly the rest when it resumes after any batch";
const EMPTY = "ends when there is nothing to read";

const NUMBERS = [1, 2, 3, 4, 5, 6];

/** A server of numbers: two a page. */
function serve(numbers: readonly number[]): Context["fetch"] {
  return (url, init) => {
    if (init?.signal?.aborted) return Promise.reject(init.signal.reason);
    const from = Number(new URL(url).searchParams.get("from"));
    return Promise.resolve(Response.json(numbers.slice(from, from + 2)));
  };
}

const given: SourceCase<Options, number> = {
  options: { url: "http://numbers.test/" },
  badOptions: [{ url: 5 }, { url: "" }],
  permissions: { net: ["numbers.test:80"] },
  context: (signal) => fakeContext({ signal, fetch: serve(NUMBERS) }),
  records: NUMBERS,
  empty: { context: (signal) => fakeContext({ signal, fetch: serve([]) }) },
  failing: [{
    name: "the server is not what it should be",
    context: (signal) =>
      fakeContext({ signal, fetch: () => Promise.resolve(Response.json({ no: 1 })) }),
    error: FatalError,
    message: "must be a list",
  }],
};

/** A source that keeps its contract, and the thread the broken ones are spun from. */
const sound: Spec = {
  id: "numbers",
  summary: "Reads numbers from a server",
  options: z.strictObject({ url: z.string().min(1).describe("Server to read from") }),
  replay: "exact",
  permissions: ({ url }) => ({ net: [`${new URL(url).hostname}:80`] }),
  shape: () => ({ kind: "raw", format: "number" }),
  read: readNumbers,
};

async function* readNumbers({ url }: Options, from: Position, context: Context): Batches {
  let next = Number(from.next ?? 0);
  for (;;) {
    context.signal.throwIfAborted();
    const page = await context.retry("read a page", () => readPage(url, next, context));
    if (page.length === 0) return;
    next += page.length;
    yield { records: page, position: { next }, progress: next / 6 };
    await context.sleep(1_000);
  }
}

async function readPage(url: string, from: number, context: Context): Promise<number[]> {
  const response = await context.fetch(`${url}?from=${from}`, { signal: context.signal })
    .catch((error) => {
      context.signal.throwIfAborted();
      throw new RetryableError("Cannot reach the server", { cause: error });
    });
  if (!response.ok) {
    await response.body?.cancel();
    throw new RetryableError(`The server answered ${response.status}`);
  }
  const page: unknown = await response.json();
  if (Array.isArray(page)) return page;
  throw new FatalError("A page must be a list");
}

/** The sound source, with each batch changed on its way out. */
function changing(change: (batch: SourceBatch<number>, index: number) => SourceBatch<number>) {
  return async function* (options: Options, from: Position, context: Context): Batches {
    let index = 0;
    for await (const batch of readNumbers(options, from, context)) yield change(batch, index++);
  };
}

testSource(defineSource(sound), given);

let shared = 0;

const BROKEN: readonly (readonly [what: string, spec: Partial<Spec>, failing: string[]])[] = [
  [
    "drops a record",
    {
      read: changing(({ records, ...batch }, index) => ({
        ...batch,
        records: index === 1 ? records.slice(1) : records,
      })),
    },
    [EXPECTED, TWICE, FAULTS, RESUME],
  ],
  [
    "gives records that are not of its shape",
    {
      shape: () => ({ kind: "point", measurement: "number", tags: [], fields: { n: "float" } }),
    },
    [SHAPE],
  ],
  [
    "gives a position that JSON does not hold",
    {
      read: changing((batch) => {
        const position: Record<string, never> = Object(batch.position);
        return { ...batch, position: { ...position, seen: Object(new Map()) } };
      }),
    },
    [POSITIONS],
  ],
  [
    "lets its progress go back",
    { read: changing((batch, index) => ({ ...batch, progress: index === 1 ? 0 : 0.5 })) },
    [POSITIONS],
  ],
  [
    "uses one list for all batches",
    {
      async *read(options, from, context): Batches {
        const records: number[] = [];
        for await (const batch of readNumbers(options, from, context)) {
          records.splice(0, records.length, ...batch.records);
          yield { ...batch, records };
        }
      },
    },
    [STAYS, FAULTS, RESUME],
  ],
  [
    "reaches out before the first pull",
    {
      read(options, from, context): Batches {
        context.log.info("begin");
        context.fetch(options.url, { signal: context.signal }).then((page) => page.body?.cancel())
          .catch(() => {});
        return readNumbers(options, from, context);
      },
    },
    [LAZY],
  ],
  ["reaches what it does not name", { permissions: () => ({}) }, [
    "names exactly what it must be allowed to reach",
    REACH,
  ]],
  ["names any host", { permissions: () => ({ net: ["*.test:80"] }) }, [
    "names exactly what it must be allowed to reach",
    REACH,
  ]],
  [
    "does not read the answer to its last request",
    {
      async *read(options, from, context): Batches {
        for await (const batch of readNumbers(options, from, context)) {
          const ahead = await context.fetch(`${options.url}?from=99`, { signal: context.signal });
          yield batch;
          await ahead.body?.cancel();
        }
      },
    },
    [OPEN, FAULTS],
  ],
  [
    "does not look at the signal between batches",
    {
      async *read({ url }, from, context): Batches {
        const page: number[] = [];
        for (let at = Number(from.next ?? 0), more = true; more;) {
          const next = await context.retry("read a page", () => readPage(url, at, context));
          at += next.length;
          page.push(...next);
          more = next.length > 0;
        }
        for (let at = 0; at < page.length; at++) {
          yield {
            records: page.slice(at, at + 1),
            position: { next: Number(from.next ?? 0) + at + 1 },
          };
        }
      },
    },
    [ABORT],
  ],
  [
    "does not hand the signal to fetch",
    {
      read: (options, from, context) =>
        readNumbers(options, from, {
          ...context,
          fetch: (url) => context.fetch(url),
        }),
    },
    [WAITING],
  ],
  [
    "keeps its place outside of read",
    {
      async *read(options, from, context): Batches {
        shared = Number(from.next ?? 0);
        for (;;) {
          context.signal.throwIfAborted();
          const page = await context.retry(
            "read a page",
            () => readPage(options.url, shared, context),
          );
          if (page.length === 0) return;
          shared += page.length;
          yield { records: page, position: { next: shared } };
        }
      },
    },
    [TWICE],
  ],
  [
    "takes an error page for the end",
    {
      async *read({ url }, from, context): Batches {
        for (let next = Number(from.next ?? 0);;) {
          context.signal.throwIfAborted();
          const page = await readPage(url, next, context).catch((error) => {
            if (error instanceof RetryableError) return [];
            throw error;
          });
          if (page.length === 0) return;
          next += page.length;
          yield { records: page, position: { next } };
        }
      },
    },
    [FAULTS],
  ],
  [
    "skips a page that it could not read",
    {
      async *read({ url }, from, context): Batches {
        for (let next = Number(from.next ?? 0);;) {
          context.signal.throwIfAborted();
          let page: number[] = [];
          try {
            page = await readPage(url, next, context);
          } catch (error) {
            if (error instanceof RetryableError) {
              yield { records: [], position: { next: next + 2 } };
            }
            throw error;
          }
          if (page.length === 0) return;
          next += page.length;
          yield { records: page, position: { next } };
        }
      },
    },
    [FAULTS],
  ],
  [
    "throws what fetch throws",
    {
      async *read({ url }, from, context): Batches {
        for (let next = Number(from.next ?? 0);;) {
          context.signal.throwIfAborted();
          const response = await context.fetch(`${url}?from=${next}`, { signal: context.signal });
          const page: unknown = await response.json();
          if (!Array.isArray(page)) throw new FatalError("A page must be a list");
          if (page.length === 0) return;
          next += page.length;
          yield { records: page, position: { next } };
        }
      },
    },
    [FAULTS],
  ],
  [
    "gives a position that is one batch late",
    {
      async *read(options, from, context): Batches {
        let position = from;
        for await (const batch of readNumbers(options, from, context)) {
          yield { ...batch, position };
          position = batch.position;
        }
      },
    },
    [RESUME],
  ],
  [
    "changes the position it resumes from",
    {
      read(options, from, context): Batches {
        Object.assign(from, { next: from.next ?? 0 });
        return readNumbers(options, from, context);
      },
    },
    [RESUME],
  ],
  [
    "does not end when there is nothing to read",
    {
      async *read(options, from, context): Batches {
        let count = Number(from.next ?? 0);
        for await (const batch of readNumbers(options, from, context)) {
          count += batch.records.length;
          yield batch;
        }
        if (count === 0) throw new FatalError("There must be something to read");
      },
    },
    [EMPTY],
  ],
  [
    "throws an error of the wrong class",
    {
      async *read(options, from, context): Batches {
        try {
          yield* readNumbers(options, from, context);
        } catch (error) {
          if (error instanceof FatalError) throw new OptionsError(error.message);
          throw error;
        }
      },
    },
    ["says so when the server is not what it should be"],
  ],
  ["has options that take any name", {
    options: z.object({ url: z.string().min(1).describe("Server to read from") }),
  }, [
    "describes every option, and is strict about each object of options",
    "refuses an option that does not exist",
  ]],
  ["has an option without a description", { options: z.strictObject({ url: z.string().min(1) }) }, [
    "describes every option, and is strict about each object of options",
  ]],
  ["takes an option that cannot be right", {
    options: z.strictObject({ url: z.string().describe("Server to read from") }),
  }, ["refuses wrong options"]],
  ["has an id that is not in snake_case", { id: "Numbers" }, [
    "has an id in snake_case and a summary of one line",
  ]],
  ["has a summary with a full stop", { summary: "Reads numbers." }, [
    "has an id in snake_case and a summary of one line",
  ]],
];

for (const [what, spec, failing] of BROKEN) {
  Deno.test(`the suite of sources finds a source that ${what}`, async () => {
    assertEquals(
      await findFailing(sourceChecks(defineSource({ ...sound, ...spec }), given)),
      failing,
    );
  });
}

Deno.test("the suite of sources finds a file that is left open", async () => {
  const lines = defineSource({
    ...sound,
    permissions: () => ({ read: ["numbers.txt"] }),
    async *read(_options, from, context): Batches {
      const iterator = context.files.readLines("numbers.txt")[Symbol.asyncIterator]();
      for (let next = 0;; next++) {
        context.signal.throwIfAborted();
        const { done, value } = await iterator.next();
        if (done) return;
        if (next < Number(from.next ?? 0)) continue;
        yield { records: [Number(value)], position: { next: next + 1 } };
      }
    },
  });
  const checks = sourceChecks(lines, {
    options: given.options,
    context: (signal) => fakeContext({ signal, files: new Map([["numbers.txt", "1\n2\n"]]) }),
    records: [1, 2],
  });
  assertEquals(await findFailing(checks), [OPEN]);
});

Deno.test("the suite of sources leaves an endless source once it has given what is expected", async () => {
  const endless = defineSource({
    ...sound,
    endless: true,
    async *read(_options, from, context): Batches {
      for (let next = Number(from.next ?? 0);; next++) {
        context.signal.throwIfAborted();
        yield { records: [next], position: { next: next + 1 } };
      }
    },
  });
  const checks = sourceChecks(endless, {
    options: given.options,
    context: (signal) => fakeContext({ signal }),
    records: [0, 1, 2],
  });
  assertEquals(await findFailing(checks), []);
});

Deno.test("the suite of sources compares order within a series where there are several", async () => {
  const checks = sourceChecks(defineSource(sound), {
    ...given,
    records: [2, 4, 6, 1, 3, 5],
    series: (number) => number % 2 === 0 ? "even" : "odd",
  });
  assertEquals(await findFailing(checks), []);
  const wrong = sourceChecks(defineSource(sound), {
    ...given,
    records: [2, 4, 6, 1, 5, 3],
    series: (number) => number % 2 === 0 ? "even" : "odd",
  });
  assertEquals(await findFailing(wrong), [EXPECTED, TWICE, FAULTS, RESUME]);
});

Deno.test("the suite of sources asks for a context that carries its signal", async () => {
  const checks = sourceChecks(defineSource(sound), { ...given, context: () => fakeContext() });
  const check = checks.find(({ name }) => name === EXPECTED)?.check;
  await assertRejects(
    async () => await check?.(),
    Error,
    "must make its context with the signal it is given",
  );
});
