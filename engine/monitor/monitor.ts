/**
 * A run as it is seen from outside: what it counted, how its series stand, whether it is ready.
 *
 * @module
 */

import type { SeriesStatus } from "../context.ts";
import type { Delivery } from "../run/delivery.ts";
import type { Ledger } from "../run/ledger.ts";
import { Measurements } from "./measurements.ts";

/** A sink that acknowledges nothing for longer than this, although something waits, is in trouble. */
const ACKNOWLEDGE_MS = 30_000;

/** What a run shows of itself. */
export interface RunView {
  /** Name of the pipeline. */
  readonly pipeline: string;
  /** What became of every record. */
  readonly ledger: Ledger;
  /** Whether each source has given anything, by id. */
  readonly given: ReadonlyMap<string, boolean>;
  /** Deliveries to the sinks that are open. */
  readonly deliveries: readonly Delivery[];
  /** Epochs saved in this run. */
  readonly epochs: number;
  /** When the last checkpoint was saved, in epoch milliseconds; the start before the first. */
  readonly savedMs: number;
  /** Epoch milliseconds. */
  readonly nowMs: number;
}

/** Watches one run, from before it begins until after it has ended. */
export class Monitor {
  /** What its steps count and measure. */
  readonly measurements = new Measurements();
  readonly #live = new Map<string, () => readonly SeriesStatus[]>();
  #view: (() => RunView) | undefined;

  /** Says that the run begins, and how to look at it. */
  begin(view: () => RunView): void {
    this.#view = view;
  }

  /** Says that it has ended. */
  end(): void {
    this.#view = undefined;
    this.#live.clear();
  }

  /** Says how the series of a source stand. */
  follow(step: string, status: () => readonly SeriesStatus[]): void {
    this.#live.set(step, status);
  }

  /** The run; undefined before it begins and after it has ended. */
  get view(): RunView | undefined {
    return this.#view?.();
  }

  /** How the series of its sources without an end stand, by step id; empty where it has none. */
  get series(): ReadonlyMap<string, readonly SeriesStatus[]> {
    return new Map(Array.from(this.#live, ([step, status]) => [step, status()]));
  }

  /** Whether it has a source without an end. */
  get isEndless(): boolean {
    return this.#live.size > 0;
  }

  /**
   * Why the run is not ready: that is once each source has given something, all series of sources
   * without an end are live, and no sink has left what waits for it unacknowledged for 30 s.
   *
   * @returns One sentence for each reason; none when it is ready.
   */
  unready(): string[] {
    const { view } = this;
    if (!view) return ["the run has not begun, or has ended"];
    const silent = [...view.given].filter(([, given]) => !given)
      .map(([id]) => `source "${id}" has given nothing yet`);
    const behind = [...this.series].flatMap(([id, series]) => behindOf(id, series));
    const stuck = view.deliveries.flatMap(({ step, waitingSinceMs = Infinity }) => {
      const waitMs = view.nowMs - waitingSinceMs;
      if (waitMs < ACKNOWLEDGE_MS) return [];
      return [`sink "${step.id}" has acknowledged nothing for ${Math.floor(waitMs / 1_000)} s`];
    });
    return [...silent, ...behind, ...stuck];
  }
}

function behindOf(id: string, series: readonly SeriesStatus[]): string[] {
  const behind = series.filter(({ isLive }) => !isLive);
  const [first] = behind.toSorted((a, b) => b.lagMs - a.lagMs);
  if (!first) return [];
  const lagS = Math.floor(first.lagMs / 1_000);
  return [
    `source "${id}": ${behind.length} of ${series.length} series are not live; ` +
    `${nameOfSeries(first)} is ${lagS} s behind`,
  ];
}

/** A series in words, such as `BTCUSDT 1m`. */
export function nameOfSeries({ labels }: SeriesStatus): string {
  return Object.values(labels).join(" ");
}
