import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import {
  describeError,
  FatalError,
  isDenied,
  OptionsError,
  PenstockError,
  RecordError,
  RetryableError,
} from "../../engine/errors.ts";

Deno.test("every penstock error is a PenstockError with its own name, message and hint", () => {
  for (
    const [ErrorClass, name] of [
      [OptionsError, "OptionsError"],
      [RetryableError, "RetryableError"],
      [RecordError, "RecordError"],
      [FatalError, "FatalError"],
    ] as const
  ) {
    const error = new ErrorClass("It failed", { hint: "Mend it" });
    assertInstanceOf(error, PenstockError);
    assertInstanceOf(error, Error);
    assertEquals([error.name, error.message, error.hint], [name, "It failed", "Mend it"]);
    assertEquals(String(error), `${name}: It failed`);
  }
});

Deno.test("PenstockError has a cause only where it was given one", () => {
  const cause = new TypeError("x is undefined");
  assertEquals(new FatalError("It failed", { cause }).cause, cause);
  assertEquals("cause" in new FatalError("It failed"), false);
  assertEquals("cause" in new FatalError("It failed", { cause: undefined }), false);
  assertEquals(new FatalError("It failed").hint, undefined);
});

Deno.test("RetryableError carries the time the other side asks for, zero included", () => {
  assertEquals(new RetryableError("busy", { retryAfterMs: 1_500 }).retryAfterMs, 1_500);
  assertEquals(new RetryableError("busy", { retryAfterMs: 0 }).retryAfterMs, 0);
  assertEquals(new RetryableError("busy").retryAfterMs, undefined);
});

Deno.test("the classes are told apart by instanceof", () => {
  const error: PenstockError = new RetryableError("busy");
  assert(!(error instanceof FatalError));
  assert(!(error instanceof RecordError));
});

Deno.test("describeError() joins the messages of all causes, outermost first", () => {
  const error = new FatalError("Cannot save", {
    cause: new Error("write failed", { cause: new Error("disk full") }),
  });
  assertEquals(describeError(error), "Cannot save: write failed: disk full");
});

Deno.test("describeError() does not repeat a cause that the message already ends in", () => {
  const cause = new Error("write failed", { cause: new Error("disk full") });
  const error = new FatalError(`Cannot save: ${describeError(cause)}`, { cause });
  assertEquals(describeError(error), "Cannot save: write failed: disk full");
});

Deno.test("describeError() keeps a cause whose text is only somewhere in the message", () => {
  const error = new Error("cannot read 7 lines", { cause: new Error("7") });
  assertEquals(describeError(error), "cannot read 7 lines: 7");
});

Deno.test("describeError() names an error without a message", () => {
  assertEquals(describeError(new TypeError()), "TypeError");
  assertEquals(describeError(new Error("a", { cause: new RangeError() })), "a: RangeError");
});

Deno.test("describeError() gives one line whatever the messages hold", () => {
  const error = new Error("bad gateway\r\n  <html>\n", { cause: new Error("\nreset\nby peer") });
  assertEquals(describeError(error), "bad gateway <html>: reset by peer");
});

Deno.test("describeError() describes whatever else may be thrown", () => {
  assertEquals(describeError("text"), "text");
  assertEquals(describeError(undefined), "undefined");
  assertEquals(describeError(null), "null");
  assertEquals(describeError(7), "7");
  assertEquals(describeError(Symbol("s")), "Symbol(s)");
  assertEquals(describeError(new Error("a", { cause: "b" })), "a: b");
  assertEquals(describeError(new DOMException("Stopped", "AbortError")), "Stopped");
  assertEquals(describeError(JSON.parse('{"toString":1}')), "an object");
});

Deno.test("describeError() ends although errors are each other's cause", () => {
  const a = new Error("a");
  const b = new Error("b", { cause: a });
  a.cause = b;
  assertEquals(describeError(a), "a: b");
  assertEquals(describeError(b), "b: a");
});

Deno.test("describeError() says what was denied in our words, also of code that would be fetched", () => {
  const advice = ", run again with the --allow-read flag";
  const denied = new Deno.errors.NotCapable(`Requires read access to "/etc/a, b"${advice}`);
  assertEquals(
    describeError(new FatalError("It failed", { cause: denied })),
    'It failed: its permissions must name read access to "/etc/a, b": they do not',
  );
  const unfetched =
    'Specifier not found in cache: "https://a.test/x.ts", --cached-only is specified.';
  assertEquals(
    describeError(new TypeError(unfetched)),
    'no code is fetched here: "https://a.test/x.ts" is not on this machine',
  );
});

Deno.test("isDenied() finds what was denied among the causes, also in a circle of them", () => {
  const denied = new Deno.errors.NotCapable("Requires net access");
  assertEquals(isDenied(new RetryableError("It failed", { cause: denied })), true);
  assertEquals(isDenied(new RetryableError("It failed")), false);
  const circle = new Error("a");
  circle.cause = circle;
  assertEquals(isDenied(circle), false);
});
