import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { penstock } from "../e2e/_penstock.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));

Deno.test("custom_plugins.yaml prints each line of the CSV file with its change", async () => {
  const { code, stdout, stderr } = await penstock(
    "dry-run",
    `${ROOT}pipelines/custom_plugins.yaml`,
  );
  assertEquals(code, 0, stderr);
  const lines = stdout.trimEnd().split("\n");
  assertEquals(lines.length, 40);
  assertEquals(lines.slice(0, 2), [
    "price,symbol=TULIP close=412.50,volume=5533.012 1709251200000",
    "price,symbol=PEPPER close=0.06180,volume=20772 1709251200000",
  ]);
  // 1.04 / 412.50, -0.00034 / 0.06180, and 0.00033 / 0.06136 without a volume.
  for (
    const [at, start, end] of [
      [
        2,
        "price,symbol=TULIP close=413.54,volume=1315.279,change_percent=0.25212",
        " 1709254800000",
      ],
      [
        3,
        "price,symbol=PEPPER close=0.06146,volume=71239,change_percent=-0.55016",
        " 1709254800000",
      ],
      [23, "price,symbol=PEPPER close=0.06169,change_percent=0.53780", " 1709290800000"],
    ] as const
  ) {
    assert(lines[at]?.startsWith(start), lines[at]);
    assert(lines[at]?.endsWith(end), lines[at]);
  }
});

Deno.test("custom_plugins.yaml with a misspelt option names it, as with any plugin", async () => {
  const text = await Deno.readTextFile(`${ROOT}/pipelines/custom_plugins.yaml`);
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/custom_plugins.yaml`;
    const misspelt = text.replaceAll("./custom/", `${ROOT}pipelines/custom/`)
      .replace("measurement:", "mesurement:");
    await Deno.writeTextFile(path, misspelt);
    const { code, stderr } = await penstock("check", path);
    assertEquals(code, 78, stderr);
    assertStringIncludes(stderr, "custom_plugins.yaml:8:7");
    assertStringIncludes(stderr, '"mesurement" of source "csv_file"');
    assertStringIncludes(stderr, 'Did you mean "measurement"?');
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
