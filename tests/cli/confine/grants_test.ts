import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { renderDifferences } from "../../../cli/confine/grant_error.ts";
import { compareGrants, lockPathOf, readGrants, withGrants } from "../../../cli/confine/grants.ts";
import { OptionsError } from "../../../engine/errors.ts";
import { inFolder } from "../../engine/_folder.ts";

Deno.test("grants are kept by pipeline file, with paths as the folder has them", () =>
  inFolder(async (folder) => {
    const file = join(folder, "b.yaml");
    assertEquals(await readGrants(file), {});
    const claims = {
      "./z.ts": { net: ["a.test:443"] },
      "./a.ts": { read: [join(folder, "in.csv"), "/etc/hosts"], env: ["HOME"] },
    };
    await Deno.writeTextFile(lockPathOf(file), await withGrants(file, claims));
    assertEquals(JSON.parse(await Deno.readTextFile(join(folder, "penstock.lock"))), {
      version: 1,
      pipelines: {
        "b.yaml": {
          "./a.ts": { read: ["in.csv", "/etc/hosts"], env: ["HOME"] },
          "./z.ts": { net: ["a.test:443"] },
        },
      },
    });
    assertEquals(await readGrants(file), claims);
    assertEquals(await readGrants(join(folder, "other.yaml")), {});
  }));

Deno.test("withGrants() leaves other pipelines alone, and keeps none that asks for nothing", () =>
  inFolder(async (folder) => {
    const file = join(folder, "b.yaml");
    await Deno.writeTextFile(
      lockPathOf(file),
      '{"version":1,"pipelines":{"b.yaml":{"./b.ts":{"env":["B"]}},"a.yaml":{"./a.ts":{"env":["A"]}}}}',
    );
    const { pipelines } = JSON.parse(await withGrants(file, {}));
    assertEquals(pipelines, { "a.yaml": { "./a.ts": { env: ["A"] } } });
  }));

Deno.test("readGrants() refuses a lock file that is none", () =>
  inFolder(async (folder) => {
    const file = join(folder, "b.yaml");
    for (
      const text of [
        "{",
        "[]",
        '{"version":2,"pipelines":{}}',
        '{"version":1,"pipelines":{"b.yaml":{"./a.ts":{"run":["sh"]}}}}',
      ]
    ) {
      await Deno.writeTextFile(lockPathOf(file), text);
      await assertRejects(
        () => readGrants(file),
        OptionsError,
        "must be what `penstock accept` wrote",
      );
    }
  }));

Deno.test("compareGrants() tells by plugin what is asked for beyond and short of the grants", () => {
  const differences = compareGrants(
    { "./a.ts": { net: ["x.test:1", "y.test:1"] }, "./b.ts": { write: ["/w"] } },
    { "./a.ts": { net: ["y.test:1", "z.test:1"] }, "./c.ts": { env: ["C"] } },
  );
  assertEquals(
    renderDifferences(differences),
    "  ./a.ts\n    + net x.test:1\n    - net z.test:1\n  ./b.ts\n    + write /w\n  ./c.ts\n    - env C",
  );
});
