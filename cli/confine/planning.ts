/**
 * What planning a confined process starts from, and what comes of it.
 *
 * @module
 */

import type { Secret } from "../../engine/options.ts";
import type { Reach } from "../../engine/permissions.ts";
import type { Permissions } from "../../engine/plugin.ts";
import type { Handover, Simulated } from "../inputs.ts";
import type { Claims } from "./grants.ts";

/** What a command does with a pipeline. */
export interface Confinement {
  /** The pipeline file. */
  readonly file: string;
  /**
   * Whose permissions it takes: those of all steps, the same but to write, those of all but the sinks,
   * or none.
   */
  readonly steps: "all" | "look" | "dry" | "none";
  /** What it must reach beyond what the steps declare. */
  extra?(pipeline: { readonly name: string; readonly folder: string }): Permissions;
}

/** A confined process that is about to be started. */
export interface Plan {
  /** What it may reach. */
  readonly reach: Reach;
  /** The user's code in it, by URL. None, where all plugins come along. */
  readonly modules: readonly string[];
  /** What it is given. */
  readonly handover: Handover;
  /** What the user's code asks for, and was granted. */
  readonly claims: Claims;
}

/** What planning has to go by. */
export interface Planning {
  /** The simulated exchange, for a simulated run. */
  readonly simulator?: Simulated | undefined;
  /** Whether code of the user's gets all that it asks for: the user is about to accept it. */
  readonly accepting?: boolean;
  /** Told of secrets before anything is done with them. */
  hide?(secrets: Iterable<Secret>): void;
  /** Fetches code by URL, without running it. Code that is not on this machine is refused without. */
  fetchCode?(modules: readonly string[]): Promise<void>;
}
