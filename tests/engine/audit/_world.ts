/** A source with a history, a transform whose values follow from earlier ones, a store, all in memory. */

import { z } from "zod";
import { auditPipeline, repairPipeline } from "../../../engine/audit/audit.ts";
import type { AuditOptions, AuditReport, Repaired } from "../../../engine/audit/audit.ts";
import { type KnownHoles, memoryHoles } from "../../../engine/audit/known_holes.ts";
import type { Checkpoint } from "../../../engine/checkpoint/body.ts";
import { RecordError } from "../../../engine/errors.ts";
import type { Pipeline } from "../../../engine/pipeline.ts";
import {
  defineSink,
  defineSource,
  defineTransform,
  type SeriesRange,
  type SinkPlugin,
  type TransformPlugin,
} from "../../../engine/plugin.ts";
import type { FieldValue, Point, PointShape } from "../../../engine/point.ts";
import { fakeWorld, pipelineOf, step } from "../_fakes.ts";

export const MINUTE = 60_000;
export const T0 = Date.UTC(2024, 0, 1);
export const TAGS = { name: "a", interval: "1m" };

const none = z.strictObject({});
const SHAPE: PointShape = {
  kind: "point",
  measurement: "level",
  tags: ["name", "interval"],
  fields: { value: "float" },
};

/** The time of a slot. */
export function at(slot: number): number {
  return T0 + slot * MINUTE;
}

/** A gap or a hole, by its slots. */
export function slots(from: number, to: number) {
  return { fromMs: at(from), toMs: at(to), slots: to - from };
}

/** An exchange that makes one value a minute: `made` of them, with holes. */
export class Exchange {
  readonly asked: (readonly [number, number])[] = [];
  /** Slots that are missing in the next answer that would hold them. */
  readonly forgotten = new Set<number>();
  made = 400;
  holes: readonly number[] = [];
  tags: Point["tags"] = TAGS;
  /** The value of a slot. */
  value = (slot: number): number => 100 + (slot * 7919) % 100;

  /** Gives what it has in a range, 50 at a time. */
  *answer({ fromMs = 0, toMs }: SeriesRange): Generator<readonly Point[]> {
    const range = [Math.max(0, (fromMs - T0) / MINUTE), (toMs - T0) / MINUTE] as const;
    this.asked.push(range);
    let page: Point[] = [];
    for (let slot = range[0]; slot < Math.min(range[1], this.made); slot++) {
      if (this.holes.includes(slot) || this.forgotten.delete(slot)) continue;
      page.push(this.point(slot));
      if (page.length < 50) continue;
      yield page;
      page = [];
    }
    if (page.length > 0) yield page;
  }

  point(slot: number): Point {
    return {
      measurement: "level",
      tags: this.tags,
      fields: { value: this.value(slot) },
      timeMs: at(slot),
    };
  }
}

/** Halves the way to each value, in whole numbers: it forgets where it began. */
export const level = defineTransform({
  id: "level",
  summary: "Follows values",
  options: none,
  shape: (input): PointShape =>
    input.kind === "raw"
      ? SHAPE
      : { ...input, fields: { ...input.fields, level: "float", first: "integer" } },
  key: ({ tags }: Point) => tags.name ?? "",
  state: {
    version: 1,
    initial: (): { readonly level: number; readonly n: number } => ({ level: 0, n: 0 }),
    restore: ({ fields }) =>
      fields.level === undefined ? undefined : { level: Number(fields.level), n: 9 },
  },
  step(point, { state, emit }) {
    const next = Math.floor((state.level + Number(point.fields.value)) / 2);
    const n = Math.min(9, state.n + 1);
    // As an indicator, it has no value at first.
    emit(n < 3 ? point : { ...point, fields: { ...point.fields, level: next } });
    return { level: next, n };
  },
  blanks: () => ({ first: 0 }),
  doubts({ fields }) {
    const value = Number(fields.value);
    return [
      ...(fields.value === undefined ? [{ what: "without a value", isUnfinished: true }] : []),
      ...(value === 0 ? [{ what: "at rest", least: 3 }] : []),
    ];
  },
});

/** Refuses the value 113. */
export const picky = defineTransform({
  id: "picky",
  summary: "Refuses a value",
  options: none,
  shape: (input) => input,
  step(point: Point, { emit }) {
    if (point.fields.value === 113) throw new RecordError("Cannot take 113");
    emit(point);
  },
});

/** A store: fields of points of one series and time are merged. */
export class Store {
  readonly points = new Map<number, Point>();
  readonly writes: number[] = [];
  readonly reads: (readonly [number, number])[] = [];
  tolerance = 0;

  put(point: Point): void {
    const fields: Record<string, FieldValue> = {
      ...this.points.get(point.timeMs)?.fields,
      ...point.fields,
    };
    this.points.set(point.timeMs, { ...point, fields });
  }

  /** All points, in order of time. */
  all(): Point[] {
    return [...this.points.values()].sort((a, b) => a.timeMs - b.timeMs);
  }

  /** Takes slots away. */
  lose(from: number, to: number): void {
    for (let slot = from; slot < to; slot++) this.points.delete(at(slot));
  }

  async *#read({ fromMs = 0, toMs }: SeriesRange): AsyncGenerator<readonly Point[]> {
    this.reads.push([fromMs, toMs]);
    const found = this.all().filter(({ timeMs }) => timeMs >= fromMs && timeMs < toMs);
    for (let start = 0; start < found.length; start += 20) {
      yield await Promise.resolve(found.slice(start, start + 20));
    }
  }

  sink(delivery: "idempotent" | "transactional" | "append" = "idempotent"): SinkPlugin {
    return defineSink({
      id: "store",
      summary: "Stores points",
      options: none,
      delivery,
      accept: () => {},
      limits: () => ({ maxRecords: 10 }),
      encode: (records: readonly Point[]) => new TextEncoder().encode(JSON.stringify(records)),
      open: () =>
        Promise.resolve({
          deliver: ({ records }) => {
            for (const point of records) {
              this.writes.push((point.timeMs - T0) / MINUTE);
              this.put(point);
            }
            return Promise.resolve();
          },
          flush: () => Promise.resolve(null),
          close: () => Promise.resolve(),
        }),
      store: {
        last: () => Promise.resolve([]),
        read: (_options, range) => this.#read(range),
        tolerance: () => this.tolerance,
      },
    });
  }
}

/** What a test needs: an exchange, a store that holds all it made, and the two commands. */
export class AuditWorld {
  readonly exchange = new Exchange();
  readonly store = new Store();
  holes: KnownHoles = memoryHoles();
  checkpoint: Checkpoint | undefined;
  fromMs: number | undefined = T0;
  transforms: readonly TransformPlugin[] = [level];
  delivery: "idempotent" | "transactional" | "append" = "idempotent";

  pipeline(): Pipeline {
    const { exchange } = this;
    const source = defineSource({
      id: "exchange",
      summary: "Gives values",
      options: none,
      replay: "exact",
      shape: () => SHAPE,
      async *read() {},
      history: {
        ranges: () =>
          Promise.resolve([{ tags: exchange.tags, fromMs: this.fromMs, toMs: at(exchange.made) }]),
        read: async function* (_options: unknown, range: SeriesRange) {
          yield* exchange.answer(range);
        },
      },
    });
    return pipelineOf({
      sources: [step(source)],
      transforms: this.transforms.map((plugin) => step(plugin)),
      sinks: [step(this.store.sink(this.delivery))],
      shapes: [SHAPE],
    });
  }

  /** Stores what an uninterrupted run gives, but for some slots that transforms never see. */
  fill(unseen: (slot: number) => boolean = () => false): this {
    let state = { level: 0, n: 0 };
    for (
      const point of [...this.exchange.answer({ tags: TAGS, toMs: at(this.exchange.made) })].flat()
    ) {
      if (unseen((point.timeMs - T0) / MINUTE)) continue;
      state = level.step(point, {
        options: {},
        state,
        emit: (made) => this.store.put(made as Point),
      }) as typeof state;
    }
    this.exchange.asked.length = 0;
    return this;
  }

  audit(range: Pick<AuditOptions, "fromMs" | "toMs"> = {}): Promise<AuditReport> {
    return auditPipeline(this.pipeline(), this.options(range));
  }

  async repair(): Promise<Repaired> {
    const options = this.options();
    return await repairPipeline(
      this.pipeline(),
      await auditPipeline(this.pipeline(), options),
      options,
    );
  }

  options(range: Pick<AuditOptions, "fromMs" | "toMs"> = {}): AuditOptions {
    return {
      world: fakeWorld(),
      checkpoint: this.checkpoint,
      holes: this.holes,
      signal: new AbortController().signal,
      log: () => ({ debug: () => {}, info: () => {}, warn: () => {} }),
      ...range,
    };
  }
}
