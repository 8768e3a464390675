/**
 * Addresses of servers, as options name them.
 *
 * @module
 */

/** What names a host: an address of IPv6 in brackets, or labels between dots. */
export const HOST = /^(\[[\da-f:.]+\]|[\w-]{1,63}(\.[\w-]{1,63})*\.?)$/i;
/** A host and its port, without wildcards. */
export const HOST_AND_PORT = new RegExp(`${HOST.source.slice(0, -1)}:\\d{1,5}$`, "i");

/** Whether an address has a host and a path alone. One that is no address is refused elsewhere. */
export function isPlainAddress(address: string): boolean {
  const url = URL.parse(address);
  return !url || url.username + url.password + url.search + url.hash === "";
}

/**
 * Host and port of an address.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(hostOf("https://example.org/path"), "example.org:443");
 * ```
 */
export function hostOf(address: string): string {
  const { hostname, port, protocol } = new URL(address);
  const isSecure = protocol === "https:" || protocol === "wss:";
  return `${hostname}:${port || (isSecure ? "443" : "80")}`;
}
