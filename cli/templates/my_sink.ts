/**
 * Writes each record as JSON to a file, one on a line.
 *
 * Make it yours: `encode` gives the very bytes that are sent, the writer sends them. What it must know
 * to go on after a crash is the token that `flush` returns.
 *
 * @module
 */

import { z } from "zod";
import { defineSink, type Encoding, RecordError } from "../../mod.ts";

/** The `my_sink` sink. */
export default defineSink({
  id: "my_sink",
  summary: "Writes each record as JSON to a file, one on a line",
  options: z.strictObject({ path: z.string().min(1).describe("File to write to") }),
  delivery: "transactional",
  permissions: ({ path }) => ({ read: [path], write: [path] }),
  accept: () => {},
  encode(records: readonly unknown[], { reject }: Encoding<unknown>) {
    const lines = records.map((record, index) => {
      const text = JSON.stringify(record);
      if (text !== undefined) return `${text}\n`;
      reject(
        index,
        new RecordError(`Cannot write a record as it must be a value: it is ${record}`),
      );
      return "";
    });
    return new TextEncoder().encode(lines.join(""));
  },
  async open({ path }, { token }, { files }) {
    const file = await files.open(path);
    try {
      // What was written after the last checkpoint comes again.
      await file.truncate(Number(token ?? 0));
    } catch (error) {
      file.close();
      throw error;
    }
    return {
      deliver: ({ bytes }) => file.append(bytes),
      async flush() {
        await file.sync();
        return await file.size();
      },
      close: () => Promise.resolve(file.close()),
    };
  },
});
