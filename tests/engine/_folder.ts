/** Real folders for tests, and a disk that is full. */

/** Runs a test with a folder of its own, gone afterwards. */
export async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Whether this machine has a disk that is always full, and this process may use it. */
export function hasFullDisk(): boolean {
  try {
    Deno.openSync("/dev/full", { write: true }).close();
    return true;
  } catch {
    return false;
  }
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
