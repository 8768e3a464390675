/**
 * Reads a pipeline file of any kind into a document: its value, and where its parts stand.
 *
 * @module
 */

import { extname, fromFileUrl, resolve, toFileUrl } from "@std/path";
import { type Diagnostic, excerptOf, type Mistake, type Path, pathText } from "./diagnostics.ts";
import { type Document, parseText } from "./document.ts";
import { guessSecrets } from "./masking.ts";
import { type ImportModule, importSafely } from "./modules.ts";
import { callSiteOf } from "../pipeline.ts";
import { listed } from "../nearest.ts";
import type { Yaml } from "./yaml.ts";
import { LARGEST_FILE, whyUnreadable } from "./read_text.ts";

/** What reading takes of the world. */
export interface Reading {
  /** Reads a text file. */
  readText(path: string): Promise<string>;
  /** Imports a module by its URL. */
  readonly importModule: ImportModule;
  /** What the text of the file was read as before, if it was. */
  readonly yaml?: Yaml | undefined;
}

const TEXT_ENDINGS = [".yaml", ".yml", ".json"];
const MODULE_ENDINGS = [".ts", ".mts", ".js", ".mjs"];

/** Whether a pipeline file is a module: code that has to be run to be read. */
export function isModuleFile(path: string): boolean {
  return MODULE_ENDINGS.includes(extname(path).toLowerCase());
}

/**
 * Reads a pipeline file. Nothing is thrown: what is wrong with it is in the document.
 *
 * @param path Its path, also its name in messages.
 * @param reading What reading takes of the world.
 */
export async function readPipeline(path: string, reading: Reading): Promise<Document> {
  let text: string;
  try {
    text = (await reading.readText(path)).replace(/^\ufeff/, "");
  } catch (error) {
    return broken(path, "", 0, `Cannot read the pipeline file: ${whyUnreadable(error)}`);
  }
  const isModule = isModuleFile(path);
  if (!isModule && !TEXT_ENDINGS.includes(extname(path).toLowerCase())) {
    const endings = [...TEXT_ENDINGS, ...MODULE_ENDINGS].map((one) => `"${one}"`);
    const must = `as its name must end in ${listed(endings, "or")}`;
    return broken(path, "", 0, `Cannot use the file as a pipeline ${must}`);
  }
  if (text.length > LARGEST_FILE) {
    return broken(path, "", 0, "Cannot read the pipeline file: it must have at most 1 MiB");
  }
  const binary = text.search(/[\0\ufffd]/);
  if (binary !== -1) {
    return broken(path, text, binary, "Cannot read the pipeline file as it must be text in UTF-8");
  }
  return isModule
    ? await readModule(path, text, reading)
    : await readText(path, text, reading.yaml);
}

async function readText(path: string, text: string, yaml?: Yaml): Promise<Document> {
  const document = await parseText(path, text, yaml);
  if (document.broken.length > 0 || isMapping(document.value)) return document;
  const must = 'as it must have "name", "sources" and "sinks"';
  if (document.value !== null) {
    const found = Array.isArray(document.value) ? "a list" : "a single value";
    const message = `Cannot use the file as a pipeline ${must}: it is ${found}`;
    return { ...document, broken: document.diagnose([{ path: [], message }], []) };
  }
  const found = text.trim() === "" ? "empty" : "without any value";
  return broken(path, text, 0, `Cannot use the file as a pipeline ${must}: it is ${found}`);
}

async function readModule(path: string, text: string, reading: Reading): Promise<Document> {
  const url = toFileUrl(resolve(path)).href;
  const start = { file: path, text, line: 1, column: 1 };
  const module = await importSafely(url, reading.importModule);
  if (!("exports" in module)) {
    const { reason, line = 1, column = 1 } = module;
    const mistake = { path: [], message: `Cannot load the pipeline: ${reason}` };
    return moduleDocument(null, { ...start, line, column }, mistake);
  }
  const pipeline = module.exports.default;
  if (!isMapping(pipeline)) {
    const must = pipeline === undefined
      ? "it must have a default export"
      : "its default export must be a mapping";
    return moduleDocument(null, start, {
      path: [],
      message: `Cannot use the module as a pipeline as ${must}`,
      hint: "Write `export default definePipeline({ … })`",
    });
  }
  const site = callSiteOf(pipeline);
  if (!site) return moduleDocument(pipeline, start);
  if (site.url === url) return moduleDocument(pipeline, { ...start, ...site });
  // It was defined in another module: that is where the reader has to look.
  const file = site.url.startsWith("file:") ? fromFileUrl(site.url) : site.url;
  const other = await reading.readText(file).catch(() => "");
  return moduleDocument(pipeline, { ...site, file, text: other });
}

/** Where in a text all mistakes are told. */
interface Spot {
  readonly file: string;
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

/** In a module, all mistakes are told where the pipeline is defined, with the way from there. */
function moduleDocument(value: unknown, spot: Spot, broken?: Mistake): Document {
  return {
    value,
    broken: broken ? [diagnosticAt(spot, broken)] : [],
    mistakes: [],
    diagnose: (mistakes) => mistakes.map((mistake) => diagnosticAt(spot, mistake)),
    whereIs: (path: Path) => pathText(path),
  };
}

function diagnosticAt({ file, text, line, column }: Spot, mistake: Mistake): Diagnostic {
  const way = mistake.path.length > 0 ? ` (${pathText(mistake.path)})` : "";
  const before = text.split("\n").slice(0, line - 1);
  const offset = before.reduce((sum, one) => sum + one.length + 1, 0) + column - 1;
  const excerpt = offset < text.length ? excerptOf(text, offset, guessSecrets(text)) : undefined;
  return { file, line, column, message: mistake.message + way, hint: mistake.hint, excerpt };
}

function broken(file: string, text: string, offset: number, message: string): Document {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  const column = offset - before.lastIndexOf("\n");
  return moduleDocument(null, { file, text, line, column }, { path: [], message });
}

function isMapping(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
