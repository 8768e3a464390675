/**
 * Runs blocks of cases, apart from the one who waits for them: a case that never ends can be ended.
 *
 * @module
 */

import { TARGETS } from "./targets.ts";
import type { Block } from "./block.ts";
import type { FuzzOutcome } from "./target.ts";

/** The part of a worker's own scope that is used here. */
interface Scope {
  onmessage: ((event: MessageEvent<Block>) => void) | null;
  postMessage(outcome: FuzzOutcome): void;
}

const scope = self as unknown as Scope;

scope.onmessage = async ({ data }) => {
  const target = TARGETS.find(({ name }) => name === data.target);
  if (!target) throw new RangeError(`There is no target "${data.target}"`);
  scope.postMessage(await target.run(data));
};
