import { assertEquals, assertRejects } from "@std/assert";
import { OptionsError } from "../../../engine/errors.ts";
import {
  LARGEST_FILE,
  readTextFile,
  whyUnreadable,
} from "../../../engine/pipeline_file/read_text.ts";

async function withFile(bytes: Uint8Array, use: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, bytes);
    await use(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("readTextFile() reads a file of the largest size, and refuses one byte more", async () => {
  await withFile(new Uint8Array(LARGEST_FILE).fill(97), async (path) => {
    assertEquals((await readTextFile(path)).length, LARGEST_FILE);
  });
  await withFile(new Uint8Array(LARGEST_FILE + 1).fill(97), async (path) => {
    await assertRejects(() => readTextFile(path), OptionsError, "it must have at most 1 MiB");
  });
});

Deno.test("readTextFile() puts U+FFFD for bytes that are no UTF-8, and reads an empty file", async () => {
  await withFile(new Uint8Array([0x61, 0xff, 0x62]), async (path) => {
    assertEquals(await readTextFile(path), "a\ufffdb");
  });
  await withFile(new Uint8Array(), async (path) => assertEquals(await readTextFile(path), ""));
});

Deno.test("readTextFile() reads characters that it takes in two parts", async () => {
  const text = "a" + "€".repeat(LARGEST_FILE / 4);
  await withFile(new TextEncoder().encode(text), async (path) => {
    assertEquals(await readTextFile(path) === text, true);
  });
});

Deno.test("whyUnreadable() says why a folder or nothing at all cannot be read", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const reasonOf = (path: string) => readTextFile(path).then(() => "", whyUnreadable);
    assertEquals(await reasonOf(folder), "it is a folder");
    assertEquals(await reasonOf(`${folder}/none`), "it is not there");
  } finally {
    await Deno.remove(folder);
  }
  assertEquals(whyUnreadable("no reason"), "no reason");
});
