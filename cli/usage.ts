/**
 * Wrong usage of the command line.
 *
 * @module
 */

import { OptionsError } from "../engine/errors.ts";

/** The command line itself is wrong: exit code 2. */
export class UsageError extends OptionsError {}
