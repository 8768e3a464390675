import { assertEquals, assertStringIncludes } from "@std/assert";
import { parseTime, resolveTime, type TimeUnit } from "../../engine/time.ts";
import { ENGINE, inFolder, runProgram } from "./_folder.ts";

const EXPECTED =
  "must be a time such as `2024-01-31`, `2024-01-31T12:00:00Z`, epoch milliseconds or `30 days ago`";

function ago(count: number, unit: TimeUnit, nowMs: number): string {
  return new Date(resolveTime({ ago: count, unit }, nowMs)).toISOString();
}

Deno.test("parseTime() reads ISO 8601, in UTC unless an offset is given", () => {
  const times: [string, number][] = [
    ["2024-01-31", 1_706_659_200_000],
    ["2024-01-31T00:00", 1_706_659_200_000],
    ["2024-01-31 00:00", 1_706_659_200_000],
    ["2024-01-31T12:30:15", 1_706_704_215_000],
    ["2024-01-31T12:30:15Z", 1_706_704_215_000],
    ["2024-01-31 12:30:15Z", 1_706_704_215_000],
    ["2024-01-31T12:30:15.5Z", 1_706_704_215_500],
    ["2024-01-31T12:30:15.25", 1_706_704_215_250],
    ["2024-01-31T12:30:15.789Z", 1_706_704_215_789],
    ["2024-01-31T12:30:15+00:00", 1_706_704_215_000],
    ["2024-01-31T12:30:15+02:00", 1_706_697_015_000],
    ["2024-01-31T12:30:15-05:30", 1_706_724_015_000],
    ["2024-01-31T01:00+02:00", 1_706_655_600_000],
    ["2024-01-31T24:00Z", 1_706_745_600_000],
    ["  2024-01-31  ", 1_706_659_200_000],
  ];
  for (const [text, atMs] of times) assertEquals(parseTime(text), { atMs }, text);
});

Deno.test("parseTime() means UTC wherever the machine stands", () =>
  inFolder(async (folder) => {
    // In a process of its own, as other tests share the time zone of this one.
    const { stdout } = await runProgram(
      folder,
      `import { parseTime, resolveTime } from "${ENGINE}time.ts";
       for (const zone of ["Asia/Kolkata", "America/New_York"]) {
         Deno.env.set("TZ", zone);
         console.log(parseTime("2024-01-31").atMs, parseTime("2024-01-31 12:30:15").atMs);
         console.log(resolveTime({ ago: 1, unit: "month" }, Date.UTC(2024, 2, 31, 23)));
       }`,
      ["--allow-env=TZ"],
    );
    const expected = "1706659200000 1706704215000\n1709247600000\n";
    assertEquals(stdout, expected + expected);
  }));

Deno.test("parseTime() knows leap years", () => {
  assertEquals(parseTime("2024-02-29"), { atMs: 1_709_164_800_000 });
  assertEquals(parseTime("2000-02-29"), { atMs: 951_782_400_000 });
  for (const text of ["2023-02-29", "2100-02-29", "2023-02-29T12:00:00+02:00"]) {
    assertEquals(parseTime(text), EXPECTED, text);
  }
});

Deno.test("parseTime() refuses dates and times that do not exist", () => {
  for (
    const text of [
      "2024-02-30",
      "2024-04-31T00:00Z",
      "2024-04-31T23:00-05:00",
      "2024-13-01",
      "2024-00-10",
      "2024-01-00",
      "2024-01-32",
      "2024-01-01T25:00",
      "2024-01-01T24:01",
      "2024-01-01T12:60",
      "2024-01-01T12:00:60",
      "2024-01-01T12:00+24:00",
      "2024-01-01T12:00+02:60",
    ]
  ) assertEquals(parseTime(text), EXPECTED, text);
});

Deno.test("parseTime() refuses what is no time", () => {
  for (
    const value of [
      "",
      " ",
      "yesterday",
      "today",
      "2024-01",
      "2024-1-1",
      "01/02/2024",
      "20240101T00",
      "2024-01-01T12",
      "2024-01-01T12:00:00.1234Z",
      "2024-01-01T12:00:00+0200",
      "2024-01-01T12:00:00+02",
      "2024-01-01T12:00:00 Z",
      "2024-01-01T12:00:00 UTC",
      "2024-01-01Z",
      "+2024-01-01",
      "２０２４-01-01",
      "2024-01-01\n2024-01-02",
      "ago",
      "days ago",
      "a day ago",
      "1d ago",
      "30 days",
      "-30 days ago",
      "1.5 days ago",
      "1e3",
      "-1",
      "1.5",
      "0x10",
      1.5,
      -1,
      1_704_067_200_000.5,
      NaN,
      Infinity,
      1e21,
    ]
  ) assertEquals(parseTime(value), EXPECTED, String(value));
});

Deno.test("parseTime() reads epoch milliseconds, as a number and as text", () => {
  assertEquals(parseTime(1_704_067_200_000), { atMs: 1_704_067_200_000 });
  assertEquals(parseTime("1704067200000"), { atMs: 1_704_067_200_000 });
  assertEquals(parseTime(1_000_000_000_000), { atMs: 1_000_000_000_000 });
  assertEquals(parseTime(9_999_999_999_999), { atMs: 9_999_999_999_999 });
});

Deno.test("parseTime() takes no seconds, microseconds or anything else for milliseconds", () => {
  assertEquals(
    parseTime(1_704_067_200),
    "must be epoch milliseconds, not seconds: it has 10 digits",
  );
  assertEquals(
    parseTime("1704067200000000"),
    "must be epoch milliseconds, not microseconds: it has 16 digits",
  );
  for (const value of [0, 1, 2_024, 999_999_999_999, 10_000_000_000_000, "1704067200000000000"]) {
    assertEquals(
      parseTime(value),
      "must be epoch milliseconds (13 digits), or a time such as `2024-01-31`",
      String(value),
    );
  }
});

Deno.test("parseTime() refuses times before 1970", () => {
  assertEquals(parseTime("1970-01-01"), { atMs: 0 });
  for (const text of ["1969-12-31", "0000-01-01", "0099-06-01", "1970-01-01T00:00+01:00"]) {
    assertEquals(parseTime(text), "must not lie before 1970-01-01", text);
  }
});

Deno.test("parseTime() reads years up to 9999", () => {
  assertEquals(parseTime("9999-12-31T23:59:59.999Z"), { atMs: 253_402_300_799_999 });
  assertEquals(parseTime("10000-01-01"), EXPECTED);
});

Deno.test("parseTime() reads spans in every unit, singular and plural, in any case", () => {
  assertEquals(parseTime("90 seconds ago"), { ago: 90, unit: "second" });
  assertEquals(parseTime("1 minute ago"), { ago: 1, unit: "minute" });
  assertEquals(parseTime("12 hours ago"), { ago: 12, unit: "hour" });
  assertEquals(parseTime("30 days ago"), { ago: 30, unit: "day" });
  assertEquals(parseTime("2 weeks ago"), { ago: 2, unit: "week" });
  assertEquals(parseTime("6 Months Ago"), { ago: 6, unit: "month" });
  assertEquals(parseTime("5 YEARS AGO"), { ago: 5, unit: "year" });
  assertEquals(parseTime("3days  ago"), { ago: 3, unit: "day" });
  assertEquals(parseTime("0 days ago"), { ago: 0, unit: "day" });
  assertEquals(parseTime("1 days ago"), { ago: 1, unit: "day" });
});

Deno.test("parseTime() reads `now` as the moment of reading", () => {
  for (const text of ["now", "Now", " now "]) {
    const time = parseTime(text);
    if (typeof time === "string") throw new Error(time);
    assertEquals(resolveTime(time, 1_704_067_200_123), 1_704_067_200_123);
  }
});

Deno.test("parseTime() says the same of a wrong number and of its text", () => {
  for (const value of [1, 1_704_067_200, -7, 1.25]) {
    assertEquals(parseTime(value), parseTime(String(value)));
    assertStringIncludes(String(parseTime(value)), "must be ");
  }
});

Deno.test("resolveTime() gives an absolute time back whatever the moment is", () => {
  assertEquals(resolveTime({ atMs: 1_704_067_200_000 }, 0), 1_704_067_200_000);
  assertEquals(resolveTime({ atMs: 0 }, 1_704_067_200_000), 0);
});

Deno.test("resolveTime() counts units of fixed length back exactly", () => {
  const nowMs = Date.UTC(2024, 2, 1, 12, 34, 56, 789);
  assertEquals(ago(1, "second", nowMs), "2024-03-01T12:34:55.789Z");
  assertEquals(ago(35, "minute", nowMs), "2024-03-01T11:59:56.789Z");
  assertEquals(ago(13, "hour", nowMs), "2024-02-29T23:34:56.789Z");
  assertEquals(ago(30, "day", nowMs), "2024-01-31T12:34:56.789Z");
  assertEquals(ago(52, "week", nowMs), "2023-03-03T12:34:56.789Z");
});

Deno.test("resolveTime() counts months back to the same day, or the last one of a shorter month", () => {
  const end = Date.UTC(2024, 2, 31, 23, 59, 59, 999);
  assertEquals(ago(1, "month", end), "2024-02-29T23:59:59.999Z");
  assertEquals(ago(2, "month", end), "2024-01-31T23:59:59.999Z");
  assertEquals(ago(4, "month", end), "2023-11-30T23:59:59.999Z");
  assertEquals(ago(13, "month", end), "2023-02-28T23:59:59.999Z");
  assertEquals(ago(12, "month", end), "2023-03-31T23:59:59.999Z");
  assertEquals(ago(1, "month", Date.UTC(2024, 0, 15, 6)), "2023-12-15T06:00:00.000Z");
  assertEquals(ago(0, "month", end), "2024-03-31T23:59:59.999Z");
});

Deno.test("resolveTime() counts years back to the same day, 29 February to the 28th", () => {
  const leap = Date.UTC(2024, 1, 29, 12);
  assertEquals(ago(1, "year", leap), "2023-02-28T12:00:00.000Z");
  assertEquals(ago(4, "year", leap), "2020-02-29T12:00:00.000Z");
  assertEquals(ago(5, "year", Date.UTC(2024, 11, 31)), "2019-12-31T00:00:00.000Z");
});

Deno.test("resolveTime() goes back to 1970 at most, however long the span is", () => {
  const nowMs = Date.UTC(2024, 2, 31);
  const spans: [number, TimeUnit][] = [
    [55, "year"],
    [1_000_000, "year"],
    [100_000, "day"],
    [1e20, "second"],
    [Infinity, "month"],
    [Infinity, "week"],
  ];
  for (const [count, unit] of spans) assertEquals(resolveTime({ ago: count, unit }, nowMs), 0);
  assertEquals(ago(54, "year", nowMs), "1970-03-31T00:00:00.000Z");
});
