import { assertEquals } from "@std/assert";
import { writeAll } from "../../engine/write_all.ts";

Deno.test("writeAll() goes on where a write took only a part", async () => {
  const written: number[] = [];
  const sizes: number[] = [];
  const target = {
    write(bytes: Uint8Array): Promise<number> {
      const part = bytes.subarray(0, 3);
      sizes.push(bytes.length);
      written.push(...part);
      return Promise.resolve(part.length);
    },
  };
  await writeAll(target, Uint8Array.of(1, 2, 3, 4, 5, 6, 7));
  assertEquals(written, [1, 2, 3, 4, 5, 6, 7]);
  assertEquals(sizes, [7, 4, 1]);
  sizes.length = 0;
  await writeAll(target, new Uint8Array());
  assertEquals(sizes, []);
});
