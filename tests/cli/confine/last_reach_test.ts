import { assertEquals } from "@std/assert";
import {
  keepReach,
  type LastReach,
  lastReachOf,
  type Store,
} from "../../../cli/confine/last_reach.ts";

/** A store that is empty, or has this text in it whatever is asked for. */
function storeWith(text?: string): Store & { writes: number } {
  let kept = text ?? null;
  return {
    writes: 0,
    getItem: () => kept,
    setItem(_key, value) {
      this.writes++;
      kept = value;
    },
  };
}

function reaching(host: string): LastReach {
  return { reach: { net: [host], read: ["/a b"], write: [], env: ["TOKEN"] } };
}

const NOTHING = { net: [], read: [], write: [], env: [] };

/** Each makes Deno refuse to start a process, or is a port from which nothing is fetched. */
const REFUSED: readonly LastReach[] = [
  ...["", "*", "a b:1", "a..b:1", `${"a".repeat(64)}:1`, "a:99999", "[::::]:1", "256.1.1.1:1"]
    .map(reaching),
  { reach: { ...NOTHING, read: [""] } },
  { reach: { ...NOTHING, write: [""] } },
  { reach: { ...NOTHING, env: ["A=B"] } },
  { reach: NOTHING, port: 22 },
  { reach: NOTHING, port: 6_000 },
];

Deno.test("keepReach() keeps what each command reached", () => {
  const store = storeWith();
  keepReach(["run", "a.yaml"], reaching("a.test:443"), store);
  keepReach(["run", "b.yaml"], { ...reaching("127.0.0.1:40000"), port: 40_000 }, store);
  keepReach(["run", "a.yaml"], reaching("a.test:444"), store);
  assertEquals(lastReachOf(["run", "a.yaml"], store), reaching("a.test:444"));
  assertEquals(lastReachOf(["run", "b.yaml"], store), {
    ...reaching("127.0.0.1:40000"),
    port: 40_000,
  });
  assertEquals(lastReachOf(["run", "a.yaml", "--verbose"], store), undefined);
});

Deno.test("keepReach() writes nothing where nothing is new", () => {
  const store = storeWith();
  keepReach(["run", "a.yaml"], reaching("a.test:443"), store);
  keepReach(["run", "a.yaml"], reaching("a.test:443"), store);
  assertEquals(store.writes, 1);
});

Deno.test("keepReach() keeps 20 commands, and nothing that is long", () => {
  const store = storeWith();
  for (let at = 0; at < 25; at++) keepReach(["run", `${at}.yaml`], reaching("a.test:443"), store);
  keepReach(["run", "long.yaml"], reaching("a".repeat(9_000)), store);
  const kept = Array.from({ length: 25 }, (_, at) => lastReachOf(["run", `${at}.yaml`], store));
  assertEquals(kept.map((last) => last !== undefined), [
    ...Array(5).fill(false),
    ...Array(20).fill(true),
  ]);
  assertEquals(lastReachOf(["run", "long.yaml"], store), undefined);
});

Deno.test("lastReachOf() takes nothing that is not as it was written, and the next one takes its place", () => {
  const command = JSON.stringify([Deno.cwd(), "run", "a.yaml"]);
  const broken = [
    "[",
    "null",
    "{}",
    JSON.stringify([[command]]),
    JSON.stringify([[command, { reach: { net: [], read: [], write: [] } }]]),
    JSON.stringify([[command, { reach: { net: [1], read: [], write: [], env: [] } }]]),
    JSON.stringify([[command, { reach: { net: [], read: [], write: [], env: [] }, port: -1 }]]),
    ...REFUSED.map((last) => JSON.stringify([[command, last]])),
  ];
  for (const text of broken) {
    const store = storeWith(text);
    assertEquals(lastReachOf(["run", "a.yaml"], store), undefined, text);
    keepReach(["run", "a.yaml"], reaching("a.test:443"), store);
    assertEquals(lastReachOf(["run", "a.yaml"], store), reaching("a.test:443"), text);
  }
});

Deno.test("keepReach() keeps nothing with which Deno would start no process", () => {
  const store = storeWith();
  for (const last of REFUSED) keepReach(["run", "a.yaml"], last, store);
  assertEquals(store.writes, 0);
});

Deno.test("keepReach() lets a run go on where nothing can be kept", () => {
  const full: Store = {
    getItem: () => null,
    setItem() {
      throw new DOMException("Exceeded maximum storage size", "QuotaExceededError");
    },
  };
  keepReach(["run", "a.yaml"], reaching("a.test:443"), full);
});
