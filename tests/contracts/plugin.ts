/**
 * What every plugin must keep to, whatever it does: its name, its options, its permissions.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { z } from "zod";
import type { Permissions, Plugin } from "../../engine/plugin.ts";
import { deepFreeze, failWith } from "./pure.ts";
import type { Effect } from "./watch.ts";

/** One point of a contract. */
export interface Check {
  /** What holds, to follow the plugin's name: `gives the expected records`. */
  readonly name: string;
  /** Throws if it does not hold. The message says which point of the contract is broken. */
  check(): void | Promise<void>;
}

/** What a test case of any plugin says. */
export interface PluginCase<Input> {
  /** What is special about this case, where a plugin has several. It becomes part of the names. */
  readonly name?: string;
  /** Options to work with, as a pipeline file has them under `with`. */
  readonly options: Input;
  /** Options that must be refused. */
  readonly badOptions?: readonly unknown[];
  /** The permissions that the options need. Compared, where they are given. */
  readonly permissions?: Permissions;
}

/** Registers checks as tests that also see to it that nothing is leaked. */
export function registerChecks(
  plugin: Plugin,
  name: string | undefined,
  checks: readonly Check[],
): void {
  const subject = name === undefined ? plugin.id : `${plugin.id} (${name})`;
  for (const check of checks) {
    Deno.test({
      name: `${subject} ${check.name}`,
      fn: async () => await check.check(),
      sanitizeOps: true,
      sanitizeResources: true,
      sanitizeExit: true,
    });
  }
}

/** The checks that all three kinds of plugins share. */
export function pluginChecks<Input>(plugin: Plugin, given: PluginCase<Input>): Check[] {
  const checks: Check[] = [
    {
      name: "has an id in snake_case and a summary of one line",
      check: () => checkNames(plugin),
    },
    {
      name: "takes its example options and leaves them as they are",
      check: () => void optionsOf(plugin, given.options),
    },
    {
      name: "describes every option, and is strict about each object of options",
      check: () => checkSchema(plugin),
    },
    {
      name: "refuses an option that does not exist",
      check: () => checkUnknownOption(plugin, given.options),
    },
    {
      name: "names exactly what it must be allowed to reach",
      check: () => checkPermissions(plugin, given),
    },
  ];
  const { badOptions } = given;
  if (badOptions) {
    checks.push({
      name: "refuses wrong options",
      check: () => checkBadOptions(plugin, badOptions),
    });
  }
  return checks;
}

/** The options as the plugin gets them, made unchangeable. */
// deno-lint-ignore no-explicit-any -- as typed as the plugin is
export function optionsOf(plugin: Plugin, input: unknown): any {
  const result = plugin.options.safeParse(deepFreeze(structuredClone(input)));
  if (result.success) return deepFreeze(result.data);
  failWith(
    `Plugin "${plugin.id}" must take the options of its test case: ${
      result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ")
    }`,
  );
}

/** Fails if a plugin reached what its permissions do not name. */
export function checkReach(plugin: Plugin, options: unknown, effects: readonly Effect[]): void {
  const { net = [], read = [], write = [] } = permissionsOf(plugin, options);
  for (const { kind, target } of effects) {
    const allowed = kind === "fetch" || kind === "webSocket"
      ? net.includes(target)
      : kind === "read" || kind === "line"
      ? [...read, ...write].some((path) => isWithin(path, target))
      : kind === "sleep" || kind === "print" || write.some((path) => isWithin(path, target));
    assert(
      allowed,
      `Plugin "${plugin.id}" must name all that it reaches in \`permissions\`: it did "${kind}" on "${target}", and they are ${
        JSON.stringify({ net, read, write })
      }`,
    );
  }
}

function checkNames({ id, summary }: Plugin): void {
  assertMatch(id, /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/, `The id "${id}" must be in snake_case`);
  assertMatch(
    summary,
    /^\S.*[^\s.]$/,
    `The summary of plugin "${id}" must be one line without a full stop: it is "${summary}"`,
  );
}

function checkSchema(plugin: Plugin): void {
  const { options } = plugin;
  assert(
    options instanceof z.ZodType,
    `The options of plugin "${plugin.id}" must be a zod object: editors and \`describe\` read it`,
  );
  const schema = z.toJSONSchema(options, { io: "input" });
  assertEquals(
    schema.type,
    "object",
    `The options of plugin "${plugin.id}" must be a zod object`,
  );
  checkObject(plugin, schema, "");
}

interface JsonSchema {
  readonly [key: string]: unknown;
}

function checkObject(plugin: Plugin, schema: JsonSchema, path: string): void {
  const { properties } = schema;
  if (isSchema(properties)) {
    assertEquals(
      schema.additionalProperties,
      false,
      `The options of plugin "${plugin.id}" must be strict (\`z.strictObject\`): those ${
        path === "" ? "at the top" : `of "${path}"`
      } take any name`,
    );
    for (const [name, property] of Object.entries(properties)) {
      const described = isSchema(property) && typeof property.description === "string" &&
        property.description.trim() !== "";
      assert(
        described,
        `Every option of plugin "${plugin.id}" must have a description (\`.describe\`): "${path}${name}" has none`,
      );
    }
  }
  for (const [name, part] of Object.entries(schema)) {
    const inside = name === "properties" || name === "$defs" ? part : { "": part };
    if (!isSchema(inside) || name === "default" || name === "examples") continue;
    for (const [key, value] of Object.entries(inside)) {
      for (const each of Array.isArray(value) ? value : [value]) {
        if (isSchema(each)) checkObject(plugin, each, key === "" ? path : `${path}${key}.`);
      }
    }
  }
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function checkUnknownOption(plugin: Plugin, input: unknown): void {
  const result = plugin.options.safeParse({ ...Object(input), no_such_option: 1 });
  const message =
    `Plugin "${plugin.id}" must refuse an option that does not exist, so that a typing error is found: make its options a \`z.strictObject\``;
  assert(!result.success, message);
  const named = result.error.issues.some(({ keys }) => keys?.includes("no_such_option"));
  assert(named, `${message}, which names the option`);
}

function checkBadOptions(plugin: Plugin, badOptions: readonly unknown[]): void {
  for (const options of badOptions) {
    assert(
      !plugin.options.safeParse(options).success,
      `Plugin "${plugin.id}" must refuse these options: ${JSON.stringify(options)}`,
    );
  }
}

function checkPermissions<Input>(plugin: Plugin, given: PluginCase<Input>): void {
  const options = optionsOf(plugin, given.options);
  const permissions = permissionsOf(plugin, options);
  assertEquals(
    permissionsOf(plugin, options),
    permissions,
    `The permissions of plugin "${plugin.id}" must be the same for the same options`,
  );
  for (const host of permissions.net ?? []) {
    assertMatch(
      host,
      /^([^\s*/:?#@]+|\[[0-9a-f:]+\]):\d+$/i,
      `The hosts that plugin "${plugin.id}" reaches must be exact, as in "example.org:443": "${host}" is not`,
    );
  }
  for (const path of [...permissions.read ?? [], ...permissions.write ?? []]) {
    assertMatch(
      path,
      /^[^*]+$/,
      `The paths that plugin "${plugin.id}" reaches must be exact: "${path}" is not`,
    );
  }
  if (given.permissions) assertEquals(permissions, given.permissions);
}

function permissionsOf(plugin: Plugin, options: unknown): Permissions {
  return plugin.permissions?.(options) ?? {};
}

/** Whether a path is another one, or lies in it. */
function isWithin(folder: string, path: string): boolean {
  const plain = (text: string) => text.replace(/^(\.\/)+/, "").replace(/\/+$/, "");
  const [outer, inner] = [plain(folder), plain(path)];
  return inner === outer || outer === "." || inner.startsWith(`${outer}/`);
}
