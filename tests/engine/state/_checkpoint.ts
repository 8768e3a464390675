/** A checkpoint of a pipeline of one step of each kind. */

import type { Checkpoint } from "../../../engine/checkpoint/body.ts";
import { emptyStep } from "../../../engine/run/ledger.ts";

export const OPEN_MS = Date.UTC(2024, 0, 1);
const HOUR_MS = 3_600_000;

export function checkpointOf(): Checkpoint {
  return {
    pipeline: "btc",
    epoch: 1_234,
    steps: [],
    positions: {
      feed: {
        "BTCUSDT@1h": { from: OPEN_MS, after: OPEN_MS + 9 * HOUR_MS },
        "BTCUSDT@1m": { from: OPEN_MS },
        "ETHUSDT@1h": { from: OPEN_MS, after: OPEN_MS + 7 * HOUR_MS },
      },
    },
    states: {
      candles: {},
      rsi: {
        "kline?interval=1h&symbol=BTCUSDT": { last: { t: OPEN_MS, n: 15, gain: 0.1 + 0.2 } },
        "kline?interval=1h&symbol=ETHUSDT": { last: null },
      },
    },
    tokens: { file: { part: "", bytes: 4_321 } },
    deadLetterToken: { part: "", bytes: 99 },
    refusals: {},
    counters: { feed: { holes: 1, missing_candles: 12_000 } },
    replayed: { "rejected.jsonl": 1 },
    ledger: {
      sources: { feed: { ...emptyStep(), out: 5_000 } },
      transforms: {
        candles: { ...emptyStep(), in: 5_001, replayed: 1, out: 4_999, rejected: 2 },
        rsi: { ...emptyStep(), in: 4_999, out: 4_999 },
      },
      sinks: { file: { ...emptyStep(), in: 4_999, out: 4_999 } },
      deadLetter: { ...emptyStep(), in: 2, out: 2 },
      dropped: 0,
    },
  };
}
