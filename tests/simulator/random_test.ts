import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { hash, hashText, Random } from "../../simulator/random.ts";

Deno.test("hash() stays within 32 bits and spreads evenly", () => {
  let sum = 0;
  for (let index = 0; index < 10_000; index++) {
    const value = hash(7, index);
    assert(Number.isInteger(value) && value >= 0 && value < 2 ** 32);
    sum += value / 2 ** 32;
  }
  assert(Math.abs(sum / 10_000 - 0.5) < 0.01);
});

Deno.test("hash() tells seeds and numbers apart", () => {
  const values = new Set<number>();
  for (let seed = 0; seed < 100; seed++) {
    for (let index = 0; index < 100; index++) values.add(hash(seed, index));
  }
  assertEquals(values.size, 10_000);
});

Deno.test("hashText() tells texts apart by their letters and their order", () => {
  assertEquals(hashText("1m"), hashText("1m"));
  assertNotEquals(hashText("1m"), hashText("1M"));
  assertNotEquals(hashText("ETHBTC"), hashText("BTCETH"));
});

Deno.test("Random gives the same sequence for the same seed, within 0 and 1", () => {
  const [one, other] = [new Random(3), new Random(3)];
  const drawn = Array.from({ length: 100 }, () => one.next());
  assertEquals(drawn, Array.from({ length: 100 }, () => other.next()));
  assert(drawn.every((value) => value >= 0 && value < 1));
  assertEquals(new Set(drawn).size, 100);
});
