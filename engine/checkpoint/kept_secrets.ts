/**
 * Keeps secrets out of checkpoints.
 *
 * @module
 */

import type { Checkpoint } from "./body.ts";
import { FatalError } from "../errors.ts";
import type { Pipeline } from "../pipeline.ts";
import { holdsSecret } from "../redact.ts";

/**
 * Refuses a checkpoint in which a plugin of the user's keeps a secret: the file outlives the run,
 * and is read by others.
 *
 * @throws {FatalError} If a position, a state or a token holds one; the message names the step.
 */
export function refuseKeptSecrets(pipeline: Pipeline, checkpoint: Checkpoint): void {
  const { secrets = [], sources, transforms, sinks, deadLetter } = pipeline;
  if (secrets.length === 0) return;
  const { positions, states, tokens, deadLetterToken } = checkpoint;
  const kept = [
    ...sources.map((step) => [step, positions[step.id]] as const),
    ...transforms.map((step) => [step, states[step.id]] as const),
    ...sinks.map((step) => [step, tokens[step.id]] as const),
    ...deadLetter ? [[deadLetter, deadLetterToken] as const] : [],
  ];
  for (const [{ plugin, id, module }, value] of kept) {
    // What comes along keeps none; a name that is also a password would only stop a good run.
    if (module === undefined || !holdsSecret(JSON.stringify(value ?? null), secrets)) continue;
    throw new FatalError(
      `Cannot save a checkpoint as ${plugin.kind} "${id}" must keep no secret in it: it does`,
      { hint: "This is a fault of the plugin: what it returns to be kept is written to a file" },
    );
  }
}
