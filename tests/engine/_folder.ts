/** Real folders and processes for tests. */

const ROOT = new URL("../../", import.meta.url);

/** What begins a program that uses the engine: `import … from "<ENGINE>run/world.ts"`. */
export const ENGINE = new URL("engine/", ROOT).href;

/** Whether this machine has a disk that is always full. */
export const HAS_FULL_DISK = Deno.build.os === "linux";

/** Runs a test with a folder of its own, gone afterwards. */
export async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs a program in a process of its own, with no other permissions than these. */
export async function runProgram(
  folder: string,
  program: string,
  permissions: readonly string[] = [],
): Promise<{ code: number; stdout: string; stderr: string }> {
  const path = `${folder}/program.ts`;
  await Deno.writeTextFile(path, program);
  const config = new URL("deno.json", ROOT).pathname;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--config", config, ...permissions, path],
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Whether the system keeps this process from files whose mode says so: it does not keep root. */
export function heedsModes(): boolean {
  const path = Deno.makeTempFileSync();
  try {
    Deno.chmodSync(path, 0o000);
    Deno.readTextFileSync(path);
    return false;
  } catch (error) {
    return error instanceof Deno.errors.PermissionDenied;
  } finally {
    Deno.removeSync(path);
  }
}
