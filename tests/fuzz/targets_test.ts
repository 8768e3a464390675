import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { runBlock } from "./block.ts";
import { defineTarget, describeFailure } from "./target.ts";
import { TARGETS } from "./targets.ts";

/** Always the same cases: what fails here fails for everyone. */
const SEED = 20_240_101;

for (const target of TARGETS) {
  Deno.test(`fuzz ${target.name}: ${target.promise}`, async () => {
    const { cases, failure } = await target.run({ seed: SEED, cases: target.cases });
    assert(failure === undefined, failure && describeFailure(failure));
    assertEquals(cases, target.cases);
  });
}

Deno.test("targets have names of their own", () => {
  assertEquals(new Set(TARGETS.map(({ name }) => name)).size, TARGETS.length);
});

const wrong = defineTarget({
  name: "wrong",
  promise: "No number is above 99",
  cases: 1_000,
  arbitrary: fc.nat(1_000),
  holds(number) {
    if (number > 99) throw new RangeError("It is too large");
  },
});

Deno.test("a promise that is broken is found, made small, and can be run again by its path", async () => {
  const { failure } = await wrong.run({ seed: 7, cases: 1_000 });
  assert(failure !== undefined);
  assertEquals(failure.example, "100");
  assertStringIncludes(
    describeFailure(failure),
    `deno task fuzz --target wrong --seed 7 --path ${failure.path}`,
  );
  const again = await wrong.run({ seed: failure.seed, cases: 1, path: failure.path });
  assertEquals(again.failure?.example, "100");
});

Deno.test("a block that does not end is a failure, with the seed that hangs", async () => {
  const hanging = { onmessage: null, onerror: null, postMessage: () => {} };
  const { failure } = await runBlock(hanging, { target: "wrong", seed: 7, cases: 50 }, 1);
  assertStringIncludes(failure?.reason ?? "", "one of 50 cases of this seed did not end");
  assertEquals(failure?.seed, 7);
});
