/**
 * What a pipeline promises, composed of the facts its plugins declare.
 *
 * @module
 */

import { listed } from "../nearest.ts";
import type { CheckedStep, Pipeline } from "../pipeline.ts";
import { deliveryOf, type DeliveryPromise, replayOf, type SinkPlugin } from "../plugin.ts";

/** What happens to a record on its way to one sink, whenever the process dies. */
export interface Guarantee {
  /** The sink. */
  readonly sink: string;
  /** How often a record takes effect there. */
  readonly promise: Effect;
  /** Why, as clauses. */
  readonly reasons: readonly string[];
  /** What makes it weaker than `exactly once`, the weakest first, as clauses. None, where nothing does. */
  readonly weaknesses: readonly string[];
}

/** How often a record takes effect. */
export type Effect =
  | "exactly once"
  | "exactly once in effect"
  | "at least once"
  | "at most once"
  /** Some records may be missing after a crash, others may be there twice. */
  | "once as a rule";

/**
 * The guarantee of each sink.
 *
 * It holds for a run that keeps its checkpoints: after a crash, the next run goes on from the last
 * one, at which positions, states and what the sinks hold fit together.
 *
 * @param pipeline A checked pipeline.
 */
export function guaranteesOf(pipeline: Pipeline): Guarantee[] {
  return pipeline.sinks.map((sink) => guaranteeOf(pipeline, sink));
}

/**
 * A guarantee in one sentence, with its reasons and its weakest link.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   guaranteeSentence({
 *     sink: "store",
 *     promise: "exactly once in effect",
 *     reasons: ["the source can be read again", "what is sent again replaces itself"],
 *     weaknesses: ["`kline` drops what it refuses"],
 *   }),
 *   "store: exactly once in effect, as the source can be read again and what is sent again " +
 *     "replaces itself; the weakest link: `kline` drops what it refuses",
 * );
 * ```
 */
export function guaranteeSentence({ sink, promise, reasons, weaknesses }: Guarantee): string {
  const why = reasons.length > 0 ? `, as ${listed(reasons, "and")}` : "";
  const [weakest, ...others] = weaknesses;
  const weak = weakest === undefined ? "" : `; the weakest link: ${weakest}`;
  const more = others.length > 0 ? `; also: ${others.join("; ")}` : "";
  return `${sink}: ${promise}${why}${weak}${more}`;
}

function guaranteeOf(pipeline: Pipeline, sink: CheckedStep<SinkPlugin>): Guarantee {
  const delivery = deliveryOf(sink.plugin, sink.options);
  const sourcesOf = (...promises: string[]) =>
    pipeline.sources.filter(({ plugin, options }) => promises.includes(replayOf(plugin, options)))
      .map(({ id }) => id);
  const lost = sourcesOf("none");
  const again = sourcesOf("exact", "final", "bounded");
  const weaknesses = [
    ...lost.length > 0 ? [lossOf(lost, sink.id, delivery)] : [],
    ...doubled(again, sink.id, delivery),
    ...sourcesOf("bounded").map((id) =>
      `${id} can be read again for a while only, so that a longer stop loses records`
    ),
    ...sourcesOf("final").map((id) =>
      `records of ${id} that were still to change, such as open candles, are not given again after a crash: later ones take their place`
    ),
    ...caveatOf(sink),
    ...refusals(pipeline, sink),
  ];
  return {
    sink: sink.id,
    promise: promiseOf(lost.length > 0, again.length > 0, delivery),
    reasons: reasonsOf(again, sink.id, delivery),
    weaknesses,
  };
}

function promiseOf(loses: boolean, readsAgain: boolean, delivery: DeliveryPromise): Effect {
  // Of sources that cannot be read again nothing is sent twice, but something may be missing.
  if (loses) return readsAgain && delivery === "append" ? "once as a rule" : "at most once";
  if (delivery === "append") return "at least once";
  return delivery === "transactional" ? "exactly once" : "exactly once in effect";
}

function reasonsOf(again: readonly string[], sink: string, delivery: DeliveryPromise): string[] {
  if (again.length === 0) return [];
  const redone: Readonly<Record<DeliveryPromise, readonly string[]>> = {
    transactional: [`what ${sink} has written since then is taken back and written anew`],
    idempotent: [`what is sent to ${sink} again takes the place of itself`],
    append: [],
  };
  return [
    `${listed(again, "and")} can be read again from the last checkpoint`,
    ...redone[delivery],
  ];
}

function lossOf(sources: readonly string[], sink: string, delivery: DeliveryPromise): string {
  const lost = delivery === "transactional"
    ? `is taken out of ${sink} in a crash and does not come again`
    : `is lost in a crash unless ${sink} had it`;
  return `${
    listed(sources, "and")
  } cannot be read again, so that what it gave after the last checkpoint ${lost}`;
}

function doubled(again: readonly string[], sink: string, delivery: DeliveryPromise): string[] {
  if (delivery !== "append" || again.length === 0) return [];
  return [
    `${sink} cannot take back what it was sent, so that what follows the last checkpoint is there twice after a crash`,
  ];
}

function caveatOf({ plugin, options }: CheckedStep<SinkPlugin>): string[] {
  const caveat = plugin.caveat?.(options);
  return caveat === undefined ? [] : [caveat];
}

/** Records that are refused do not arrive, however sure the way is. */
function refusals({ transforms, deadLetter }: Pipeline, sink: CheckedStep<SinkPlugin>): string[] {
  const refusing = (what: string) =>
    [...transforms, sink].filter(({ onError }) => onError === what).map(({ id }) => id);
  const [dropping, keeping] = [refusing("drop"), refusing("dead_letter")];
  const kept = "is kept as a dead letter, and is missing until it is replayed";
  return [
    ...dropping.length > 0 ? [`${whatIsRefused(dropping)} is dropped`] : [],
    ...keeping.length > 0 ? [`${whatIsRefused(keeping)} ${kept}`] : [],
    ...keeping.length > 0 && deadLetter ? letterFaults(deadLetter) : [],
  ];
}

function whatIsRefused(steps: readonly string[]): string {
  return `what ${listed(steps, "and")} ${steps.length === 1 ? "refuses" : "refuse"}`;
}

function letterFaults({ plugin, options, onError }: CheckedStep<SinkPlugin>): string[] {
  const isDoubled = deliveryOf(plugin, options) === "append";
  return [
    ...isDoubled ? ["after a crash a dead letter may be there twice"] : [],
    ...onError === "drop" ? ["a dead letter that cannot be written is dropped"] : [],
  ];
}
