/**
 * Writing all bytes there are.
 *
 * @module
 */

/**
 * Writes all bytes, however many calls it takes.
 *
 * @param target What writes some of the bytes, and gives how many.
 * @param bytes The bytes.
 */
export async function writeAll(
  target: { write(bytes: Uint8Array): Promise<number> },
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await target.write(bytes.subarray(at));
}
