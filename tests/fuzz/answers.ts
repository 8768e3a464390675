/** Targets: answers of servers. */

import fc from "fast-check";
import { FatalError, RetryableError } from "../../engine/errors.ts";
import { valueOf } from "../../sources/_binance/answer.ts";
import { readExchangeInfo } from "../../sources/_binance/exchange_info.ts";
import { WeightBudget } from "../../sources/_binance/weight.ts";
import { json, must, NASTY, onlyThrows, spoiled, text } from "./_cases.ts";
import { defineTarget, type FuzzTarget } from "./target.ts";

const NOW_MS = Date.UTC(2024, 0, 1);
/** The longest ban the exchange knows is three days. */
const LONGEST_WAIT_MS = 3 * 86_400_000;

const body = fc.oneof(
  json().map((value) => JSON.stringify(value)),
  fc.record({ code: json(), msg: json() }, { requiredKeys: ["code"] }).map((value) =>
    JSON.stringify(value)
  ),
  fc.constantFrom(
    "<html><body>403 Forbidden</body></html>",
    '{"code":-1003,"msg":"Way too much; banned until 1704067300000."}',
    '{"code":-1003,"msg":"banned until 9999999999999."}',
    '{"code":-1003,"msg":"banned until 1000000000000."}',
    '{"code":-1121,"msg":"Invalid symbol."}',
  ),
  spoiled(fc.constant('[[1704067200000,"1.0","2.0"]]'), NASTY),
);

const answers = defineTarget({
  name: "answers",
  promise: "An answer is a value, or an error that says what happens next and when",
  cases: 1_500,
  arbitrary: fc.record({
    status: fc.oneof(
      fc.constantFrom(200, 400, 403, 404, 408, 418, 429, 451, 500, 502, 503, 504),
      fc.integer({ min: 200, max: 599 }),
    ),
    retryAfter: fc.option(
      fc.oneof(
        fc.constantFrom(
          "0",
          "1",
          "120",
          "-1",
          "1e9",
          "Wed, 21 Oct 2026 07:28:00 GMT",
          "9".repeat(400),
        ),
        fc.bigInt({ min: 0n, max: 10n ** 30n }).map(String),
      ),
    ),
    type: fc.constantFrom("application/json", "text/html", "text/plain"),
    body,
  }),
  holds({ status, retryAfter, type, body }) {
    const headers = new Headers({ "content-type": type });
    if (retryAfter !== null) headers.set("retry-after", retryAfter);
    const made = onlyThrows(
      [RetryableError, FatalError],
      () => valueOf("read candles", { status, headers, body }, NOW_MS),
    );
    if ("value" in made) {
      must(status === 200, `no value of status ${status}`);
      return;
    }
    const { error } = made;
    if (!(error instanceof RetryableError) || error.retryAfterMs === undefined) return;
    const { retryAfterMs } = error;
    must(
      retryAfterMs > 0 && retryAfterMs <= LONGEST_WAIT_MS,
      `a wait that ends, found ${retryAfterMs} ms`,
    );
  },
});

const limit = fc.record({
  rateLimitType: fc.constantFrom<unknown>("REQUEST_WEIGHT", "RAW_REQUESTS", "ORDERS", 1),
  interval: fc.oneof(fc.constantFrom<unknown>("MINUTE", "SECOND", "DAY", "toString", 1), json()),
  intervalNum: fc.oneof(fc.nat(10), json()),
  limit: fc.oneof(fc.nat(6_000), json()),
}, { requiredKeys: [] });

const symbol = fc.record({
  symbol: fc.oneof(fc.constantFrom("BTCUSDT", "ETHUSDT"), json()),
  status: fc.oneof(fc.constantFrom("TRADING", "BREAK"), json()),
  baseAsset: fc.oneof(fc.constant("BTC"), json()),
  quoteAsset: fc.oneof(fc.constant("USDT"), json()),
}, { requiredKeys: [] });

const exchangeInfo = defineTarget({
  name: "exchange_info",
  promise: "What an exchange says of itself is read, and its limits let requests out in the end",
  cases: 1_000,
  arbitrary: fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        serverTime: json(),
        rateLimits: fc.oneof({ weight: 5, arbitrary: fc.array(limit, { maxLength: 3 }) }, {
          weight: 1,
          arbitrary: json(),
        }),
        symbols: fc.oneof({ weight: 5, arbitrary: fc.array(symbol, { maxLength: 3 }) }, {
          weight: 1,
          arbitrary: json(),
        }),
      }, { requiredKeys: [] }),
    },
    { weight: 1, arbitrary: json() },
  ),
  holds(value) {
    const made = onlyThrows([FatalError], () => readExchangeInfo(value));
    if ("error" in made) return;
    const budget = new WeightBudget();
    budget.setLimits(made.value.limits);
    let nowMs = NOW_MS;
    for (let request = 0; request < 3; request++) {
      const waitMs = budget.take(2, nowMs, 0.5);
      must(waitMs >= 0 && Number.isFinite(waitMs), `a wait that ends, found ${waitMs} ms`);
      nowMs += waitMs;
      if (waitMs > 0) must(budget.take(2, nowMs, 0.5) === 0, "a request once the wait is over");
    }
  },
});

const usedWeight = defineTarget({
  name: "used_weight",
  promise: "Whatever headers tell of the weight that was used, requests go out in the end",
  cases: 500,
  arbitrary: fc.tuple(
    fc.oneof(text().filter((value) => /^[\x21-\x7e]*$/.test(value)), fc.nat(9_000).map(String)),
    fc.integer({ min: 0, max: 120_000 }),
  ),
  holds([told, laterMs]) {
    const budget = new WeightBudget();
    budget.setLimits([{ kind: "weight", windowMs: 60_000, limit: 6_000, header: "x-used" }]);
    budget.take(2, NOW_MS, 0.5);
    budget.learn(2, new Headers({ "x-used": told }), NOW_MS, NOW_MS + laterMs);
    const waitMs = budget.take(2, NOW_MS + laterMs, 0.5);
    must(waitMs >= 0 && waitMs <= 60_000, `a wait of a minute at most, found ${waitMs} ms`);
  },
});

/** All targets of this file. */
export const ANSWERS: readonly FuzzTarget[] = [answers, exchangeInfo, usedWeight];
