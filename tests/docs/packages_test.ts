/** What penstock is made of: each package is named, pinned, and runs nothing when it is installed. */

import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));

async function read(name: string): Promise<string> {
  return await Deno.readTextFile(`${ROOT}${name}`);
}

Deno.test("README names every package, with what it is for", async () => {
  const { imports } = JSON.parse(await read("deno.json"));
  const readme = await read("README.md");
  const unnamed = Object.values(imports).map((specifier) =>
    String(specifier).replace(/@[^@/]*$/, "")
  )
    .filter((name) =>
      !readme.split("\n").some((line) => /^\|.*\S +\|$/.test(line) && line.includes(`\`${name}\``))
    );
  assertEquals(unnamed, []);
});

Deno.test("deno.lock pins every package by its checksum, and none runs a script when installed", async () => {
  const { version, npm } = JSON.parse(await read("deno.lock"));
  // Of this version it is known that packages with scripts are marked.
  assertEquals(version, "5");
  const packages: [string, { integrity?: string; scripts?: boolean }][] = Object.entries(npm);
  assert(packages.length > 5);
  for (const [name, { integrity, scripts }] of packages) {
    assert(integrity?.startsWith("sha512-"), `${name} must have a checksum`);
    assert(!scripts, `${name} must run no script when it is installed`);
  }
});
