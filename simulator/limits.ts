/**
 * Request weight, refusals and bans.
 *
 * @module
 */

const MINUTE_MS = 60_000;
const LONGEST_BAN_S = 259_200;

/** What a client may do, and what happens when it does more. */
export interface Limits {
  /** Request weight in a clock minute. */
  readonly weightPerMinute: number;
  /** Requests in five clock minutes. */
  readonly requestsPer5Minutes: number;
  /** Weight that others need in each clock minute. */
  readonly othersPerMinute: number;
  /** How many requests in spite of a 429 lead to a ban. */
  readonly banAfter: number;
  /** Length of the first ban; each further one is four times as long. */
  readonly banS: number;
}

/** Why a request is refused, and until when. */
export interface Refusal {
  /** 429 asks to stop, 418 follows when the client does not. */
  readonly status: 429 | 418;
  /** First moment at which requests are answered again, in epoch milliseconds. */
  readonly untilMs: number;
}

/** Counts what a client uses and refuses what is too much. */
export class Limiter {
  readonly #limits: Limits;
  #minute = NaN;
  #weight = 0;
  #requests = 0;
  #refusal: Refusal | undefined;
  #ignored = 0;
  #bans = 0;
  #peakWeight = 0;

  /** Starts with nothing used. */
  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Weight used in the current minute, as the headers tell it. */
  get usedWeight(): number {
    return this.#weight;
  }

  /** The most weight that was used in one minute, that of others included. */
  get peakWeight(): number {
    return this.#peakWeight;
  }

  /** How often the client was banned. */
  get bans(): number {
    return this.#bans;
  }

  /**
   * Counts a request.
   *
   * @param weight Its weight.
   * @param nowMs The moment, in epoch milliseconds.
   * @returns Why it is refused, or nothing when it may go on.
   */
  use(weight: number, nowMs: number): Refusal | undefined {
    this.#turnMinute(nowMs);
    this.#weight += weight;
    this.#requests++;
    this.#peakWeight = Math.max(this.#peakWeight, this.#weight);
    if (this.#refusal && this.#refusal.untilMs > nowMs) return this.#refuseAgain(nowMs);
    this.#refusal = undefined;
    if (this.#weight > this.#limits.weightPerMinute) {
      return this.refuse(429, nextMultiple(nowMs, MINUTE_MS));
    }
    if (this.#requests > this.#limits.requestsPer5Minutes) {
      return this.refuse(429, nextMultiple(nowMs, 5 * MINUTE_MS));
    }
  }

  /** Refuses all requests up to a moment. */
  refuse(status: 429 | 418, untilMs: number): Refusal {
    if (status === 418) this.#bans++;
    this.#ignored = 0;
    this.#refusal = { status, untilMs };
    return this.#refusal;
  }

  #refuseAgain(nowMs: number): Refusal | undefined {
    if (this.#refusal?.status !== 429) return this.#refusal;
    this.#ignored++;
    if (this.#ignored < this.#limits.banAfter) return this.#refusal;
    const lengthS = Math.min(LONGEST_BAN_S, this.#limits.banS * 4 ** this.#bans);
    return this.refuse(418, nowMs + 1_000 * lengthS);
  }

  #turnMinute(nowMs: number): void {
    const minute = Math.floor(nowMs / MINUTE_MS);
    if (minute === this.#minute) return;
    if (Math.floor(minute / 5) !== Math.floor(this.#minute / 5)) this.#requests = 0;
    this.#minute = minute;
    this.#weight = this.#limits.othersPerMinute;
  }
}

function nextMultiple(ms: number, step: number): number {
  return (Math.floor(ms / step) + 1) * step;
}
