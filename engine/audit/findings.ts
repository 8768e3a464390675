/**
 * What an audit finds at single points, points that follow each other taken together.
 *
 * @module
 */

/** What is odd about some points of a series. */
export interface Finding {
  /** What is odd, in words. */
  readonly what: string;
  /** The time of the first such point, in epoch milliseconds. */
  readonly fromMs: number;
  /** The time of the last such point. */
  readonly lastMs: number;
  /** How many points of which this was found. */
  readonly points: number;
}

/** Findings of one kind that are told apart: further ones are counted with the last. */
const MOST = 1_000;

interface Run {
  finding: Finding;
  atPoint: number;
  least: number;
}

/** Collects findings. Memory is bounded, however many there are. */
export class Findings {
  readonly #open = new Map<string, Run>();
  readonly #closed = new Map<string, Finding[]>();
  #point = 0;

  /** The next point follows: what is noted from now on is of that one. */
  next(): void {
    this.#point++;
  }

  /**
   * Notes what is odd about the point.
   *
   * @param what In words, the same for the same fault.
   * @param timeMs Its time.
   * @param least Points in a row below which it is nothing.
   */
  note(what: string, timeMs: number, least = 1): void {
    const run = this.#open.get(what);
    if (run && run.atPoint >= this.#point - 1) {
      const { fromMs, points } = run.finding;
      const more = run.atPoint === this.#point ? 0 : 1;
      run.finding = { what, fromMs, lastMs: timeMs, points: points + more };
      run.atPoint = this.#point;
      return;
    }
    if (run) this.#close(run);
    const finding = { what, fromMs: timeMs, lastMs: timeMs, points: 1 };
    this.#open.set(what, { finding, atPoint: this.#point, least });
  }

  /** Ends, and gives all findings in order of time. */
  end(): Finding[] {
    for (const run of this.#open.values()) this.#close(run);
    this.#open.clear();
    return [...this.#closed.values()].flat().sort((a, b) => a.fromMs - b.fromMs);
  }

  #close({ finding, least }: Run): void {
    if (finding.points < least) return;
    const list = this.#closed.get(finding.what) ?? [];
    this.#closed.set(finding.what, list);
    const last = list.at(-1);
    if (!last || list.length < MOST) list.push(finding);
    else {
      list[list.length - 1] = {
        ...finding,
        fromMs: last.fromMs,
        points: last.points + finding.points,
      };
    }
  }
}
