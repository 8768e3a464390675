import { assertEquals } from "@std/assert";
import { parseTold } from "../../../cli/confine/claims.ts";

const CLAIM = { plugin: "./a.ts", net: [], read: [], write: [], env: [] };
const told = (claim: object) => JSON.stringify({ name: "btc", claims: [{ ...CLAIM, ...claim }] });

Deno.test("parseTold() takes claims that are exact", () => {
  const claim = { net: ["a.test:443", "[::1]:80"], read: ["/a b"], write: ["/c"], env: ["HOME"] };
  assertEquals(parseTold(told(claim)), { name: "btc", claims: [{ ...CLAIM, ...claim }] });
  assertEquals(parseTold('{"missing":["env:A"]}'), { missing: ["env:A"] });
});

Deno.test("parseTold() takes nothing that could be more than it looks", () => {
  for (
    const text of [
      "",
      "null",
      "{}",
      told({ net: ["*.test:443"] }),
      told({ net: ["a.test"] }),
      told({ net: ["a.test:1,b.test:2"] }),
      told({ read: ["relative"] }),
      told({ read: ["/a,/b"] }),
      told({ write: ["/a\n+ read /b"] }),
      told({ env: ["A,B"] }),
      told({ env: ["*"] }),
      told({ run: ["sh"] }),
      told({ plugin: "./a.ts\u001b[2K" }),
      JSON.stringify({ name: "../../etc", claims: [] }),
      '{"missing":["run:sh"]}',
      '{"missing":[]}',
    ]
  ) assertEquals(parseTold(text), undefined, text);
});
