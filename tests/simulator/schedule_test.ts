import { assertEquals } from "@std/assert";
import { VirtualClock } from "../../engine/clock.ts";
import { Schedule } from "../../simulator/schedule.ts";

function begin() {
  const clock = new VirtualClock(0, { manual: true });
  let sleeps = 0;
  const counting = {
    now: () => clock.now(),
    steady: () => clock.steady(),
    sleep: (ms: number, signal?: AbortSignal) => {
      sleeps++;
      return clock.sleep(ms, signal);
    },
  };
  return { clock, schedule: new Schedule(counting), ran: [] as string[], sleeps: () => sleeps };
}

Deno.test("tasks run in order of time, those of one moment in order of adding", async () => {
  const { clock, schedule, ran } = begin();
  for (const [atMs, name] of [[30, "d"], [10, "a"], [20, "b"], [20, "c"]] as const) {
    schedule.at(atMs, () => ran.push(`${name} ${clock.now()}`));
  }
  await clock.advance(100);
  assertEquals(ran, ["a 10", "b 20", "c 20", "d 30"]);
});

Deno.test("tasks of one moment cost one wait", async () => {
  const { clock, schedule, ran, sleeps } = begin();
  for (let index = 0; index < 1_000; index++) schedule.at(10, () => ran.push("x"));
  await clock.advance(10);
  assertEquals([ran.length, sleeps()], [1_000, 1]);
});

Deno.test("a task that is taken back does not run, whoever takes it back and when", async () => {
  const { clock, schedule, ran } = begin();
  const cancel = schedule.at(10, () => ran.push("never"));
  cancel();
  cancel();
  schedule.at(20, () => {
    ran.push("first");
    cancelSecond();
  });
  const cancelSecond = schedule.at(20, () => ran.push("second"));
  schedule.at(20, () => ran.push("third"));
  await clock.advance(100);
  assertEquals(ran, ["first", "third"]);
});

Deno.test("a task may add tasks: for now, for later, and for what has passed", async () => {
  const { clock, schedule, ran } = begin();
  schedule.at(10, () => {
    schedule.at(10, () => ran.push(`now ${clock.now()}`));
    schedule.at(5, () => ran.push(`passed ${clock.now()}`));
    schedule.at(15, () => ran.push(`later ${clock.now()}`));
  });
  schedule.at(12, () => ran.push(`between ${clock.now()}`));
  await clock.advance(100);
  assertEquals(ran.toSorted(), ["between 12", "later 15", "now 10", "passed 10"]);
});

Deno.test("nothing runs after clear(), and new tasks do", async () => {
  const { clock, schedule, ran } = begin();
  schedule.at(10, () => {
    ran.push("first");
    schedule.clear();
    schedule.at(20, () => ran.push("new"));
  });
  schedule.at(10, () => ran.push("old"));
  schedule.at(30, () => ran.push("old"));
  await clock.advance(100);
  assertEquals(ran, ["first", "new"]);
});

Deno.test("a task for Infinity is none", () => {
  const { schedule, sleeps } = begin();
  schedule.at(Infinity, () => {})();
  assertEquals(sleeps(), 0);
});

Deno.test("a moment may lie farther ahead than a timer of the system reaches", async () => {
  const { clock, schedule, ran } = begin();
  const days60 = 60 * 86_400_000;
  schedule.at(days60, () => ran.push("then"));
  await clock.advance(days60 - 1);
  assertEquals(ran, []);
  await clock.advance(1);
  assertEquals(ran, ["then"]);
});

Deno.test("the next task runs although one before it throws", async () => {
  const { clock, schedule, ran } = begin();
  const failed = Promise.withResolvers<unknown>();
  const onFailure = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    failed.resolve(event.reason);
  };
  globalThis.addEventListener("unhandledrejection", onFailure);
  schedule.at(10, () => {
    throw new Error("mine");
  });
  schedule.at(20, () => ran.push("next"));
  await clock.advance(100);
  assertEquals(`${await failed.promise}`, "Error: mine");
  globalThis.removeEventListener("unhandledrejection", onFailure);
  assertEquals(ran, ["next"]);
});
