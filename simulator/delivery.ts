/**
 * How an event reaches a client when something goes wrong on the way.
 *
 * @module
 */

import type { KlineNews } from "./broadcast.ts";
import type { EventFault } from "./stream_fault_rule.ts";

/** What a message is made of. */
export type Frame = string | Uint8Array<ArrayBuffer>;

/** Where events go, and where they wait. */
export interface Line {
  /** Sends an event. */
  pass(news: KlineNews, dress: Dress): void;
  /** Sends any event of a stream, wrapped where that was asked for. */
  sendEvent(stream: string, json: string): void;
  /** Sends a frame as it is. */
  send(frame: Frame): void;
  /** Runs something later, if the connection is still open then. */
  later(ms: number, run: () => void): void;
  /** Keeps a close until a later candle of its stream has been told of. */
  keepForNext(news: KlineNews): void;
  /** Keeps a close for the next connection. */
  keepForOther(news: KlineNews): void;
}

/** How an event is dressed up. */
export interface Dress {
  /** Added to its time, in milliseconds. */
  readonly skewMs: number;
  /** Whether it has fields that are not documented. */
  readonly extra: boolean;
}

/** An event as it should be. */
export const PLAIN: Dress = { skewMs: 0, extra: false };

/** Sends an event, with all that goes wrong with it. What loses it counts before what bends it. */
export function deliver(news: KlineNews, faults: readonly EventFault[], line: Line): void {
  for (const fault of faults) {
    if (fault.kind === "insert") insert(fault, news, line);
  }
  if (faults.some(({ kind }) => kind === "mute" || kind === "omit")) return;
  if (faults.some(({ kind }) => kind === "hold")) return line.keepForOther(news);
  if (faults.some(({ kind }) => kind === "reorder")) return line.keepForNext(news);
  const dress = {
    skewMs: sum(faults.map((fault) => fault.kind === "skew" ? fault.skew_ms : 0)),
    extra: faults.some(({ kind }) => kind === "extra_fields"),
  };
  const lateMs = sum(faults.map((fault) => fault.kind === "late" ? fault.delay_ms : 0));
  const gaps = faults.flatMap((fault) => fault.kind === "repeat" ? [fault.gap_ms] : []);
  for (const waitMs of [lateMs, ...gaps.map((gapMs) => lateMs + gapMs)]) {
    if (waitMs === 0) line.pass(news, dress);
    else line.later(waitMs, () => line.pass(news, dress));
  }
}

function insert(fault: EventFault & { kind: "insert" }, news: KlineNews, line: Line): void {
  const head = `{"e":"somethingNew","E":${news.atMs},"s":"${news.symbol}"`;
  switch (fault.frame) {
    case "unknown_event":
      return line.sendEvent(news.stream, `${head},"y":[1,null]}`);
    case "large":
      return line.sendEvent(news.stream, `${`${head},"pad":"`.padEnd(fault.bytes - 2, "x")}"}`);
    case "not_json":
      return line.send("<html><body>Bad gateway</body></html>");
    case "binary":
      return line.send(new Uint8Array([0x1f, 0x8b, 0, 255]));
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
