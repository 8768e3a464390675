/**
 * Writes parts one after the other, and goes on from where a checkpoint says.
 *
 * @module
 */

import { dirname } from "@std/path";
import { z } from "zod";
import type { Context, Files, Json, OpenFile } from "../../engine/context.ts";
import { FatalError } from "../../engine/errors.ts";
import type { Chunk, SinkWriter } from "../../engine/plugin.ts";
import {
  cutIntoParts,
  isPartName,
  partPath,
  partsAmong,
  type Piece,
  type Rotation,
} from "./parts.ts";

/** What is written, and how it is cut. */
export interface Output {
  /** The file, or what its parts are called after. */
  readonly path: string;
  /** When a new part is begun; one file for all where it is left out. */
  readonly rotation: Rotation | undefined;
}

/** What a checkpoint keeps: the part that was open, none before the first, and its size. */
const TOKEN = z.strictObject({ part: z.string().nullable(), bytes: z.int().min(0) });
const WHOLE = "";

/**
 * Opens the output.
 *
 * Without a token nothing may be there yet. With one, the part it names is cut down to its size and
 * the parts made after it are removed.
 *
 * @throws {FatalError} If what is there is not what was written up to the token.
 */
export async function openOutput(
  output: Output,
  token: Json | undefined,
  context: Pick<Context, "files" | "log">,
): Promise<SinkWriter<unknown>> {
  const writer = new PartWriter(output, context);
  try {
    if (token === undefined) await writer.begin();
    else await writer.resume(token);
  } catch (error) {
    await writer.close();
    throw error;
  }
  return writer;
}

/** The files of an output that are there, in order. */
export async function listOutput(output: Output, files: Files): Promise<string[]> {
  const parts = await listParts(output, files);
  return parts.map((part) => partPath(output.path, part));
}

/** The parts that are there, in order. Without rotation there is always one. */
async function listParts({ path, rotation }: Output, files: Files): Promise<string[]> {
  if (!rotation) return [WHOLE];
  return partsAmong(await files.list(dirname(path)), path, rotation);
}

class PartWriter implements SinkWriter<unknown> {
  readonly #path: string;
  readonly #rotation: Rotation | undefined;
  readonly #context: Pick<Context, "files" | "log">;
  #open: { readonly part: string; readonly path: string; readonly file: OpenFile } | undefined;
  #bytes = 0;

  constructor({ path, rotation }: Output, context: Pick<Context, "files" | "log">) {
    this.#path = path;
    this.#rotation = rotation;
    this.#context = context;
  }

  async begin(): Promise<void> {
    for (const part of await this.#parts()) await this.#openNew(part);
    if (this.#rotation) await this.close();
  }

  async resume(token: Json): Promise<void> {
    const { part, bytes } = this.#parseToken(token);
    for (const later of await this.#parts()) {
      if (part !== null && later <= part) continue;
      const path = partPath(this.#path, later);
      await this.#context.files.remove(path);
      this.#context.log.info("Removed a file made after the last checkpoint", { path });
    }
    if (part !== null) await this.#reopen(part, bytes);
  }

  async deliver(chunk: Chunk<unknown>): Promise<void> {
    for (const { part, bytes } of this.#cut(chunk)) {
      if (part !== this.#open?.part) await this.#openNew(part);
      await this.#open?.file.append(bytes);
      this.#bytes += bytes.length;
    }
  }

  async flush(): Promise<Json> {
    if (!this.#open) return { part: null, bytes: 0 };
    const { part, path, file } = this.#open;
    await file.sync();
    const size = await file.size();
    if (size === this.#bytes) return { part, bytes: size };
    throw new FatalError(
      `Cannot keep on writing to "${path}": it must hold the ${this.#bytes} bytes that were written, found ${size}`,
      { hint: "Something else writes to it: give each sink a file of its own" },
    );
  }

  close(): Promise<void> {
    this.#open?.file.close();
    this.#open = undefined;
    return Promise.resolve();
  }

  #cut(chunk: Chunk<unknown>): Piece[] {
    if (!this.#rotation) return [{ part: WHOLE, bytes: chunk.bytes }];
    return cutIntoParts(chunk, { part: this.#open?.part, bytes: this.#bytes }, this.#rotation);
  }

  #parts(): Promise<string[]> {
    return listParts({ path: this.#path, rotation: this.#rotation }, this.#context.files);
  }

  async #openNew(part: string): Promise<void> {
    const size = await this.#openPart(part);
    if (size === 0) return;
    throw new FatalError(
      `Cannot write to "${
        partPath(this.#path, part)
      }": it must be new or empty, as no checkpoint knows of it, found ${size} bytes`,
      { hint: "Move it away, or set another `path`" },
    );
  }

  async #reopen(part: string, bytes: number): Promise<void> {
    const path = partPath(this.#path, part);
    const size = await this.#openPart(part);
    if (size < bytes) {
      throw new FatalError(
        `Cannot go on with "${path}": it must hold at least ${bytes} bytes, as at the last checkpoint, found ${size}`,
        { hint: "Put it back as it was, or reset the state and move it away to start again" },
      );
    }
    if (size > bytes) {
      await this.#open?.file.truncate(bytes);
      this.#context.log.info("Cut off what was written after the last checkpoint", {
        path,
        bytes: size - bytes,
      });
    }
    this.#bytes = bytes;
  }

  /** Opens a part in the place of the one that is open; gives its size. */
  async #openPart(part: string): Promise<number> {
    // The next flush reaches the new part only.
    await this.#open?.file.sync();
    await this.close();
    const path = partPath(this.#path, part);
    const file = await this.#context.files.open(path);
    this.#open = { part, path, file };
    this.#bytes = 0;
    return await file.size();
  }

  #parseToken(token: Json): z.infer<typeof TOKEN> {
    const parsed = TOKEN.safeParse(token);
    if (parsed.success) {
      const { part } = parsed.data;
      const isOurs = this.#rotation
        ? part === null || isPartName(part, this.#rotation)
        : part === WHOLE;
      if (isOurs) return parsed.data;
    }
    throw new FatalError(
      `Cannot go on with "${this.#path}": its place in the checkpoint must fit \`rotate\`, found ${
        JSON.stringify(token)
      }`,
      { hint: "Set `rotate` as it was, or reset the state and move the files away to start again" },
    );
  }
}
