import { assertEquals, assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import { describeError, FatalError, RetryableError } from "../../../engine/errors.ts";
import { type RawAnswer, RefusedError, valueOf } from "../../../sources/_binance/answer.ts";

const NOW_MS = Date.UTC(2024, 0, 1);

function given(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): RawAnswer {
  return {
    status,
    body,
    headers: new Headers({ "content-type": "application/json", ...headers }),
  };
}

function errorOf(answer: RawAnswer): unknown {
  try {
    valueOf("read candles of BTCUSDT", answer, NOW_MS);
  } catch (error) {
    return error;
  }
  throw new Error("It must throw");
}

function retryOf(answer: RawAnswer): number | undefined {
  const error = errorOf(answer);
  assertInstanceOf(error, RetryableError);
  return error.retryAfterMs;
}

const PAGE = "<html><body>Request blocked</body></html>";

Deno.test("valueOf() gives the parsed JSON of a right answer", () => {
  assertEquals(valueOf("read", given(200, '[[1,"2"]]'), NOW_MS), [[1, "2"]]);
});

Deno.test("valueOf() asks to wait for the seconds of Retry-After on a 429", () => {
  assertEquals(retryOf(given(429, "{}", { "retry-after": "17" })), 17_000);
});

Deno.test("valueOf() asks to wait a minute on a 429 without Retry-After", () => {
  assertEquals(retryOf(given(429, PAGE, { "content-type": "text/html" })), 60_000);
  assertEquals(retryOf(given(429, "{}", { "retry-after": "soon" })), 60_000);
});

Deno.test("valueOf() names the ban and its length on a 418", () => {
  const error = errorOf(given(418, "{}", { "retry-after": "300" }));
  assertInstanceOf(error, RetryableError);
  assertEquals(error.retryAfterMs, 300_000);
  assertStringIncludes(error.message, "banned this address for 300 s (418)");
});

Deno.test("valueOf() reads the end of a ban from the text where there is no Retry-After", () => {
  const body = `{"code":-1003,"msg":"Way too much; IP banned until ${NOW_MS + 240_000}. Please"}`;
  assertEquals(retryOf(given(418, body)), 240_000);
  assertEquals(retryOf(given(418, `{"code":-1003,"msg":"banned"}`)), 120_000);
});

Deno.test("valueOf() waits 30 s at least on a 403, which may stand for a limit", () => {
  assertEquals(retryOf(given(403, PAGE, { "content-type": "text/html" })), 30_000);
  assertEquals(retryOf(given(403, `{"code":0,"msg":"no"}`)), 30_000);
});

Deno.test("valueOf() waits 30 s at least on a page, whatever its status and type say", () => {
  assertEquals(retryOf(given(503, PAGE, { "content-type": "text/html" })), 30_000);
  assertEquals(retryOf(given(200, PAGE)), 30_000);
  assertEquals(retryOf(given(503, PAGE, { "retry-after": "90" })), 90_000);
});

Deno.test("valueOf() takes a page with another status for a wrong address", () => {
  const error = errorOf(given(404, PAGE, { "content-type": "text/html" }));
  assertInstanceOf(error, FatalError);
  assertStringIncludes(error.hint ?? "", "base_url");
});

Deno.test("valueOf() names the other hosts on a 451, and does not ask again", () => {
  const error = errorOf(given(451, `{"code":0,"msg":"Service unavailable from a restricted"}`));
  assertInstanceOf(error, FatalError);
  assertStringIncludes(error.message, "does not serve the country");
  assertStringIncludes(error.hint ?? "", "https://data-api.binance.vision");
});

for (const code of [-1000, -1001, -1006, -1007, -1008]) {
  Deno.test(`valueOf() asks again on ${code}, a fault of the exchange`, () => {
    assertEquals(retryOf(given(400, `{"code":${code},"msg":"Internal"}`)), undefined);
  });
}

for (const code of [-1100, -1101, -1102, -1104, -1120, -1121, -1130]) {
  Deno.test(`valueOf() does not ask again on ${code}, and gives the exchange's words`, () => {
    const error = errorOf(given(400, `{"code":${code},"msg":"Its own words."}`));
    assertInstanceOf(error, RefusedError);
    assertEquals(error.code, code);
    assertEquals(
      error.message,
      `Cannot read candles of BTCUSDT: the exchange refuses it (${code}: Its own words.)`,
    );
  });
}

Deno.test("valueOf() treats -1003 as a limit whatever the status", () => {
  assertEquals(retryOf(given(400, `{"code":-1003,"msg":"Too many requests"}`)), 60_000);
});

Deno.test("valueOf() asks again on any 5xx", () => {
  assertEquals(retryOf(given(500, "")), undefined);
  assertEquals(retryOf(given(502, "Bad gateway")), undefined);
  assertEquals(retryOf(given(504, `{"code":-1,"msg":"unheard of"}`)), undefined);
  assertEquals(retryOf(given(503, "", { "retry-after": "5" })), 5_000);
});

Deno.test("valueOf() takes a refusal with status 200 for a refusal", () => {
  assertInstanceOf(errorOf(given(200, `{"code":-1121,"msg":"Invalid symbol."}`)), RefusedError);
});

Deno.test("valueOf() asks again when JSON breaks off, and does not quote it", () => {
  const error = errorOf(given(200, `[[1514764800000,"13715.65`));
  assertInstanceOf(error, RetryableError);
  assertEquals(
    describeError(error),
    "The answer must be whole JSON: it breaks off or is broken (25 characters)",
  );
});

Deno.test("valueOf() asks again on an empty body", () => {
  assertEquals(retryOf(given(200, "")), undefined);
});

Deno.test("valueOf() takes a redirect or a 404 for a wrong address", () => {
  assertThrows(
    () => valueOf("read candles", given(301, ""), NOW_MS),
    FatalError,
    "must answer with status 200: it was 301",
  );
  assertThrows(() => valueOf("read candles", given(404, ""), NOW_MS), FatalError, "404");
});

Deno.test("valueOf() gives no more of the exchange's words than fit in a line", () => {
  const error = errorOf(given(400, JSON.stringify({ code: -1100, msg: "x".repeat(5_000) })));
  assertInstanceOf(error, RefusedError);
  assertEquals(error.message.length < 300, true);
});

Deno.test("valueOf() believes in no wait beyond the longest ban, three days", () => {
  assertEquals(retryOf(given(429, "{}", { "retry-after": "9".repeat(400) })), 259_200_000);
  const body = '{"code":-1003,"msg":"banned until 9999999999999."}';
  assertEquals(retryOf(given(418, body)), 259_200_000);
});

Deno.test("valueOf() quotes the exchange on one line", () => {
  const { message } = errorOf(given(400, '{"code":-9,"msg":"No\\r\\n\\u001b[2Jway"}')) as Error;
  assertEquals(message, "Cannot read candles of BTCUSDT: the exchange refuses it (-9: No [2Jway)");
});
