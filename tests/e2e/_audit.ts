/** What Deno writes down of the permissions that a process uses. */

import { basename, join } from "@std/path";

/** The permissions in an audit log, each once, such as `net a.test:443`. */
export async function usedBy(path: string): Promise<string[]> {
  const lines = (await Deno.readTextFile(path)).trimEnd().split("\n");
  const used = lines.map((line) => {
    const { permission, value } = JSON.parse(line);
    const url = permission === "net" ? URL.parse(value) : null;
    // Of a request Deno writes down all of its address; what is allowed is the host.
    return `${permission} ${url?.host ? url.host : value}`;
  });
  return [...new Set(used)].sort();
}

/** Whether a permission is another one, or is about a path in the folder of that. */
export function isWithin(used: string, allowed: string): boolean {
  return used === allowed || /^(read|write) /.test(allowed) && used.startsWith(`${allowed}/`);
}

/** A copy of a folder, in another one; gone afterwards. */
export async function copy(
  from: string,
  into: string,
): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ dir: into, prefix: `.${basename(from)}-` });
  await copyInto(from, path);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

async function copyInto(from: string, to: string): Promise<void> {
  for await (const { name, isDirectory, isFile } of Deno.readDir(from)) {
    if (isFile) await Deno.copyFile(join(from, name), join(to, name));
    if (!isDirectory || name.startsWith(".")) continue;
    await Deno.mkdir(join(to, name));
    await copyInto(join(from, name), join(to, name));
  }
}
