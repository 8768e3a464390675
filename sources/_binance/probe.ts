/**
 * Trying whether an exchange could be read: for `check --probe`.
 *
 * @module
 */

import { hostOf } from "../../engine/address.ts";
import type { Context } from "../../engine/context.ts";
import { BinanceClient } from "./client.ts";
import { lookUpSymbols } from "./exchange_info.ts";

/** What is tried. */
export interface ProbeOptions {
  /** Where the exchange is. */
  readonly baseUrl: string;
  /** What must trade there. */
  readonly symbols: readonly string[];
  /** What may be used of its limits. */
  readonly weightShare: number;
}

/**
 * Looks the symbols up, in one attempt.
 *
 * @returns What was found, in words.
 * @throws {OptionsError} If the exchange does not know some of them.
 * @throws {PenstockError} If it cannot be asked.
 */
export async function probeExchange(
  { baseUrl, symbols, weightShare }: ProbeOptions,
  context: Context,
): Promise<string> {
  const client = new BinanceClient({ baseUrl, weightShare, context });
  const once: Pick<Context, "retry" | "log" | "now"> = {
    now: () => context.now(),
    log: context.log,
    retry: (_action, attempt) => attempt(),
  };
  const infos = await lookUpSymbols(client, symbols, once, context.signal);
  return `${hostOf(baseUrl)} knows ${infos.map(({ symbol }) => symbol).join(", ")}`;
}
