/** What `deploy/compose.yaml` starts: all it names must be there, and fit together. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, resolve } from "@std/path";
import { end, start } from "../e2e/_penstock.ts";
import { readDeploy } from "./_dashboards.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));

interface Service {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: readonly string[] | Readonly<Record<string, unknown>>;
}

const { services, volumes } = await readDeploy("compose.yaml") as unknown as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
};

const exists = (path: string) => Deno.stat(path).then(() => true, () => false);

Deno.test("compose.yaml starts InfluxDB, Grafana, Prometheus and penstock, each of a fixed version", () => {
  assertEquals(Object.keys(services).sort(), ["grafana", "influxdb", "penstock", "prometheus"]);
  for (const [name, { image, build }] of Object.entries(services)) {
    assert(build !== undefined || /:v?\d+\.\d+/.test(image ?? ""), name);
  }
});

Deno.test("compose.yaml mounts only what is there, and volumes it declares", async () => {
  for (const [name, { volumes: mounts = [] }] of Object.entries(services)) {
    for (const mount of mounts) {
      const [from = ""] = mount.split(":");
      const isThere = from.startsWith(".")
        ? await exists(resolve(ROOT, "deploy", from))
        : from in volumes;
      assert(isThere, `${name}: ${mount}`);
    }
  }
  for (const [name, { depends_on = [] }] of Object.entries(services)) {
    const others = Array.isArray(depends_on) ? depends_on : Object.keys(depends_on);
    for (const other of others) assert(other in services, `${name}: ${other}`);
  }
});

Deno.test("compose.yaml lets no other machine in, and holds no secret", () => {
  for (const [name, { ports = [], environment = {} }] of Object.entries(services)) {
    for (const port of ports) assert(port.startsWith("127.0.0.1:"), `${name}: ${port}`);
    for (const [variable, value] of Object.entries(environment)) {
      if (/TOKEN|PASSWORD/.test(variable)) assert(value.startsWith("${"), `${name}: ${variable}`);
    }
  }
});

Deno.test("the Dockerfile of penstock names files that are there", async () => {
  const { build } = services.penstock ?? {};
  const path = resolve(ROOT, "deploy", build?.context ?? "", build?.dockerfile ?? "");
  const text = await Deno.readTextFile(path);
  const [, entrypoints = ""] = /--entrypoint (.+)/.exec(text) ?? [];
  assert(entrypoints !== "");
  for (const file of entrypoints.split(" ")) assert(await exists(resolve(ROOT, file)), file);
  const [, version] = /FROM denoland\/deno:(\S+)/.exec(text) ?? [];
  assert(version?.startsWith("2.9."), version);
});

Deno.test("compose.yaml runs a pipeline that is right with the variables it sets", async () => {
  const { command = [], environment = {} } = services.penstock ?? {};
  const file = command.at(-1) ?? "";
  const env = { ...environment, INFLUX_TOKEN: "token", NO_COLOR: "1" };
  const { code, stdout, stderr } = await end(start(["check", resolve(ROOT, file)], { env }));
  assertEquals(code, 0, stderr);
  assertStringIncludes(stdout, "influxdb: exactly once in effect");
  const help = await end(start(["run", "--help"]));
  for (const flag of command.filter((word) => word.startsWith("--"))) {
    assertStringIncludes(help.stdout + help.stderr, `${flag} `);
  }
});

Deno.test("Grafana's data sources are filled in from variables that compose.yaml sets", async () => {
  const text = JSON.stringify(await readDeploy("grafana/provisioning/datasources/penstock.yaml"));
  const { environment = {} } = services.grafana ?? {};
  const wanted = Array.from(text.matchAll(/\$\{(\w+)\}/g), ([, name = ""]) => name);
  assert(wanted.length >= 5);
  for (const name of wanted) assert(name in environment, name);
});

Deno.test("Prometheus reads the port that penstock is told to use", async () => {
  const { command = [] } = services.penstock ?? {};
  const port = command[command.indexOf("--metrics") + 1];
  const { scrape_configs } = await readDeploy("prometheus.yml");
  assertStringIncludes(JSON.stringify(scrape_configs), `"127.0.0.1:${port}"`);
});
