/**
 * Tests of the suites themselves: which checks does a broken plugin fail?
 *
 * @module
 */

import type { Check } from "./plugin.ts";

/** The names of the checks that fail, in order. */
export async function findFailing(checks: readonly Check[]): Promise<string[]> {
  const failing: string[] = [];
  for (const { name, check } of checks) {
    try {
      await check();
    } catch {
      failing.push(name);
    }
  }
  return failing;
}
