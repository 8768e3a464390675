import { assertEquals } from "@std/assert";
import { ask, askError, simulate } from "./_ask.ts";

const KLINES = "/api/v3/klines";
const INFO = "/api/v3/exchangeInfo";
const UNREAD = "Not all sent parameters were read; read '2' parameter(s) but was sent '3'.";

/** What is asked for, and the code and message it is refused with. */
const REFUSED: readonly (readonly [name: string, request: string, code: number, msg: string])[] = [
  [
    "no symbol",
    `${KLINES}?interval=1m`,
    -1102,
    "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.",
  ],
  [
    "no interval",
    `${KLINES}?symbol=BTCUSDT`,
    -1102,
    "Mandatory parameter 'interval' was not sent, was empty/null, or malformed.",
  ],
  ["an unknown symbol", `${KLINES}?symbol=NOSUCH&interval=1m`, -1121, "Invalid symbol."],
  [
    "a symbol in lower case",
    `${KLINES}?symbol=btcusdt&interval=1m`,
    -1100,
    "Illegal characters found in parameter 'symbol'; legal range is '^[\\w\\-._&&[^a-z]]{1,50}$'.",
  ],
  [
    "a symbol with a slash",
    `${KLINES}?symbol=BTC/USDT&interval=1m`,
    -1100,
    "Illegal characters found in parameter 'symbol'; legal range is '^[\\w\\-._&&[^a-z]]{1,50}$'.",
  ],
  ["an unknown interval", `${KLINES}?symbol=BTCUSDT&interval=7m`, -1120, "Invalid interval."],
  [
    "an interval in the wrong case",
    `${KLINES}?symbol=BTCUSDT&interval=1H`,
    -1120,
    "Invalid interval.",
  ],
  ["a parameter too many", `${KLINES}?symbol=BTCUSDT&interval=1m&_=1`, -1104, UNREAD],
  [
    "a parameter in the wrong case",
    `${KLINES}?symbol=BTCUSDT&interval=1m&starttime=1`,
    -1104,
    UNREAD,
  ],
  [
    "a parameter twice",
    `${KLINES}?symbol=BTCUSDT&interval=1m&interval=1m`,
    -1101,
    "Duplicate values for a parameter detected.",
  ],
  [
    "an empty parameter",
    `${KLINES}?symbol=BTCUSDT&interval=1m&startTime=`,
    -1105,
    "Parameter 'startTime' was empty.",
  ],
  [
    "the word undefined for a bound",
    `${KLINES}?symbol=BTCUSDT&interval=1m&endTime=undefined`,
    -1100,
    "Illegal characters found in parameter 'endTime'; legal range is '^[0-9]{1,20}$'.",
  ],
  [
    "a negative limit",
    `${KLINES}?symbol=BTCUSDT&interval=1m&limit=-5`,
    -1100,
    "Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'.",
  ],
  [
    "a limit of nothing",
    `${KLINES}?symbol=BTCUSDT&interval=1m&limit=0`,
    -1130,
    "Data sent for parameter 'limit' is not valid.",
  ],
  [
    "a time zone beyond the last",
    `${KLINES}?symbol=BTCUSDT&interval=1m&timeZone=15`,
    -1130,
    "Data sent for parameter 'timeZone' is not valid.",
  ],
  ["an unknown symbol in exchangeInfo", `${INFO}?symbol=NOSUCH`, -1121, "Invalid symbol."],
  [
    "one unknown symbol among known ones",
    `${INFO}?symbols=["BTCUSDT","NOSUCH"]`,
    -1121,
    "Invalid symbol.",
  ],
  [
    "symbols that are no list",
    `${INFO}?symbols=["BTCUSDT"`,
    -1130,
    "Data sent for parameter 'symbols' is not valid.",
  ],
  [
    "symbol and symbols at once",
    `${INFO}?symbol=BTCUSDT&symbols=["ETHUSDT"]`,
    -1128,
    "Combination of optional parameters invalid.",
  ],
  [
    "symbol and status at once",
    `${INFO}?symbol=BTCUSDT&symbolStatus=TRADING`,
    -1128,
    "Combination of optional parameters invalid.",
  ],
  [
    "a flag that is neither true nor false",
    `${INFO}?showPermissionSets=no`,
    -1130,
    "Data sent for parameter 'showPermissionSets' is not valid.",
  ],
  [
    "a parameter for an endpoint without any",
    "/api/v3/time?x=1",
    -1104,
    "Not all sent parameters were read; read '0' parameter(s) but was sent '1'.",
  ],
];

for (const [name, request, code, msg] of REFUSED) {
  Deno.test(`the simulator refuses ${name} with 400 and ${code}`, async () => {
    assertEquals(await askError(simulate().simulator, request), [400, code, msg]);
  });
}

Deno.test("the simulator takes a refused request for as heavy as an answered one", async () => {
  const response = await ask(simulate().simulator, `${KLINES}?symbol=NOSUCH&interval=1m`);
  assertEquals(response.headers.get("x-mbx-used-weight-1m"), "2");
});

Deno.test("the simulator answers 404 where there is no endpoint", async () => {
  const response = await ask(simulate().simulator, "/api/v1/klines?symbol=BTCUSDT&interval=1m");
  assertEquals(response.status, 404);
});
