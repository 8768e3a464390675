/**
 * Takes secrets out of texts: a server may repeat in its answer what it was sent, and a library may
 * put an address with a password into its message.
 *
 * @module
 */

import { HIDDEN, type Secret, UNSET } from "./options.ts";

/** Gives a text without any secret in it. */
export type Redact = (text: string) => string;

/** What is shorter is no secret, and taking it out would garble every text. */
const SHORTEST = 4;
/** Of a secret of several lines, a line of this length is a secret by itself. */
const SHORTEST_LINE = 8;
/** User and password of an address. */
const LOGIN = /(?<=\/\/)[^\s/@:]*:[^\s/@]+(?=@)/g;

/**
 * Makes a function that puts `***` in place of secrets: as they are, escaped as in JSON, encoded as
 * in addresses, in base64 wherever they begin in it, and in hex; also the login in an address.
 *
 * @param secrets The secrets. One of fewer than 4 characters is left alone.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Secret } from "./options.ts";
 *
 * const redact = createRedactor([new Secret("hunter/22")]);
 * assertEquals(redact("no user has token hunter%2F22"), "no user has token ***");
 * assertEquals(redact(`Basic ${btoa("me:hunter/22")}`), "Basic bWU6***");
 * assertEquals(redact("http://me:pass@host/"), "http://***@host/");
 * ```
 */
export function createRedactor(secrets: Iterable<Secret>): Redact {
  const forms = allForms(secrets, SHORTEST);
  return (text) =>
    forms.reduce((left, form) => left.replaceAll(form, HIDDEN), text).replaceAll(LOGIN, HIDDEN);
}

/**
 * Whether a text holds a secret, in any of the forms that {@linkcode createRedactor} takes out. One
 * of fewer than 8 characters is not looked for: it may be there by chance.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Secret } from "./options.ts";
 *
 * assertEquals(holdsSecret('{"after":"hunter-22"}', [new Secret("hunter-22")]), true);
 * assertEquals(holdsSecret('{"after":"hunter-22"}', [new Secret("hunter")]), false);
 * ```
 */
export function holdsSecret(text: string, secrets: Iterable<Secret>): boolean {
  return allForms(secrets, SHORTEST_LINE).some((form) => text.includes(form));
}

/** All forms of all secrets, the longest first. */
function allForms(secrets: Iterable<Secret>, shortest: number): string[] {
  const forms = new Set<string>();
  for (const secret of secrets) {
    const value = secret.reveal();
    if (value.length < shortest || value === UNSET) continue;
    for (const form of formsOf(value)) if (form.length >= shortest) forms.add(form);
  }
  return [...forms].sort((a, b) => b.length - a.length);
}

function formsOf(value: string): string[] {
  const lines = value.split(/[\r\n]+/).map((line) => line.trim());
  const isLong = lines.length > 1;
  const texts = [
    value,
    ...isLong ? [lines.join(" "), ...lines.filter((line) => line.length >= SHORTEST_LINE)] : [],
  ];
  return texts.flatMap((text) => {
    const bytes = new TextEncoder().encode(text);
    const hex = bytes.toHex();
    return [
      text,
      ...escapedOf(text),
      encodeURIComponent(text),
      new URLSearchParams([["", text]]).toString().slice(1),
      hex,
      hex.toUpperCase(),
      ...base64Of(bytes),
    ];
  });
}

/** As in JSON, and as in JSON that is text in other JSON: a log of machines holds answers of machines. */
function escapedOf(text: string): string[] {
  const escape = (one: string) => JSON.stringify(one).slice(1, -1);
  return [escape(text), escape(escape(text))];
}

/** The characters of base64 that hang on these bytes alone, whatever comes before and after. */
function base64Of(bytes: Uint8Array): string[] {
  return [0, 1, 2].flatMap((before) => {
    const padded = new Uint8Array(before + bytes.length);
    padded.set(bytes, before);
    const [from, to] = [Math.ceil(8 * before / 6), Math.floor(8 * padded.length / 6)];
    return (["base64", "base64url"] as const).map((alphabet) =>
      padded.toBase64({ alphabet }).slice(from, to)
    );
  });
}
