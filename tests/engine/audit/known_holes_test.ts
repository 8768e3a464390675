import { assertEquals, assertRejects } from "@std/assert";
import { fileHoles } from "../../../engine/audit/known_holes.ts";
import { FatalError } from "../../../engine/errors.ts";
import { inFolder } from "../_folder.ts";

const range = (from: number, to: number) => ({ fromMs: from, toMs: to, slots: to - from });

Deno.test("fileHoles() keeps holes by source and series, in order, those that touch as one", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/deep/holes.json`;
    const holes = await fileHoles(path);
    holes.add("rest", { symbol: "A", interval: "1m" }, [range(5, 8)]);
    holes.add("rest", { symbol: "A", interval: "1m" }, [range(1, 2), range(8, 9)]);
    holes.add("rest", { symbol: "B", interval: "1m" }, []);
    holes.add("live", { symbol: "A", interval: "1m" }, [range(3, 4)]);
    await holes.save();
    const again = await fileHoles(path);
    assertEquals(again.of("rest", { interval: "1m", symbol: "A" }), [range(1, 2), range(5, 9)]);
    assertEquals(again.of("rest", { symbol: "B", interval: "1m" }), []);
    assertEquals(again.of("live", { symbol: "A", interval: "1m" }), [range(3, 4)]);
    assertEquals(await Array.fromAsync(Deno.readDir(`${folder}/deep`), ({ name }) => name), [
      "holes.json",
    ]);
  });
});

Deno.test("fileHoles() is empty where no file is, and writes none by itself", async () => {
  await inFolder(async (folder) => {
    const holes = await fileHoles(`${folder}/holes.json`);
    assertEquals(holes.of("rest", {}), []);
    assertEquals(await Array.fromAsync(Deno.readDir(folder)), []);
  });
});

Deno.test("fileHoles() refuses a file that holds something else, and says what to do", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/holes.json`;
    for (
      const text of ["", "[]", '{"format":2,"holes":{}}', '{"format":1,"holes":{"a":[[1,2]]}}']
    ) {
      await Deno.writeTextFile(path, text);
      const error = await assertRejects(
        () => fileHoles(path),
        FatalError,
        "must be those an audit wrote",
      );
      assertEquals(error.hint, "Remove the file: the next repair asks for them again");
    }
  });
});

Deno.test("fileHoles() says where it cannot write", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "");
    await Deno.mkdir(`${folder}/holes.json.tmp`);
    const holes = await fileHoles(`${folder}/holes.json`);
    await assertRejects(() => holes.save(), FatalError, `Cannot keep the known holes "${folder}`);
  });
});
