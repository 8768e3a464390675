/**
 * What a pipeline promises, composed of the facts its plugins declare.
 *
 * @module
 */

import type { CheckedStep, Pipeline } from "./pipeline.ts";
import { deliveryOf, type SinkPlugin } from "./plugin.ts";

/**
 * The delivery guarantee of each sink, in words, with its reason.
 *
 * @param pipeline A checked pipeline.
 * @param durable Whether checkpoints outlive the process.
 * @returns One sentence per sink, with the weakest link where there is one.
 */
export function describeGuarantee(
  pipeline: Pipeline,
  durable: boolean,
): { readonly sink: string; readonly guarantee: string }[] {
  const weak = pipeline.sources.find(({ plugin }) => plugin.replay === "none") ??
    pipeline.sources.find(({ plugin }) => plugin.replay === "bounded");
  const loss = weak && lossOf(weak.plugin.replay, weak.id);
  return pipeline.sinks.map((sink) => ({
    sink: sink.id,
    guarantee: durable
      ? [...promiseOf(sink), ...(loss === undefined ? [] : [loss])].join("; ")
      : "from the start at every run: no checkpoint is kept",
  }));
}

/** What a sink promises, and what weakens that. */
function promiseOf({ plugin, options }: CheckedStep<SinkPlugin>): string[] {
  const caveat = plugin.caveat?.(options);
  const promise = DELIVERY[deliveryOf(plugin, options)];
  return caveat === undefined ? [promise] : [promise, caveat];
}

const DELIVERY = {
  idempotent:
    "exactly once in effect: after a crash what follows the last checkpoint is sent again and replaces itself",
  transactional:
    "exactly once: after a crash what follows the last checkpoint is taken back and written anew",
  append:
    "at least once: after a crash what follows the last checkpoint is sent again, and it cannot be taken back",
};

function lossOf(replay: "exact" | "bounded" | "none", source: string): string {
  return replay === "none"
    ? `source "${source}" cannot be read again, so what it gave after the last checkpoint is lost in a crash`
    : `source "${source}" can be read again for a while only, so a long stop may lose records`;
}
