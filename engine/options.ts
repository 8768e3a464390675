/**
 * Option types that plugins share, and the small view the engine has of a schema.
 *
 * @module
 */

import { z } from "zod";
import { HOST, isPlainAddress } from "./address.ts";
import { parseTime, type Time } from "./time.ts";

/** One thing that is wrong with a value, as zod tells it. */
export interface SchemaIssue {
  /** What kind of mistake it is. */
  readonly code?: string | undefined;
  /** What must hold. */
  readonly message: string;
  /** Where in the value it is. */
  readonly path: readonly PropertyKey[];
  /** Names that do not exist, for `unrecognized_keys`. */
  readonly keys?: readonly string[] | undefined;
}

/** What the engine needs of a zod schema, so that no zod type is part of the public API. */
export interface Schema<Output, Input = unknown> {
  /** Checks a value and gives the typed one, or all that is wrong with it. */
  safeParse(
    value: unknown,
  ):
    | { readonly success: true; readonly data: Output }
    | { readonly success: false; readonly error: { readonly issues: readonly SchemaIssue[] } };
  /** The types, for inference. */
  readonly "~standard": {
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What stands for a secret that a run has no use for, such as those of a dry run's sinks. */
export const UNSET = "[unset]";

/**
 * A value that never prints. Only {@linkcode Secret.reveal} gives it back.
 *
 * Wherever it would become text it is `***`, or `[unset]` where there is none.
 */
export class Secret {
  readonly #value: string;

  /** Wraps a value. */
  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself: for the request that needs it, and nowhere else. */
  reveal(): string {
    return this.#value;
  }

  /** Always `***` or `[unset]`. */
  toString(): string {
    return this.#value === UNSET ? UNSET : HIDDEN;
  }

  /** Always `***` or `[unset]`. */
  toJSON(): string {
    return String(this);
  }

  /** Always `***` or `[unset]`. */
  [Symbol.for("Deno.customInspect")](): string {
    return String(this);
  }
}

/** What is shown in place of a secret. */
export const HIDDEN = "***";

/**
 * An option that holds a secret. It is a string in the file and a {@linkcode Secret} in the plugin;
 * its format, `password`, keeps it out of messages.
 */
export function secret(): z.ZodType<Secret, string> {
  return z.string().min(1).meta({ format: "password" }).transform((value) => new Secret(value));
}

/**
 * An option that holds the address of a server: a host and a path alone, so that no secret is in it.
 *
 * @param example One that fits, for whoever writes another: it says whether it is `http` or `ws`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const url = address("wss://host");
 * assertEquals(url.safeParse("ws://stream.test:9443/path").success, true);
 * assertEquals(url.safeParse("https://stream.test").success, false);
 * assertEquals(url.safeParse("wss://user@stream.test").success, false);
 * ```
 */
export function address(example: string): z.ZodURL {
  return z.url({
    protocol: example.startsWith("ws") ? /^wss?$/ : /^https?$/,
    hostname: HOST,
    error: `must be an address such as \`${example}\``,
  }).refine(isPlainAddress, "must have no user, query or fragment");
}

/**
 * An option that holds a time: ISO 8601, epoch milliseconds, or a span such as `30 days ago`.
 *
 * The plugin turns it into milliseconds with {@linkcode resolveTime} when it reads.
 */
export function time(): z.ZodType<Time, string | number> {
  const written = z.union([z.string(), z.number()]).meta({ examples: ["30 days ago"] });
  return written.transform((value, context) => {
    const parsed = parseTime(value);
    if (typeof parsed !== "string") return parsed;
    context.addIssue({ code: "custom", message: parsed });
    return z.NEVER;
  });
}
