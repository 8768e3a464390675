/**
 * `penstock new`: a pipeline or a plugin that works at once, to be made one's own.
 *
 * @module
 */

import { join, relative, toFileUrl } from "@std/path";
import { isPluginId } from "../engine/registry.ts";
import { describeError, FatalError } from "../engine/errors.ts";
import { NO_REACH, unite } from "../engine/permissions.ts";
import { launch } from "./confine/launch.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage.ts";

const PIPELINE_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
/** What the templates import, and where a plugin elsewhere finds it. */
const EXPORTS = {
  "../../mod.ts": { file: "../mod.ts", published: "jsr:@penstock/penstock" },
  "../../engine/options.ts": {
    file: "../engine/options.ts",
    published: "jsr:@penstock/penstock/options",
  },
  "../../tests/contracts/mod.ts": {
    file: "../tests/contracts/mod.ts",
    published: "jsr:@penstock/penstock/testing",
  },
} as const;

/** What `new` is given. */
export interface NewFlags {
  /** What is made. */
  readonly thing: "pipeline" | "plugin";
  /** Its name. */
  readonly name: string;
  /** The kind of a plugin. */
  readonly kind: "source" | "transform" | "sink";
}

/**
 * Makes files in a folder. None that is there is touched.
 *
 * @param folder The folder: where the user is.
 * @returns The exit code.
 */
export async function create(flags: NewFlags, folder: string, terminal: Terminal): Promise<number> {
  const { thing, name } = flags;
  checkName(flags);
  const files = thing === "pipeline"
    ? pipelineFiles(name, folder)
    : await pluginFiles(flags, folder);
  for (const file of Object.keys(files)) await refuseExisting(join(folder, file));
  for (const [file, text] of Object.entries(files)) {
    const code = await write(join(folder, file), text);
    if (code !== 0) return code;
  }
  const made = Object.keys(files);
  terminal.say(`${made.map((file) => `made ${file}\n`).join("")}${nextSteps(flags)}`);
  return 0;
}

function checkName({ thing, name }: NewFlags): void {
  if (thing === "plugin" ? isPluginId(name) : PIPELINE_NAME.test(name)) return;
  const must = thing === "plugin"
    ? "be snake_case, as its file"
    : 'begin with a letter and be made of letters, digits, "_" and "-"';
  throw new UsageError(`Cannot call a ${thing} ${JSON.stringify(name)} as its name must ${must}`);
}

async function refuseExisting(path: string): Promise<void> {
  try {
    await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw new FatalError(`Cannot make "${path}": ${describeError(error)}`, { cause: error });
  }
  throw new UsageError(`Cannot make "${path}": it is there already`, {
    hint: "Choose another name, or move it away",
  });
}

/** This process may write nothing: one that may write just this file does. */
function write(path: string, text: string): Promise<number> {
  return launch({
    args: ["keep"],
    reach: unite([NO_REACH, { write: [path] }]),
    handover: { file: { path, content: { text } }, values: {} },
  });
}

function pipelineFiles(name: string, folder: string): Record<string, string> {
  const schema = schemaComment(folder);
  const text =
    `${schema}# Hourly candles of 30 days, with RSI, into a file. See \`penstock describe binance_rest\`.
name: ${name}
sources:
  - use: binance_rest
    with: { symbols: [BTCUSDT, ETHUSDT], interval: 1h, from: 30 days ago }
transforms:
  - use: kline
    on_error: dead_letter
  - use: rsi
    with: { period: 14 }
sinks:
  - use: file
    with: { path: ${name}.lp }
dead_letter: { use: file, with: { path: ${name}.rejected.jsonl } }
`;
  return { [`${name}.yaml`]: text };
}

/** Editors check a pipeline file by the schema that the comment names. */
function schemaComment(folder: string): string {
  const url = new URL("../schema/pipeline.json", import.meta.url);
  if (url.protocol !== "file:") return "";
  return `# yaml-language-server: $schema=${pathTo(url, folder)}\n`;
}

async function pluginFiles(
  { name, kind }: NewFlags,
  folder: string,
): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const ending of [".ts", "_test.ts"]) {
    const text = await readTemplate(`my_${kind}${ending}`);
    files[`${name}${ending}`] = adapt(text, { name, kind }, folder);
  }
  return files;
}

async function readTemplate(file: string): Promise<string> {
  const answer = await fetch(new URL(`./templates/${file}`, import.meta.url));
  return await answer.text();
}

/** Gives a template its own name, and imports that hold where it is put. */
function adapt(
  text: string,
  { name, kind }: Pick<NewFlags, "name" | "kind">,
  folder: string,
): string {
  const camel = (id: string) => id.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());
  const named = text.replaceAll(`my_${kind}`, name).replaceAll(camel(`my_${kind}`), camel(name));
  return Object.entries(EXPORTS).reduce((now, [template, { file, published }]) => {
    const url = new URL(file, import.meta.url);
    const specifier = url.protocol === "file:" ? pathTo(url, folder) : published;
    return now.replaceAll(`"${template}"`, JSON.stringify(specifier));
  }, named);
}

/** The way from a folder to a file, as a module specifier. */
function pathTo(url: URL, folder: string): string {
  const from = toFileUrl(folder).pathname;
  const path = relative(decodeURIComponent(from), decodeURIComponent(url.pathname)).replaceAll(
    "\\",
    "/",
  );
  return path.startsWith(".") ? path : `./${path}`;
}

function nextSteps({ thing, name, kind }: NewFlags): string {
  if (thing === "pipeline") {
    return `try it: deno task dry-run ${name}.yaml --simulate --limit 5\n`;
  }
  return `use it: - use: ./${name}.ts, as a ${kind} of a pipeline file beside it\n` +
    `test it: deno test ${name}_test.ts\n`;
}
