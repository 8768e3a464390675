import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";

const MAIN = fromFileUrl(new URL("../../simulator/main.ts", import.meta.url));

function command(args: readonly string[]): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-read", "--allow-env", "--allow-net=127.0.0.1", MAIN, ...args],
    stdout: "piped",
    stderr: "piped",
  });
}

async function readLine(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) break;
    text += value;
  }
  return { text, reader };
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`main.ts prints its URLs, answers, and ends cleanly on ${signal}`, async () => {
    const child = command([]).spawn();
    const { text, reader } = await readLine(child.stdout);
    const urls = JSON.parse(text);
    assertEquals(Object.keys(urls), ["rest", "stream"]);
    const response = await fetch(`${urls.rest}/api/v3/exchangeInfo?symbol=BTCUSDT`);
    assertEquals((await response.json()).symbols[0].baseAsset, "BTC");
    child.kill(signal);
    const { code } = await child.status;
    assertEquals(code, 0);
    assertEquals((await reader.read()).done, true);
    assertEquals(await new Response(child.stderr).text(), "");
  });
}

Deno.test("main.ts plays the scenario of a file", async () => {
  const path = await Deno.makeTempFile({ suffix: ".yaml" });
  await Deno.writeTextFile(path, "symbols: [{ symbol: ABCXYZ, base: ABC, quote: XYZ }]\n");
  const child = command(["--scenario", path]).spawn();
  const { text, reader } = await readLine(child.stdout);
  const response = await fetch(`${JSON.parse(text).rest}/api/v3/exchangeInfo`);
  const { symbols } = await response.json();
  assertEquals(symbols.map((one: { readonly symbol: string }) => one.symbol), ["ABCXYZ"]);
  child.kill("SIGTERM");
  await child.status;
  await reader.cancel();
  await child.stderr.cancel();
  await Deno.remove(path);
});

Deno.test("main.ts ends at once, and quietly, while an answer is held back", async () => {
  const path = await Deno.makeTempFile({ suffix: ".json" });
  await Deno.writeTextFile(path, '{ "faults": [{ "kind": "slow", "delay_ms": 600000 }] }');
  const child = command(["--scenario", path]).spawn();
  const { text, reader } = await readLine(child.stdout);
  const { rest } = JSON.parse(text);
  // One of two is held back: an answer to the other shows that it came in.
  const answers = [1, 2].map(async () => (await fetch(`${rest}/api/v3/ping`)).text());
  await Promise.any(answers);
  child.kill("SIGTERM");
  assertEquals((await child.status).code, 0);
  assertEquals(await new Response(child.stderr).text(), "");
  await Promise.allSettled(answers);
  await reader.cancel();
  await Deno.remove(path);
});

Deno.test("main.ts breaks a connection without a word of its own", async () => {
  const path = await Deno.makeTempFile({ suffix: ".json" });
  await Deno.writeTextFile(path, '{ "faults": [{ "kind": "reset" }] }');
  const child = command(["--scenario", path]).spawn();
  const { text, reader } = await readLine(child.stdout);
  const response = await fetch(`${JSON.parse(text).rest}/api/v3/exchangeInfo`);
  await assertRejects(() => response.text(), TypeError);
  child.kill("SIGTERM");
  assertEquals((await child.status).code, 0);
  assertEquals(await new Response(child.stderr).text(), "");
  await reader.cancel();
  await Deno.remove(path);
});

Deno.test("main.ts says what is wrong with a scenario and ends with 78", async () => {
  const { code, stdout, stderr } = await command(["--scenario", "no/such.yaml"]).output();
  assertEquals([code, stdout.length], [78, 0]);
  assertStringIncludes(new TextDecoder().decode(stderr), 'Cannot read scenario "no/such.yaml"');
});

for (const args of [["--prot", "1"], ["--port", "x"], ["--port", "70000"], ["more"]]) {
  Deno.test(`main.ts tells its usage and ends with 2 when given ${args.join(" ")}`, async () => {
    const { code, stderr } = await command(args).output();
    assertEquals(code, 2);
    assertStringIncludes(new TextDecoder().decode(stderr), "Usage: deno run");
  });
}
