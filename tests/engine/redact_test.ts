import { assertEquals } from "@std/assert";
import { Secret } from "../../engine/options.ts";
import { createRedactor, holdsSecret } from "../../engine/redact.ts";

const redact = createRedactor([new Secret('a"b/c&d é')]);

Deno.test("createRedactor() takes a secret out as it is, in JSON, and in JSON within JSON", () => {
  assertEquals(redact('token a"b/c&d é, again a"b/c&d é'), "token ***, again ***");
  assertEquals(redact('{"token":"a\\"b/c&d é"}'), '{"token":"***"}');
  assertEquals(
    redact('{"text":"{\\"token\\":\\"a\\\\\\"b/c&d é\\"}"}'),
    '{"text":"{\\"token\\":\\"***\\"}"}',
  );
});

Deno.test("createRedactor() takes a secret out of addresses and forms", () => {
  assertEquals(redact("http://host/?t=a%22b%2Fc%26d%20%C3%A9"), "http://host/?t=***");
  assertEquals(redact("t=a%22b%2Fc%26d+%C3%A9&u=1"), "t=***&u=1");
});

Deno.test("createRedactor() takes a secret out of base64 wherever it begins, and out of hex", () => {
  const secret = createRedactor([new Secret("hunter2hunter2")]);
  // "hunter2hunter2" after no byte, one byte and two: the bytes around it stay.
  assertEquals(secret("aHVudGVyMmh1bnRlcjI="), "***I=");
  assertEquals(secret("eGh1bnRlcjJodW50ZXIy"), "eG***");
  assertEquals(secret("eHhodW50ZXIyaHVudGVyMg=="), "eHh***g==");
  assertEquals(secret("68756e7465723268756e74657232"), "***");
  assertEquals(secret("68756E7465723268756E74657232"), "***");
});

Deno.test("createRedactor() takes out the longest of two secrets that begin alike", () => {
  const both = createRedactor([new Secret("hunter"), new Secret("hunter-long")]);
  assertEquals(both("hunter-long and hunter"), "*** and ***");
});

Deno.test("createRedactor() takes each line of a secret of several lines, however they are joined", () => {
  const key = createRedactor([new Secret("-----BEGIN-----\nabcdefgh12\nend")]);
  assertEquals(key("got -----BEGIN----- abcdefgh12 end"), "got ***");
  assertEquals(key("line abcdefgh12 alone, end of it"), "line *** alone, end of it");
});

Deno.test("createRedactor() leaves alone what is too short or unset, and takes logins out of addresses", () => {
  const none = createRedactor([new Secret("abc"), new Secret("[unset]")]);
  assertEquals(none("abc [unset]"), "abc [unset]");
  assertEquals(
    none("redis://:pass@host:1/a http://me:pw@h http://host:80/@x"),
    "redis://***@host:1/a http://***@h http://host:80/@x",
  );
});

Deno.test("holdsSecret() looks for secrets of 8 characters or more, in every form", () => {
  const secrets = [new Secret("hunter2-hunter2"), new Secret("short")];
  assertEquals(holdsSecret('{"a":"hunter2-hunter2"}', secrets), true);
  assertEquals(holdsSecret("aHVudGVyMi1odW50ZXIy", secrets), true);
  assertEquals(holdsSecret('{"a":"short"}', secrets), false);
});
