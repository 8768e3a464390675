import { assertEquals } from "@std/assert";
import { z } from "zod";
import type { Context, OpenFile } from "../../engine/context.ts";
import { FatalError, OptionsError, RecordError, RetryableError } from "../../engine/errors.ts";
import {
  type Chunk,
  defineSink,
  type Encoding,
  type Opening,
  type SinkSpec,
  type SinkWriter,
} from "../../engine/plugin.ts";
import { type FakeContext, fakeContext } from "./context.ts";
import { findFailing } from "./failing.ts";
import { type SinkCase, sinkChecks, type SinkTarget, testSink } from "./sink.ts";

interface Options {
  readonly path: string;
}
type Spec = SinkSpec<Options, Options, string>;
type Writer = SinkWriter<string>;

const SHAPES = "accepts the shapes it is for, and no others";
const SAME = "encodes the same records to the same bytes";
const SPARE = "encodes alike into memory it may use again";
const FROZEN = "changes no record that it encodes";
const STAYS = "leaves bytes alone that it has given";
const STORED = "stores everything, and leaves nothing open";
const REACH = "reaches only what its permissions name";
const TWICE = "may be closed twice";
const KILLS = "stores everything once when it is killed or the power fails";
const FAILURES = "stores everything once when its target fails";
const ABORT = "ends when the signal aborts while it waits";
const LIMITS = "has limits that are whole numbers above 0";
const PARTS = "encodes in parts as it does at once";
const REJECTS = "refuses only the records it cannot encode";

const WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
const LINES = WORDS.map((word) => `${word}\n`).join("");

const shared = {
  options: { path: "words.txt" },
  shapes: [{ kind: "raw", format: "word" }],
  badShapes: [{ kind: "raw", format: "candle" }],
  records: WORDS,
  rejects: ["two words"],
  encoded: LINES,
} satisfies Partial<SinkCase<Options, string>>;

const given: SinkCase<Options, string> = {
  ...shared,
  permissions: { write: ["words.txt"] },
  stored: LINES,
  target() {
    const files = new Map<string, string>();
    return {
      context: (signal) => fakeContext({ signal, files }),
      stored: () => files.get("words.txt") ?? "",
    };
  },
};

/** A sink that keeps its contract, and the thread the broken ones are spun from. */
const sound: Spec = {
  id: "words",
  summary: "Writes words to a file",
  options: z.strictObject({ path: z.string().describe("File to write to") }),
  delivery: "transactional",
  permissions: ({ path }) => ({ write: [path] }),
  accept(shape) {
    if (shape.kind !== "raw" || shape.format !== "word") {
      throw new OptionsError("Cannot write anything but words");
    }
  },
  limits: () => ({ maxRecords: 100 }),
  encode: encodeWords,
  open: openWords,
};

function encodeWords(
  records: readonly string[],
  { reject }: Encoding<Options>,
): Uint8Array<ArrayBuffer> {
  const lines = records.map((word, index) => {
    if (!word.includes(" ")) return `${word}\n`;
    reject(index, new RecordError("A word must not have a space"));
    return "";
  });
  return new TextEncoder().encode(lines.join(""));
}

async function openWords(
  { path }: Options,
  opening: Opening,
  context: Context,
): Promise<Writer> {
  const file = await context.files.open(path);
  let size = Number(opening.token ?? 0);
  try {
    if (await file.size() < size) throw new FatalError("The file is shorter than it was");
    await file.truncate(size);
  } catch (error) {
    file.close();
    throw error;
  }
  return {
    deliver: ({ bytes }) => file.append(bytes),
    async flush() {
      await file.sync();
      size = await file.size();
      return size;
    },
    close: () => Promise.resolve(file.close()),
  };
}

/** The sound writer with parts of it replaced. */
function altered(
  change: (writer: Writer, file: OpenFile, context: Context) => Partial<Writer>,
): Spec["open"] {
  return async (options, opening, context) => {
    const writer = await openWords(options, opening, context);
    const file = await context.files.open(options.path);
    return { ...writer, ...change(writer, file, context) };
  };
}

testSink(defineSink(sound), given);

let count = 0;
const buffer = new Uint8Array(1_000);

const BROKEN: readonly (readonly [what: string, spec: Partial<Spec>, failing: string[]])[] = [
  ["takes shapes it cannot write", { accept: () => {} }, [SHAPES]],
  ["has a limit of 0", { limits: () => ({ maxBytes: 0 }) }, [LIMITS]],
  [
    "encodes the time",
    {
      encode: (records, encoding) => {
        if (Date.now() < 0) return new Uint8Array();
        return encodeWords(records, encoding);
      },
    },
    [SAME],
  ],
  [
    "encodes to something else each time",
    {
      encode: (records, encoding) =>
        encodeWords(count++ % 2 === 0 ? records : records.toReversed(), encoding),
    },
    [SAME, SPARE, STORED, KILLS, FAILURES, PARTS, REJECTS],
  ],
  [
    "counts on spare memory to be empty",
    {
      encode(records, encoding) {
        const bytes = encodeWords(records, encoding);
        const { spare } = encoding;
        if (!spare || spare.byteLength <= bytes.length) return bytes;
        new Uint8Array(spare).set(bytes);
        const end = new Uint8Array(spare).indexOf(0);
        return new Uint8Array(spare, 0, end < 0 ? spare.byteLength : end);
      },
    },
    [SPARE],
  ],
  [
    "sorts the records in place",
    {
      encode: (records, encoding) => {
        const words: string[] = Object(records);
        words.push(words.pop() ?? "");
        return encodeWords(records, encoding);
      },
    },
    [FROZEN],
  ],
  [
    "uses one buffer for all bytes",
    {
      encode: (records, encoding) => {
        const bytes = encodeWords(records, encoding);
        buffer.set(bytes);
        return buffer.subarray(0, bytes.length);
      },
    },
    [STAYS],
  ],
  [
    "writes a header before each chunk",
    {
      encode: (records, encoding) => {
        const head = new TextEncoder().encode("WORDS\n");
        return Uint8Array.from([...head, ...encodeWords(records, encoding)]);
      },
    },
    [SAME, STORED, PARTS],
  ],
  [
    "refuses the neighbour of a bad record",
    {
      encode: (records, encoding) =>
        encodeWords(records, {
          ...encoding,
          reject: (index, error) => encoding.reject(Math.max(0, index - 1), error),
        }),
    },
    [REJECTS],
  ],
  [
    "throws when it meets a bad record",
    {
      encode: (records, encoding) =>
        encodeWords(records, {
          ...encoding,
          reject: (_index, error) => {
            throw error;
          },
        }),
    },
    [REJECTS],
  ],
  ["reaches what it does not name", {
    permissions: () => ({ write: ["word.txt"] }),
  }, ["names exactly what it must be allowed to reach", REACH]],
  [
    "leaves its file open",
    { open: altered((_writer, file) => ({ close: () => Promise.resolve(file.close()) })) },
    [STORED, TWICE, FAILURES],
  ],
  [
    "writes the bytes that it was given when it is flushed",
    {
      async open(options, opening, context) {
        const writer = await openWords(options, opening, context);
        const kept: Chunk<string>[] = [];
        return {
          ...writer,
          deliver: (chunk) => Promise.resolve(void kept.push(chunk)),
          async flush() {
            for (const chunk of kept.splice(0)) await writer.deliver(chunk);
            return await writer.flush();
          },
        };
      },
    },
    [STORED],
  ],
  [
    "fails when it is closed again",
    {
      async open(options, opening, context) {
        const writer = await openWords(options, opening, context);
        let isOpen = true;
        return {
          ...writer,
          close() {
            if (!isOpen) return Promise.reject(new FatalError("Closed already"));
            isOpen = false;
            return writer.close();
          },
        };
      },
    },
    [TWICE],
  ],
  [
    "does not take back what came after its token",
    {
      async open({ path }, _opening, context) {
        const file = await context.files.open(path);
        return {
          deliver: ({ bytes }) => file.append(bytes),
          flush: async () => {
            await file.sync();
            return await file.size();
          },
          close: () => Promise.resolve(file.close()),
        };
      },
    },
    [KILLS, FAILURES],
  ],
  [
    "gives its token before the file is synced",
    {
      async open(options, opening, context) {
        const writer = await openWords(options, opening, context);
        let size = Number(opening.token ?? 0);
        return {
          ...writer,
          async deliver(chunk) {
            await writer.deliver(chunk);
            size += chunk.bytes.length;
          },
          flush: () => Promise.resolve(size),
        };
      },
    },
    [KILLS],
  ],
  [
    "gives a token that JSON does not hold",
    {
      async open(options, opening, context) {
        const writer = await openWords(options, opening, context);
        return { ...writer, flush: async () => Object(new Map([["size", await writer.flush()]])) };
      },
    },
    [STORED, KILLS, FAILURES],
  ],
  [
    "asks for another attempt after half a chunk was written",
    {
      async open(options, opening, context) {
        const writer = await openWords(options, opening, context);
        return {
          ...writer,
          deliver: (chunk) =>
            writer.deliver(chunk).catch((error) => {
              throw new RetryableError("Cannot write", { cause: error });
            }),
        };
      },
    },
    [FAILURES],
  ],
  [
    "throws an error that is not penstock's",
    {
      async open(options, opening, context) {
        const writer = await openWords(options, opening, context);
        return {
          ...writer,
          deliver: (chunk) =>
            writer.deliver(chunk).catch((error) => {
              throw new TypeError("no", { cause: error });
            }),
        };
      },
    },
    [FAILURES],
  ],
  [
    "forgets a chunk that it could not write",
    {
      async open(options, opening, context) {
        const writer = await openWords(options, opening, context);
        return { ...writer, deliver: (chunk) => writer.deliver(chunk).catch(() => {}) };
      },
    },
    [FAILURES],
  ],
  [
    "stores nothing",
    {
      async open(options, opening, context) {
        const writer = await openWords(options, opening, context);
        return { ...writer, deliver: () => Promise.resolve() };
      },
    },
    [STORED],
  ],
];

for (const [what, spec, failing] of BROKEN) {
  Deno.test(`the suite of sinks finds a sink that ${what}`, async () => {
    count = 0;
    assertEquals(
      await findFailing(sinkChecks(defineSink({ ...sound, ...spec }), given)),
      failing,
    );
  });
}

/** A server that keeps words by the number they come with, or one after the other. */
function server(keep: (stored: Map<string, string>, lines: string[]) => void): SinkTarget {
  const stored = new Map<string, string>();
  const answer: Context["fetch"] = async (_url, init) => {
    init?.signal?.throwIfAborted();
    keep(stored, (await new Response(init?.body ?? "").text()).split("\n").filter(Boolean));
    return new Response(null, { status: 204 });
  };
  return {
    context: (signal) => fakeContext({ signal, fetch: answer }),
    stored: () => [...stored.values()].join("\n"),
  };
}

const posted: Spec = {
  ...sound,
  id: "posted_words",
  summary: "Sends words to a server",
  delivery: "idempotent",
  permissions: () => ({ net: ["words.test:443"] }),
  open: (_options, _opening, context) => Promise.resolve(postTo(context)),
};

function postTo(context: Context): Writer {
  return {
    async deliver({ bytes }) {
      const init = { method: "POST", body: new Uint8Array(bytes), signal: context.signal };
      const response = await context.fetch("https://words.test/", init).catch((error) => {
        context.signal.throwIfAborted();
        throw new RetryableError("Cannot reach the server", { cause: error });
      });
      await response.body?.cancel();
      if (!response.ok) throw new RetryableError(`The server answered ${response.status}`);
    },
    flush: () => Promise.resolve(null),
    close: () => Promise.resolve(),
  };
}

const byWord = (stored: Map<string, string>, lines: string[]) => {
  for (const line of lines) stored.set(line, line);
};
const byCount = (stored: Map<string, string>, lines: string[]) => {
  for (const line of lines) stored.set(String(stored.size), line);
};
const postedCase: SinkCase<Options, string> = {
  ...shared,
  permissions: { net: ["words.test:443"] },
  stored: WORDS.join("\n"),
  target: () => server(byWord),
};

testSink(defineSink(posted), postedCase);

Deno.test("the suite of sinks finds a sink that calls itself idempotent and doubles", async () => {
  const checks = sinkChecks(defineSink(posted), { ...postedCase, target: () => server(byCount) });
  assertEquals(await findFailing(checks), [KILLS, FAILURES]);
});

Deno.test("the suite of sinks lets an appending sink double, but not lose", async () => {
  const appending = defineSink({ ...posted, delivery: "append" });
  const doubling = { ...postedCase, target: () => server(byCount) };
  assertEquals(await findFailing(sinkChecks(appending, doubling)), []);
  const losing = defineSink({
    ...posted,
    delivery: "append",
    open: (_options, _opening, context) =>
      Promise.resolve({
        ...postTo(context),
        deliver: (chunk) => postTo(context).deliver(chunk).catch(() => {}),
      }),
  });
  assertEquals(await findFailing(sinkChecks(losing, doubling)), [
    "loses nothing when its target fails",
  ]);
});

Deno.test("the suite of sinks finds a sink that does not hand the signal to fetch", async () => {
  const deaf = defineSink({
    ...posted,
    open: (_options, _opening, context) =>
      Promise.resolve(
        postTo({ ...context, fetch: (url, init) => context.fetch(url, { ...init, signal: null }) }),
      ),
  });
  assertEquals(await findFailing(sinkChecks(deaf, postedCase)), [ABORT]);
});

Deno.test("the suite of sinks takes a reason not to encode in parts", async () => {
  const titled = defineSink({
    ...sound,
    encode: (records: readonly string[], encoding: Encoding<Options>) => {
      const head = new TextEncoder().encode("WORDS\n");
      return Uint8Array.from([...head, ...encodeWords(records, encoding)]);
    },
  });
  const checks = sinkChecks(titled, {
    ...given,
    encoded: `WORDS\n${LINES}`,
    stored:
      "WORDS\none\ntwo\nWORDS\nthree\nfour\nWORDS\nfive\nsix\nWORDS\nseven\neight\nWORDS\nnine\nten\n",
    wholeOnly: "each part has a title",
  });
  assertEquals(await findFailing(checks), []);
});

Deno.test("the suite of sinks sees what was printed by processes that died", async () => {
  const printer = defineSink({
    ...sound,
    delivery: "append",
    permissions: () => ({}),
    open: (_options, _opening, context) =>
      Promise.resolve({
        deliver: ({ bytes }) => context.print(bytes),
        flush: () => Promise.resolve(null),
        close: () => Promise.resolve(),
      }),
  });
  const checks = sinkChecks(printer, {
    ...shared,
    stored: LINES,
    target: () => {
      const contexts: FakeContext[] = [];
      return {
        context(signal) {
          const context = fakeContext({ signal });
          contexts.push(context);
          return context;
        },
        stored: () => contexts.map((context) => context.printed()).join(""),
      };
    },
  });
  assertEquals(await findFailing(checks), []);
});
