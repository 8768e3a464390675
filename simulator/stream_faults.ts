/**
 * Faults of streams: which handshake, connection or event is hit by which.
 *
 * @module
 */

import { resolveTime, type Time } from "../engine/time.ts";
import type { KlineNews } from "./broadcast.ts";
import type {
  ConnectionFault,
  EventFault,
  HandshakeFault,
  StreamFaultRule,
} from "./stream_fault_rule.ts";

/** More closes than are kept back for a connection to come; the oldest are lost first. */
const KEPT_CLOSES = 64;

interface Counted<Rule extends StreamFaultRule> {
  readonly rule: Rule;
  readonly fromMs: number;
  readonly toMs: number;
  seen: number;
}

interface HeldClose {
  readonly connection: number;
  readonly news: KlineNews;
}

/** The faults of a scenario, and how often each was due. */
export class StreamFaults {
  readonly #handshakes: readonly Counted<HandshakeFault>[];
  readonly #connections: readonly Counted<ConnectionFault>[];
  readonly #events: readonly Counted<EventFault>[];
  readonly #held = new Map<string, HeldClose[]>();

  /** Starts with nothing seen; spans such as `1 hour ago` count back from `startMs`. */
  constructor(rules: readonly StreamFaultRule[], startMs: number) {
    const at = (time: Time | undefined, otherwise: number) =>
      time === undefined ? otherwise : resolveTime(time, startMs);
    const counted = <Rule extends StreamFaultRule>(rule: Rule): Counted<Rule> => {
      // A fault of connections has a moment, any other one a time.
      const { from, to } = isConnectionFault(rule) ? { from: rule.at, to: undefined } : rule;
      return { rule, fromMs: at(from, -Infinity), toMs: at(to, Infinity), seen: 0 };
    };
    this.#handshakes = rules.filter(isHandshakeFault).map(counted);
    this.#connections = rules.filter(isConnectionFault).map(counted);
    this.#events = rules.filter(isEventFault).map(counted);
  }

  /** Counts a handshake for every rule it matches, and gives the first that is due. */
  handshake(nowMs: number): HandshakeFault | undefined {
    return this.#handshakes.filter((one) => isWithin(one, nowMs) && isDue(one))[0]?.rule;
  }

  /**
   * What will happen to a connection, and when, if it is still open then.
   *
   * @param number Its number.
   * @param openedMs When it was opened, in epoch milliseconds.
   */
  ahead(number: number, openedMs: number): { atMs: number; strike: () => ConnectionFault[] }[] {
    return this.#connections.filter(({ rule }) => concerns(rule, number))
      .map((one) => ({
        atMs: one.rule.at === undefined ? openedMs + (one.rule.age_ms ?? 0) : one.fromMs,
        strike: () => isDue(one) ? [one.rule] : [],
      }))
      .filter(({ atMs }) => atMs >= openedMs);
  }

  /** Counts an event for every rule it matches, and gives all that are due. */
  due(news: KlineNews, connection: number): EventFault[] {
    if (this.#events.length === 0) return NONE;
    return this.#events.filter((one) =>
      isWithin(one, news.atMs) && concerns(one.rule, connection) && matches(one.rule, news) &&
      isDue(one)
    ).map(({ rule }) => rule);
  }

  /** Keeps a close back for the next connection that opens its stream. */
  hold(news: KlineNews, connection: number): void {
    const held = [...this.#held.get(news.stream) ?? [], { news, connection }];
    this.#held.set(news.stream, held.slice(-KEPT_CLOSES));
  }

  /** Gives up the closes of a stream that were kept back for a connection after another. */
  release(stream: string, connection: number): KlineNews[] {
    const held = this.#held.get(stream);
    if (!held) return NONE;
    const kept = held.filter((one) => one.connection >= connection);
    if (kept.length > 0) this.#held.set(stream, kept);
    else this.#held.delete(stream);
    return held.filter((one) => !kept.includes(one)).map(({ news }) => news);
  }
}

const NONE: never[] = [];

function isHandshakeFault(rule: StreamFaultRule): rule is HandshakeFault {
  return rule.kind === "refuse" || rule.kind === "slow_handshake";
}

function isConnectionFault(rule: StreamFaultRule): rule is ConnectionFault {
  return rule.kind === "cut" || rule.kind === "close" || rule.kind === "half_open" ||
    rule.kind === "shutdown";
}

function isEventFault(rule: StreamFaultRule): rule is EventFault {
  return !isHandshakeFault(rule) && !isConnectionFault(rule);
}

function isWithin(counted: Counted<StreamFaultRule>, nowMs: number): boolean {
  return nowMs >= counted.fromMs && nowMs < counted.toMs;
}

/** Counts once more. */
function isDue(counted: Counted<StreamFaultRule>): boolean {
  const { after, times } = counted.rule;
  counted.seen++;
  return counted.seen > after && (times === "always" || counted.seen <= after + times);
}

function concerns(rule: ConnectionFault | EventFault, number: number): boolean {
  return (rule.connection === undefined || rule.connection === number) &&
    (rule.connection_from === undefined || number >= rule.connection_from);
}

function matches(rule: EventFault, news: KlineNews): boolean {
  const closedOnly = rule.kind === "reorder" || rule.kind === "hold" ||
    ("events" in rule && rule.events === "closed");
  return (rule.symbol === undefined || rule.symbol === news.symbol) &&
    (rule.interval === undefined || rule.interval === news.interval) &&
    (!closedOnly || news.state.closed);
}
