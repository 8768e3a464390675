/**
 * What `state` is given: apart from what it does, which is loaded when it is called.
 *
 * @module
 */

import type { ResetWish } from "../engine/state/reset.ts";

/** What is done with the state. */
export const STATE_ACTIONS = ["show", "export", "reset"] as const;

/** What `state` is given. */
export interface StateFlags extends ResetWish {
  /** What is done. */
  readonly action: typeof STATE_ACTIONS[number];
  /** The pipeline file. */
  readonly file: string;
  /** Where checkpoints are kept. */
  readonly state: string | undefined;
}
