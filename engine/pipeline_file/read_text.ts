/**
 * Reads small text files of the user's.
 *
 * @module
 */

import { describeError, OptionsError } from "../errors.ts";

/** The most bytes a pipeline file, or a file that it names in `${file:…}`, may have. */
export const LARGEST_FILE = 1_048_576;
const PART_BYTES = 16_384;

/**
 * Reads a text file. Never more of it than it may have: `/dev/zero` is a file, too.
 *
 * @param path Its path.
 * @returns Its text. Bytes that are no UTF-8 become U+FFFD.
 * @throws {OptionsError} If it is larger than {@linkcode LARGEST_FILE}.
 */
export async function readTextFile(path: string): Promise<string> {
  using file = await Deno.open(path, { read: true });
  const decoder = new TextDecoder();
  const part = new Uint8Array(PART_BYTES);
  let text = "";
  let length = 0;
  while (length <= LARGEST_FILE) {
    const read = await file.read(part);
    if (read === null) return text + decoder.decode();
    text += decoder.decode(part.subarray(0, read), { stream: true });
    length += read;
  }
  throw new OptionsError(`it must have at most 1 MiB`);
}

/**
 * Says why a file could not be read.
 *
 * @param error What was thrown.
 * @returns The reason, to follow a colon.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(whyUnreadable(new Deno.errors.NotFound("No such file (os error 2)")), "it is not there");
 * ```
 */
export function whyUnreadable(error: unknown): string {
  const name = error instanceof Error ? error.name : "";
  return REASONS[name] ?? describeError(error);
}

const REASONS: Readonly<Record<string, string>> = {
  NotFound: "it is not there",
  IsADirectory: "it is a folder",
  NotADirectory: "a part of its path is not a folder",
  PermissionDenied: "you have no permission to read it",
  NotCapable: "this process has no permission to read it",
};
