/**
 * What a command is run with beside its arguments.
 *
 * @module
 */

import type { Handover, Inputs } from "./inputs.ts";
import type { StopSignal } from "./signals.ts";

/** What the process around a command gives it. */
export interface Host {
  /** What a pipeline is loaded with. */
  readonly inputs: Inputs;
  /** What was handed over, in a confined process. */
  readonly handover?: Handover | undefined;
  /** Tells of signals that another process got for this one. */
  readonly relay?: ((listener: (signal: StopSignal) => void) => void) | undefined;
}
