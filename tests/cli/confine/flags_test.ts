import { assert, assertEquals, assertThrows } from "@std/assert";
import { denoFlags, V8_FLAGS } from "../../../cli/confine/flags.ts";
import { OptionsError } from "../../../engine/errors.ts";
import { NO_REACH } from "../../../engine/permissions.ts";

Deno.test("denoFlags() allows nothing to what reaches nothing, and asks nobody", () => {
  assertEquals(denoFlags({ reach: NO_REACH }), [
    "run",
    "--quiet",
    "--no-prompt",
    "--cached-only",
    "--location=http://confined.penstock.invalid/",
    V8_FLAGS,
  ]);
});

Deno.test("denoFlags() names each host, path and variable", () => {
  const reach = {
    net: ["a.test:443", "[::1]:8086"],
    read: ['/data/a"b', "/data/c d"],
    write: ["/out"],
    env: ["A", "B"],
  };
  assertEquals(denoFlags({ reach }).slice(-4), [
    "--allow-net=a.test:443,[::1]:8086",
    '--allow-read=/data/a"b,/data/c d',
    "--allow-write=/out",
    "--allow-env=A,B",
  ]);
});

Deno.test("denoFlags() names code of the user's in the program without running it, and pins it", () => {
  const flags = denoFlags({ reach: NO_REACH, modules: ["file:///a b.ts", 'npm:x"'] });
  assert(flags.includes("--frozen"));
  const preload = flags.find((flag) => flag.startsWith("--preload=")) ?? "";
  assertEquals(
    decodeURIComponent(preload.replace("--preload=data:text/javascript,", "")),
    'void [()=>import("file:///a b.ts"),()=>import("npm:x\\"")];',
  );
});

Deno.test("denoFlags() refuses a comma, which would allow what stands behind it", () => {
  assertThrows(
    () => denoFlags({ reach: { ...NO_REACH, read: ["/data/a,/etc"] } }),
    OptionsError,
    'Cannot allow "/data/a,/etc" to be reached as it must have no comma',
  );
});

Deno.test("V8_FLAGS are those of all that starts penstock, so that no process spoils what another has compiled", async () => {
  const read = (path: string) => Deno.readTextFile(new URL(`../../../${path}`, import.meta.url));
  const { tasks } = JSON.parse(await read("deno.json"));
  const commands = Object.values<{ command: string }>(tasks).map(({ command }) => command);
  const starts = [...commands, await read("docs/penstock@.service")]
    .filter((text) => text.includes("cli.ts"));
  assertEquals(starts.length, 6);
  for (const text of starts) assert(text.includes(` ${V8_FLAGS} `), text);
});
