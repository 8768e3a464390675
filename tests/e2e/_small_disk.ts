/**
 * Real file systems that are small or read only, for processes in a mount namespace of their own.
 *
 * @module
 */

import { commandOf, end, type Ended } from "./_penstock.ts";

/** Begins the names of tests that need such a file system where there can be none. */
export const NO_MOUNTS = "(needs user namespaces, to mount a small file system)";

/** Whether this machine lets a user mount a file system for a process of its own. */
export const CAN_MOUNT = Deno.build.os === "linux" && await mounts();

async function mounts(): Promise<boolean> {
  const folder = await Deno.makeTempDir();
  try {
    const { code } = await inNamespace(`mount -t tmpfs -o size=16k tmpfs "${folder}"`);
    return code === 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  } finally {
    await Deno.remove(folder);
  }
}

/** Runs a shell script as the root of a namespace: what it mounts is gone with it. */
export function inNamespace(script: string): Promise<Ended> {
  const args = ["--user", "--map-root-user", "--mount", "sh", "-euc", script];
  return end(shell("unshare", args));
}

/** Runs a shell script. */
export function inShell(script: string): Promise<Ended> {
  return end(shell("sh", ["-euc", script]));
}

function shell(command: string, args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(command, {
    args: [...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** The words of a shell that run penstock with what `deno task run` allows it. */
export function penstockCommand(...args: readonly string[]): string {
  return [Deno.execPath(), ...commandOf(args)].map((word) => `'${word}'`).join(" ");
}
