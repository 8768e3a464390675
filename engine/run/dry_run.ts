/**
 * A dry run: the same pipeline, its sinks replaced by ones that print what they would have sent.
 *
 * @module
 */

import type { CheckedStep, Pipeline } from "../pipeline.ts";
import {
  defineSink,
  defineSource,
  type SinkPlugin,
  type SinkSpec,
  type SinkStore,
  type SourcePlugin,
} from "../plugin.ts";

/** How far a dry run goes. */
export interface DryRunLimit {
  /** Records to read in all. No limit where it is left out. */
  readonly records?: number | undefined;
  /** Told when they have been read. */
  reached(): void;
}

/**
 * Turns a pipeline into one that writes nothing.
 *
 * Sinks are never opened, and reach nothing: their bytes go to standard output, in the chunks they
 * would be sent in, and what they store is taken to be nothing. Dead letters go to the log.
 *
 * @param pipeline The checked pipeline.
 * @param limit How far to go.
 */
export function asDryRun(pipeline: Pipeline, limit: DryRunLimit): Pipeline {
  const left = { records: limit.records ?? Infinity };
  return {
    ...pipeline,
    sources: pipeline.sources.map((step) =>
      withPlugin(step, limitSource(step.plugin, left, limit))
    ),
    sinks: pipeline.sinks.map((step) => withPlugin(step, withOpen(step.plugin, openPrinter))),
    deadLetter: pipeline.deadLetter &&
      withPlugin(pipeline.deadLetter, withOpen(pipeline.deadLetter.plugin, openLogger)),
  };
}

function limitSource(
  plugin: SourcePlugin,
  left: { records: number },
  limit: DryRunLimit,
): SourcePlugin {
  return defineSource({
    ...plugin,
    async *read(options, from, context) {
      for await (const batch of plugin.read(options, from, context)) {
        const records = batch.records.slice(0, left.records);
        left.records -= records.length;
        yield { ...batch, records };
        if (left.records > 0) continue;
        limit.reached();
        return;
      }
    },
  });
}

type Open = SinkSpec<unknown, unknown, unknown>["open"];

const openPrinter: Open = (_options, _opening, context) =>
  Promise.resolve({
    deliver: (chunk) => context.print(chunk.bytes),
    flush: () => Promise.resolve(null),
    close: () => Promise.resolve(),
  });

const openLogger: Open = (_options, _opening, context) =>
  Promise.resolve({
    deliver({ records }) {
      for (const record of records) context.log.warn(`Dead letter: ${JSON.stringify(record)}`);
      return Promise.resolve();
    },
    flush: () => Promise.resolve(null),
    close: () => Promise.resolve(),
  });

/** A store that is not reached holds nothing: what goes on from stored points begins at the start. */
const EMPTY_STORE: SinkStore<unknown> = {
  last: (_options, { series }) => Promise.resolve(series.map(() => [])),
  async *read() {},
};

function withOpen(plugin: SinkPlugin, open: Open): SinkPlugin {
  const store = plugin.store ? { store: EMPTY_STORE } : {};
  return defineSink({ ...plugin, ...store, open, permissions: () => ({}) });
}

function withPlugin<P extends SourcePlugin | SinkPlugin>(
  step: CheckedStep<P>,
  plugin: P,
): CheckedStep<P> {
  return { ...step, plugin };
}
