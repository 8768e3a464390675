import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { Decimal } from "../../engine/decimal.ts";
import { OptionsError } from "../../engine/errors.ts";
import type { FieldType, FieldValue, Point, PointShape } from "../../engine/point.ts";
import { acceptLineProtocol, encodeLineProtocol } from "../../sinks/_line_protocol.ts";
import { seededRandom } from "../contracts/context.ts";
import { decodeLineProtocol } from "./_decode_line_protocol.ts";
import { QUOTE, quotePoint, refusalOf, TAGS, textOf, TIME_MS } from "./_fixtures.ts";

const HEAD = "quote,exchange=binance,symbol=BTCUSDT";

/** What no name and no tag value may be. */
const BAD_NAMES: Readonly<Record<string, string>> = {
  "an empty text": "",
  "a backslash inside": "a\\b",
  "a backslash at the end": "a\\",
  "a line feed": "a\nb",
  "a carriage return": "a\r",
  "a tab": "\ta",
  "U+0000": "a\u0000",
  "U+001F": "a\u001f",
  "U+007F": "a\u007f",
  "a lone high surrogate": "a\ud800b",
  "a lone low surrogate": "\udc00",
};

function line(fields: Readonly<Record<string, unknown>>): string {
  return textOf(encodeLineProtocol, [quotePoint({ fields })]);
}

function refusal(fields: Readonly<Record<string, unknown>>): string {
  return refusalOf(encodeLineProtocol, quotePoint({ fields }));
}

function shapeWith(parts: Partial<PointShape>): PointShape {
  return { ...QUOTE, ...parts };
}

Deno.test("encodeLineProtocol() writes a field of each type in the order of the declaration", () => {
  assertEquals(
    line({ price: "13715.65000000", trades: 19_438, closed: true, note: "ok" }),
    `${HEAD} price=13715.65000000,trades=19438i,closed=true,note="ok" 1514764800000\n`,
  );
});

Deno.test("encodeLineProtocol() writes the same line whatever the order of the fields", () => {
  const expected = `${HEAD} price=1,trades=2i,closed=false,note="x" 1514764800000\n`;
  assertEquals(line({ note: "x", closed: false, trades: 2, price: 1 }), expected);
  assertEquals(line({ closed: false, note: "x", price: 1, trades: 2 }), expected);
});

Deno.test("encodeLineProtocol() gives no bytes for no records", () => {
  assertEquals(encodeLineProtocol([], { shapes: [QUOTE], reject: () => {} }), new Uint8Array());
});

for (const [what, name] of Object.entries(BAD_NAMES)) {
  Deno.test(`Rule 1: acceptLineProtocol() refuses ${what} in every name`, () => {
    for (
      const shape of [
        shapeWith({ measurement: name }),
        shapeWith({ tags: [name] }),
        shapeWith({ fields: { [name]: "float" } }),
      ]
    ) assertThrows(() => acceptLineProtocol(shape), OptionsError, "Cannot write points of");
  });

  Deno.test(`Rule 1: encodeLineProtocol() refuses ${what} as a tag value`, () => {
    const point = quotePoint({ tags: { symbol: name, exchange: "binance" } });
    assertStringIncludes(refusalOf(encodeLineProtocol, point), 'tag "symbol" must');
  });
}

Deno.test("Rule 1: acceptLineProtocol() refuses a measurement that begins with #", () => {
  assertThrows(
    () => acceptLineProtocol(shapeWith({ measurement: "#a" })),
    OptionsError,
    'Cannot write points of "#a" as line protocol: the measurement must not begin with "#"',
  );
  acceptLineProtocol(shapeWith({ measurement: "a#", tags: ["#t"], fields: { "#f": "float" } }));
});

Deno.test("Rule 2: encodeLineProtocol() escapes comma and space everywhere, = in keys and tag values", () => {
  const shape: PointShape = {
    kind: "point",
    measurement: "a b,c=d",
    tags: ["t 1,2=3"],
    fields: { "f 1,2=3": "float" },
  };
  const point = {
    measurement: "a b,c=d",
    tags: { "t 1,2=3": "v 1,2=3 " },
    fields: { "f 1,2=3": 1 },
    timeMs: TIME_MS,
  };
  assertEquals(
    textOf(encodeLineProtocol, [point], [shape]),
    String.raw`a\ b\,c=d,t\ 1\,2\=3=v\ 1\,2\=3\  f\ 1\,2\=3=1 1514764800000` + "\n",
  );
});

Deno.test("Rule 2: encodeLineProtocol() leaves quotes in names and tag values alone", () => {
  const point = quotePoint({ tags: { symbol: `"B"'`, exchange: "ü😀" } });
  assertEquals(
    textOf(encodeLineProtocol, [point]),
    `quote,exchange=ü😀,symbol="B"' price=1.50 1514764800000\n`,
  );
});

Deno.test("Rule 3: encodeLineProtocol() escapes quotes and backslashes in text, and nothing else", () => {
  assertEquals(
    line({ note: 'say "hi", a=b \\ tab\tü😀\\' }),
    `${HEAD} note="say \\"hi\\", a=b \\\\ tab\tü😀\\\\" 1514764800000\n`,
  );
  assertEquals(line({ note: "" }), `${HEAD} note="" 1514764800000\n`);
});

Deno.test("Rule 3: encodeLineProtocol() refuses line breaks and lone surrogates in text", () => {
  for (const note of ["a\nb", "a\rb", "\r\n", "a\ud800"]) {
    assertStringIncludes(
      refusal({ note }),
      'field "note" must not hold a line break or a lone surrogate',
    );
  }
});

Deno.test("Rule 3: encodeLineProtocol() writes text of any length whole", () => {
  const note = '"ü\\'.repeat(50_000);
  const encoding = { shapes: [QUOTE], reject: () => {} };
  const [only] = decodeLineProtocol(
    encodeLineProtocol([quotePoint({ fields: { note } })], encoding),
  );
  assertEquals(only?.fields, [["note", { text: note }]]);
});

for (
  const [value, text] of [
    [0, "0"],
    [-0, "0"],
    [0.001, "0.001"],
    [1e-7, "1e-7"],
    [1e21, "1e+21"],
    [-1.5, "-1.5"],
    [5e-324, "5e-324"],
    [1.7976931348623157e308, "1.7976931348623157e+308"],
    ["0", "0"],
    ["-0.0", "-0.0"],
    ["13715.65000000", "13715.65000000"],
    ["00012.50", "00012.50"],
    ["-22516071.86700722", "-22516071.86700722"],
    ["1e-7", "1e-7"],
    ["1.50E+7", "1.50E+7"],
    [
      "12345678901234567890123456789012345678.5000",
      "12345678901234567890123456789012345678.5000",
    ],
    ["9".repeat(308), "9".repeat(308)],
  ] as const
) {
  const shown = String(value).slice(0, 50);
  Deno.test(`Rule 4: encodeLineProtocol() writes the float ${typeof value} ${shown} as it is`, () => {
    assertEquals(line({ price: value }), `${HEAD} price=${text} 1514764800000\n`);
  });
}

for (
  const value of [
    ...[NaN, Infinity, -Infinity, "NaN", "Infinity", "inf", "", "-", ".", "5.", ".5", "-.5", "+1"],
    ...["1_000", "0x10", "1e", "1e+", "1.2.3", "1.e5", "abc", "null", " 1", "1 ", "1,5", "--1"],
    ...["1e400", "9".repeat(309), "1i", "٣", "１", "1\n", 5n, true, null, {}, ["1"]],
  ]
) {
  const shown = typeof value === "string" ? JSON.stringify(value.slice(0, 20)) : String(value);
  Deno.test(`Rule 4: encodeLineProtocol() refuses ${typeof value} ${shown} as a float`, () => {
    assertStringIncludes(
      refusal({ price: value }),
      'field "price" must be a finite number, or its decimal digits such as "0.10", found',
    );
  });
}

Deno.test("Rule 5: encodeLineProtocol() writes integers up to 64 bits with an i", () => {
  for (
    const [value, text] of [
      [0, "0"],
      [-7, "-7"],
      [9_007_199_254_740_991, "9007199254740991"],
      [9_223_372_036_854_775_807n, "9223372036854775807"],
      [-9_223_372_036_854_775_808n, "-9223372036854775808"],
    ] as const
  ) assertEquals(line({ trades: value }), `${HEAD} trades=${text}i 1514764800000\n`);
});

Deno.test("Rule 5: encodeLineProtocol() refuses integers that are not exact or beyond 64 bits", () => {
  const values = [
    ...[1.5, 9_007_199_254_740_992, NaN, Infinity, "7", true, null],
    ...[9_223_372_036_854_775_808n, -9_223_372_036_854_775_809n],
  ];
  for (const value of values) {
    assertStringIncludes(
      refusal({ trades: value }),
      'field "trades" must be a whole number that is exact, or a bigint of 64 bits, found',
    );
  }
});

Deno.test("Rule 6: encodeLineProtocol() writes true and false, and takes nothing else for a boolean", () => {
  assertEquals(line({ closed: true }), `${HEAD} closed=true 1514764800000\n`);
  assertEquals(line({ closed: false }), `${HEAD} closed=false 1514764800000\n`);
  for (const value of ["true", 1, 0, null]) {
    assertStringIncludes(refusal({ closed: value }), 'field "closed" must be true or false, found');
  }
});

Deno.test("Rule 6: encodeLineProtocol() leaves out fields without a value", () => {
  const expected = `${HEAD} trades=3i 1514764800000\n`;
  assertEquals(line({ trades: 3 }), expected);
  assertEquals(line({ price: undefined, trades: 3, note: undefined }), expected);
});

Deno.test("Rule 6: encodeLineProtocol() refuses a point without any field", () => {
  const message =
    'Cannot write point of "quote" at 2018-01-01T00:00:00.000Z (symbol=BTCUSDT,exchange=binance): it must have at least one field';
  assertEquals(refusal({}), message);
  assertEquals(refusal({ price: undefined }), message);
});

Deno.test("Rule 6: encodeLineProtocol() refuses a tag that is missing, empty or no text", () => {
  for (const value of ["", undefined, null, 5]) {
    const point = quotePoint({ tags: { symbol: "A", exchange: value } });
    assertStringIncludes(
      refusalOf(encodeLineProtocol, point),
      'tag "exchange" must be text that is not empty, found',
    );
  }
  assertStringIncludes(
    refusalOf(encodeLineProtocol, quotePoint({ tags: { symbol: "A" } })),
    'tag "exchange" must be there, and is missing',
  );
});

Deno.test("Rule 7: encodeLineProtocol() sorts tags by the bytes of their keys", () => {
  // In UTF-16 the surrogates of U+1F600 come before U+FF5E, in UTF-8 its bytes come after.
  const names = ["b", "a", "B", "~", "ü", "\u{1f600}", "\uff5e", "a,", "aa", "a"];
  const shape = shapeWith({ tags: names });
  const tags = Object.fromEntries(names.map((name) => [name, "1"]));
  assertEquals(
    textOf(encodeLineProtocol, [quotePoint({ tags })], [shape]),
    "quote,B=1,a=1,a\\,=1,aa=1,b=1,~=1,ü=1,\uff5e=1,\u{1f600}=1 price=1.50 1514764800000\n",
  );
});

Deno.test("Rule 7: acceptLineProtocol() refuses reserved names of tags and fields", () => {
  for (const name of ["time", "_field", "_measurement"]) {
    const message = `"${name}" is reserved`;
    const tagged = shapeWith({ tags: ["symbol", name] });
    assertThrows(() => acceptLineProtocol(tagged), OptionsError, `tag ${message}`);
    const field = shapeWith({ fields: { price: "float", [name]: "float" } });
    assertThrows(() => acceptLineProtocol(field), OptionsError, `field ${message}`);
  }
  acceptLineProtocol(shapeWith({ measurement: "time", tags: ["Time"], fields: { _x: "float" } }));
});

Deno.test("Rule 7: acceptLineProtocol() refuses a tag that has the name of a field", () => {
  assertThrows(
    () => acceptLineProtocol(shapeWith({ tags: ["price"] })),
    OptionsError,
    'Cannot write points of "quote" as line protocol: tag "price" must not have the name of a field',
  );
});

Deno.test("Rule 7: encodeLineProtocol() refuses what was not declared", () => {
  assertStringIncludes(refusal({ price: 1, extra: 1 }), 'field "extra" is not declared');
  assertStringIncludes(refusal({ extra: 1, price: 1 }), 'field "extra" is not declared');
  assertStringIncludes(refusal({ toString: 1 }), 'field "toString" is not declared');
  assertStringIncludes(
    refusalOf(encodeLineProtocol, quotePoint({ tags: { ...TAGS, run: "1" } })),
    'tag "run" is not declared',
  );
});

Deno.test("encodeLineProtocol() checks names also when nothing was accepted before", () => {
  const shapes = [shapeWith({ fields: { time: "float" } })];
  assertThrows(
    () => encodeLineProtocol([], { shapes, reject: () => {} }),
    OptionsError,
    "reserved",
  );
});

Deno.test("Rule 8: encodeLineProtocol() writes the time in milliseconds", () => {
  const times = [1, 99_999_999, 100_000_000, 1_700_000_000_000, -1, 9_223_372_036_854];
  for (const timeMs of times) {
    assertEquals(
      textOf(encodeLineProtocol, [quotePoint({ timeMs })]),
      `${HEAD} price=1.50 ${timeMs}\n`,
    );
  }
});

Deno.test("Rule 8: encodeLineProtocol() refuses a time that stores would not keep", () => {
  const bad = [0, -0, 1.5, NaN, Infinity, "1514764800000", 1n, null, undefined];
  for (const timeMs of [...bad, 9_223_372_036_855, -9_223_372_036_855]) {
    assertStringIncludes(refusalOf(encodeLineProtocol, quotePoint({ timeMs })), "its time must");
  }
});

Deno.test("Rule 9: encodeLineProtocol() ends each line with one line feed, and begins with no BOM", () => {
  const bytes = encodeLineProtocol([quotePoint(), quotePoint({ timeMs: 5 })], {
    shapes: [QUOTE],
    reject: () => {},
  });
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  assertEquals(text, `${HEAD} price=1.50 1514764800000\n${HEAD} price=1.50 5\n`);
  assertThrows(
    () => acceptLineProtocol(shapeWith({ measurement: "\ufeffa" })),
    OptionsError,
    "byte order mark",
  );
});

Deno.test("acceptLineProtocol() refuses records that are no points, and points without fields", () => {
  assertThrows(
    () => acceptLineProtocol({ kind: "raw", format: "candle" }),
    OptionsError,
    'Cannot write records as line protocol: they must be points, found raw "candle"',
  );
  assertThrows(
    () => acceptLineProtocol(shapeWith({ fields: {} })),
    OptionsError,
    "its shape must have at least one field",
  );
});

Deno.test("encodeLineProtocol() refuses what is no point, and points of other measurements", () => {
  for (const record of [null, undefined, 5, "m f=1", [], {}, { measurement: "quote" }]) {
    assertStringIncludes(refusalOf(encodeLineProtocol, record), "it must be a point");
  }
  assertEquals(
    refusalOf(encodeLineProtocol, quotePoint({ measurement: "other" })),
    'Cannot write point of "other" at 2018-01-01T00:00:00.000Z (symbol=BTCUSDT,exchange=binance): its measurement must be a declared one ("quote")',
  );
});

Deno.test("encodeLineProtocol() names record and field in a refusal", () => {
  assertEquals(
    refusal({ price: "5." }),
    'Cannot write point of "quote" at 2018-01-01T00:00:00.000Z (symbol=BTCUSDT,exchange=binance): field "price" must be a finite number, or its decimal digits such as "0.10", found "5."',
  );
});

Deno.test("encodeLineProtocol() keeps messages short when values are long", () => {
  assertEquals(refusal({ price: "x".repeat(5_000) }).length < 300, true);
});

Deno.test("encodeLineProtocol() refuses a record by its index and leaves no trace of it", () => {
  const records = [
    quotePoint({ fields: { price: 1 } }),
    quotePoint({ fields: { price: "1.5", trades: 2.5 } }),
    quotePoint({ fields: { price: 2 } }),
    quotePoint({ fields: { price: 3 }, timeMs: 0 }),
    quotePoint({ fields: { price: 4 } }),
  ];
  const rejected: number[] = [];
  const bytes = encodeLineProtocol(records, {
    shapes: [QUOTE],
    reject: (index) => void rejected.push(index),
  });
  assertEquals(rejected, [1, 3]);
  assertEquals(
    new TextDecoder().decode(bytes),
    [1, 2, 4].map((price) => `${HEAD} price=${price} 1514764800000\n`).join(""),
  );
});

Deno.test("encodeLineProtocol() tells measurements apart that share one object of tags", () => {
  const other: PointShape = { ...QUOTE, measurement: "other", fields: { price: "integer" } };
  const records = [quotePoint(), quotePoint({ measurement: "other", fields: { price: 2 } })];
  assertEquals(
    textOf(encodeLineProtocol, records, [QUOTE, other]),
    `${HEAD} price=1.50 1514764800000\nother,exchange=binance,symbol=BTCUSDT price=2i 1514764800000\n`,
  );
});

Deno.test("encodeLineProtocol() joins shapes of one measurement", () => {
  const more: PointShape = {
    kind: "point",
    measurement: "quote",
    tags: ["symbol"],
    fields: { bid: "float" },
  };
  const shapes = [QUOTE, more];
  const point = quotePoint({ tags: { symbol: "A" }, fields: { bid: 1, price: 2 } });
  assertEquals(
    textOf(encodeLineProtocol, [point, quotePoint()], shapes),
    `quote,symbol=A price=2,bid=1 1514764800000\n${HEAD} price=1.50 1514764800000\n`,
  );
  assertStringIncludes(
    refusalOf(encodeLineProtocol, quotePoint({ tags: { exchange: "a" } }), shapes),
    'tag "symbol" must be there',
  );
});

Deno.test("encodeLineProtocol() refuses shapes that give one field two types", () => {
  const shapes = [QUOTE, shapeWith({ fields: { price: "integer" } })];
  assertThrows(
    () => encodeLineProtocol([], { shapes, reject: () => {} }),
    OptionsError,
    'Cannot write points of "quote": field "price" must have one type, and is declared as float and as integer',
  );
});

Deno.test("encodeLineProtocol() encodes more than fits into its first buffer", () => {
  const records = Array.from(
    { length: 3_000 },
    (_, i) => quotePoint({ fields: { price: i }, timeMs: TIME_MS + i }),
  );
  const lines = textOf(encodeLineProtocol, records).split("\n");
  assertEquals(lines.length, 3_001);
  assertEquals(lines[2_999], `${HEAD} price=2999 1514764802999`);
});

Deno.test("encodeLineProtocol() makes room for decimals of any length", () => {
  const shape: PointShape = { ...QUOTE, tags: [], fields: { price: "float" } };
  const price = `${"7".repeat(300)}.${"3".repeat(100)}`;
  const records = Array.from({ length: 500 }, () => quotePoint({ tags: {}, fields: { price } }));
  assertEquals(
    textOf(encodeLineProtocol, records, [shape]),
    `quote price=${price} 1514764800000\n`.repeat(500),
  );
});

Deno.test("encodeLineProtocol() takes fields for absent that every object inherits", () => {
  const fields = Object.fromEntries<FieldType>([["toString", "float"], ["price", "float"]]);
  const shape: PointShape = { ...QUOTE, tags: [], fields };
  const points = [{ price: 1 }, { price: 1, toString: 2 }]
    .map((fields) => quotePoint({ tags: {}, fields }));
  assertEquals(
    textOf(encodeLineProtocol, points, [shape]),
    "quote price=1 1514764800000\nquote toString=2,price=1 1514764800000\n",
  );
});

for (const seed of [1, 2, 3]) {
  Deno.test(`encodeLineProtocol() is read back as it was written: 2,000 random points, seed ${seed}`, () => {
    const random = seededRandom(seed);
    for (let round = 0; round < 20; round++) checkRoundTrip(random);
  });
}

const ALPHABET = [..."aZ09_-.:/#\"'=, äß€漢\u{1f600}\u{10ffff}\uff5e%{}()<>|;\u0080\u00a0\u2028"];
const NAMES = ["float", "integer", "boolean", "string"] as const;

function checkRoundTrip(random: () => number): void {
  const name = () => randomText(random, 1 + Math.floor(6 * random()));
  const tags = [...new Set(Array.from({ length: 4 }, name))];
  const fields: Record<string, FieldType> = {};
  for (let i = 0; i < 6; i++) {
    // Integer-like names would change their place in an object.
    const field = `f${name()}`;
    if (!tags.includes(field)) fields[field] = NAMES[Math.floor(4 * random())] ?? "float";
  }
  const measurement = `m${name()}`;
  const shape: PointShape = { kind: "point", measurement, tags, fields };
  acceptLineProtocol(shape);
  const points = Array.from({ length: 100 }, () => randomPoint(shape, random, name));
  const reject = (_: number, error: Error) => {
    throw error;
  };
  const lines = decodeLineProtocol(encodeLineProtocol(points, { shapes: [shape], reject }));
  assertEquals(lines, points.map((point) => linesOf(point, shape)));
}

function randomPoint(shape: PointShape, random: () => number, name: () => string): Point {
  const names = Object.keys(shape.fields);
  const kept = names.filter((_, i) => i === 0 || random() < 0.8);
  if (random() < 0.3) kept.reverse();
  return {
    measurement: shape.measurement,
    tags: Object.fromEntries(shape.tags.map((tag) => [tag, name()])),
    fields: Object.fromEntries(
      kept.map((field) => [field, randomValue(shape.fields[field] ?? "float", random)]),
    ),
    timeMs: 1 + Math.floor(9e12 * random()),
  };
}

function randomValue(type: FieldType, random: () => number): FieldValue {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setUint32(0, 2 ** 32 * random());
  bits.setUint32(4, 2 ** 32 * random());
  switch (type) {
    case "float": {
      const number = bits.getFloat64(0);
      if (random() < 0.5) return Number.isFinite(number) ? number : 1;
      return (200 * random() - 100).toFixed(Math.floor(20 * random()));
    }
    case "integer":
      return random() < 0.5 ? bits.getBigInt64(0) : bits.getInt32(0);
    case "boolean":
      return random() < 0.5;
    case "string":
      return randomText(random, Math.floor(20 * random())) + (random() < 0.2 ? '\\\\"\t\\' : "");
  }
}

function randomText(random: () => number, length: number): string {
  return Array.from({ length }, () => ALPHABET[Math.floor(ALPHABET.length * random())]).join("");
}

/** What the reader must find: values as a store keeps them, tags by key, fields as declared. */
function linesOf(point: Point, shape: PointShape) {
  const codePoints = (text: string) => [...text].map((character) => character.codePointAt(0) ?? 0);
  const order = (a: string, b: string) => {
    const [left, right] = [codePoints(a), codePoints(b)];
    const at = left.findIndex((code, i) => code !== right[i]);
    return at < 0 ? left.length - right.length : (left[at] ?? 0) - (right[at] ?? -1);
  };
  return {
    measurement: point.measurement,
    tags: Object.entries(point.tags).sort(([a], [b]) => order(a, b)),
    fields: Object.entries(shape.fields).filter(([name]) => name in point.fields)
      .map(([name, type]) => {
        const value = point.fields[name];
        if (type === "string") return [name, { text: String(value) }] as const;
        return [name, type === "integer" ? `${value}i` : String(value)] as const;
      }),
    time: String(point.timeMs),
  };
}

Deno.test("encodeLineProtocol() writes a decimal with exactly its digits, however many", () => {
  for (const price of ["0", "0.10", "13715.65000000", "1".repeat(32), `0.${"3".repeat(61)}`]) {
    const expected = `${HEAD} price=${price},trades=1i 1514764800000\n`;
    assertEquals(line({ price: Decimal.of(price), trades: 1 }), expected);
  }
});

Deno.test("encodeLineProtocol() refuses a decimal as any other type, and beyond the floats", () => {
  const one = Decimal.of("1");
  assertStringIncludes(refusal({ trades: one }), 'field "trades" must be a whole number');
  assertStringIncludes(refusal({ closed: one }), 'field "closed" must be true or false');
  assertStringIncludes(refusal({ note: one }), 'field "note" must be text, found "1"');
  assertStringIncludes(
    refusal({ price: "1" + "0".repeat(400) }),
    'field "price" must be a finite number',
  );
});
