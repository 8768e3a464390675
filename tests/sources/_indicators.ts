/** `kline` and `rsi` behind a reading, with their states kept as the engine keeps them. */

import { type RunningTransform, startTransform } from "../../engine/run/chain.ts";
import type { Json } from "../../engine/context.ts";
import { emptyStep } from "../../engine/run/ledger.ts";
import type { Point, RawCandle } from "../../engine/point.ts";
import { kline } from "../../transforms/kline.ts";
import { rsi } from "../../transforms/rsi.ts";
import { step } from "../engine/_fakes.ts";

/** The two transforms, of one process after the other. */
export class Indicators {
  #transforms: readonly RunningTransform[] = start([{}, {}]);

  /** The points of records. */
  run(records: readonly RawCandle[]): readonly Point[] {
    let on: readonly unknown[] = records;
    for (const transform of this.#transforms) on = transform.run(on);
    return on as readonly Point[];
  }

  /** Dies, and begins with what a checkpoint has kept. */
  resume(): void {
    this.#transforms = start(
      this.#transforms.map((transform) => JSON.parse(JSON.stringify(transform.states()))),
    );
  }
}

function start(states: readonly Readonly<Record<string, Json>>[]): readonly RunningTransform[] {
  return [step(kline), step(rsi)].map((one, at) =>
    startTransform(one, emptyStep(), states[at] ?? {}, ({ error }) => {
      throw error;
    })
  );
}

/** A point in words, to compare it: time and fields, decimals as their digits. */
export function pointText({ timeMs, fields }: Point): string {
  const texts = Object.entries(fields).map(([name, value]) => `${name}=${String(value)}`);
  return `${new Date(timeMs).toISOString()} ${texts.join(" ")}`;
}
