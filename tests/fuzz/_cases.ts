/** What several targets make their cases of. */

import fc from "fast-check";

/** Text that has broken many a program: control characters, names of objects, numbers that are none. */
export const NASTY: readonly string[] = [
  "",
  " ",
  "\0",
  "\t",
  "\n",
  "\r\n",
  '"',
  "'",
  "\\",
  ",",
  "=",
  "#",
  "\ufeff",
  "\u2028",
  "\ud800",
  "é",
  "😀",
  "__proto__",
  "constructor",
  "toString",
  "valueOf",
  "NaN",
  "Infinity",
  "-0",
  "1e5",
  "1e999",
  ".5",
  "5.",
  "+1",
  "-1",
  "0x10",
  "1_000",
  "٣",
  "007",
  "99999999999999999999",
  "null",
  "true",
];

/** Short text of any kind. */
export function text(): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom(...NASTY) },
    { weight: 1, arbitrary: fc.string({ maxLength: 6, unit: "binary" }) },
    { weight: 1, arbitrary: fc.string({ maxLength: 6 }) },
  );
}

/** Any value that JSON has, with names that mean something to JavaScript. */
export function json(): fc.Arbitrary<unknown> {
  const leaf = fc.oneof(
    fc.constantFrom<unknown>(null, true, false, 0, -0, 1, -1, 1.5, 1e21, 1e300, 2 ** 53),
    fc.constantFrom<unknown>(1_700_000_000, 1_700_000_000_000, 1_700_000_000_000_000, [], {}),
    text(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  );
  const key = fc.constantFrom(
    "a",
    "e",
    "k",
    "code",
    "msg",
    "toString",
    "valueOf",
    "toJSON",
    "length",
  );
  return fc.oneof(
    { weight: 6, arbitrary: leaf },
    { weight: 1, arbitrary: fc.array(leaf, { maxLength: 3 }) },
    { weight: 1, arbitrary: fc.dictionary(key, leaf, { maxKeys: 3, noNullPrototype: true }) },
  );
}

/** A decimal as the exchange writes it. */
export function decimal(): fc.Arbitrary<string> {
  const zeros = (digits: number, count: number) => String(digits).padStart(count, "0");
  return fc.oneof(
    fc.tuple(fc.nat(99_999), fc.nat(99_999_999)).map(([whole, part]) =>
      `${whole}.${zeros(part, 8)}`
    ),
    fc.tuple(fc.nat(999), fc.nat(99)).map(([whole, part]) => `${whole}.${zeros(part, 2)}`),
    fc.bigInt({ min: 0n, max: 10n ** 24n }).map(String),
  );
}

/** A text with some places of it replaced, doubled or cut out. */
export function spoiled(
  base: fc.Arbitrary<string>,
  pieces: readonly string[],
  most = 3,
): fc.Arbitrary<string> {
  const change = fc.tuple(
    fc.nat(1_000_000),
    fc.oneof({ weight: 4, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(80) }),
    fc.constantFrom(...pieces),
  );
  return fc.tuple(base, fc.array(change, { maxLength: most })).map(([text, changes]) =>
    changes.reduce((before, [place, length, piece]) => {
      const at = place % (before.length + 1);
      return before.slice(0, at) + piece + before.slice(at + length);
    }, text)
  );
}

/** Makes sure that a piece of work throws nothing but errors of some classes; gives what it gives. */
export function onlyThrows<T>(
  classes: readonly (new (...parameters: never[]) => Error)[],
  work: () => T,
): { readonly value: T } | { readonly error: Error } {
  try {
    return { value: work() };
  } catch (error) {
    const isPlanned = error instanceof Error && classes.some((one) => error instanceof one);
    if (!isPlanned) throw error;
    mustBeMessage(error.message);
    return { error };
  }
}

/** Messages are one line, and no dump of what came in. */
export function mustBeMessage(message: string): void {
  must(message !== "" && !/[\r\n]/.test(message), `a message of one line, found ${quote(message)}`);
  must(message.length < 1_000, `a message that can be read, found ${message.length} characters`);
}

/** Throws unless something holds. */
export function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`There must be ${what}`);
}

/** Text in quotes, to be shown. */
export function quote(value: unknown): string {
  return fc.stringify(value).slice(0, 300);
}
