/**
 * Loads a pipeline file: reads it, fills in its variables, finds its plugins, checks their options
 * and whether each step can take what the one before it gives. All that is wrong is told at once.
 *
 * @module
 */

import { dirname, resolve } from "@std/path";
import { check, type Checked } from "./check.ts";
import { type Mistake, PipelineFileError } from "./diagnostics.ts";
import type { Document } from "./document.ts";
import { OptionsError } from "../errors.ts";
import { interpolate, type Lookups } from "./interpolate.ts";
import { quote, valueAt } from "./issues.ts";
import { jsonSchemaOf } from "./options_schema.ts";
import { importByRuntime, type ImportModule, isSpecifier, urlOfModule } from "./modules.ts";
import type { CheckedStep, Pipeline } from "../pipeline.ts";
import { pipelineSchema } from "./pipeline_schema.ts";
import type {
  Plugin,
  SimulatorUrls,
  SinkPlugin,
  SourcePlugin,
  TransformPlugin,
} from "../plugin.ts";
import { readPipeline } from "./read_pipeline.ts";
import { whyUnreadable } from "./read_text.ts";
import type { PluginKind, Registry } from "../registry.ts";
import { type Checking, checkStep, type FoundStep, withoutEmpty } from "./steps.ts";
import { secretsIn, secretsOf, secretsOfSinks } from "./secrets.ts";
import { type Placed, type Steps, wire } from "./wiring.ts";
import type { Yaml } from "./yaml.ts";

/** What loading takes of the world. */
export interface LoadOptions {
  /** The plugins that come along. */
  readonly registry: Registry;
  /** Reads a text file: the pipeline, and files it names in `${file:…}`. */
  readText(path: string): Promise<string>;
  /** Reads an environment variable; undefined where it is not set. */
  env(name: string): string | undefined;
  /** Gives what a program prints, for `${command:…}`. Refused where it is left out. */
  readonly command?: Lookups["command"];
  /** What the text of the pipeline was read as before, if it was. */
  readonly yaml?: Yaml | undefined;
  /** Imports a module by its URL. The runtime does by default. */
  readonly importModule?: ImportModule | undefined;
  /** Where a simulator listens: sources that have a simulated exchange are pointed at it. */
  readonly simulator?: SimulatorUrls | undefined;
  /** Whether the sinks will not be reached: their secrets are then not looked up, but `[unset]`. */
  readonly dry?: boolean | undefined;
}

/**
 * Loads and checks a pipeline file.
 *
 * @param path Its path, as the user wrote it.
 * @param options What loading takes of the world.
 * @returns A pipeline that can run.
 * @throws {PipelineFileError} If anything is wrong with it. The error carries all that is.
 *
 * @example
 * ```ts
 * import { assertRejects } from "@std/assert";
 * import { PipelineFileError } from "./diagnostics.ts";
 * import { createRegistry } from "../registry.ts";
 *
 * const registry = createRegistry({ sources: {}, transforms: {}, sinks: {} });
 * await assertRejects(
 *   () =>
 *     loadPipeline("btc.yaml", {
 *       registry,
 *       env: () => undefined,
 *       readText: () => Promise.resolve("name: btc\nsinks: []\n"),
 *     }),
 *   PipelineFileError,
 *   'btc.yaml:1:1: Cannot use the pipeline without key "sources" (and 1 more)',
 * );
 * ```
 */
export async function loadPipeline(path: string, options: LoadOptions): Promise<Pipeline> {
  return await assemble(await readSteps(path, options));
}

/** The steps of a pipeline file, as far as they are known without running any code of the user's. */
export interface KnownSteps {
  /** Those whose plugins come along, and with which nothing is wrong. */
  readonly known: readonly CheckedStep[];
  /** The modules of the others, by URL. */
  readonly modules: readonly string[];
  /**
   * The pipeline, where all its plugins come along.
   *
   * @throws {PipelineFileError} If anything is wrong with it.
   */
  pipeline(): Promise<Pipeline>;
}

/**
 * Loads the steps of a pipeline file whose plugins come along, without running any code of the
 * user's.
 *
 * @param path Its path. It must be YAML or JSON.
 * @param options What loading takes of the world; nothing is imported.
 * @throws {PipelineFileError} If the text of the file cannot be read at all.
 */
export async function loadKnownSteps(path: string, options: LoadOptions): Promise<KnownSteps> {
  const importModule = () => Promise.reject(new Error("no module is loaded here"));
  const read = await readSteps(path, { ...options, importModule });
  const { found: { all }, checking } = read;
  const uses = all.map((step) => valueAt(checking.filled.value, [...step.path, "use"]));
  return {
    known: all.flatMap(({ checked }) => checked ?? []),
    modules: uses.filter((use) => typeof use === "string").filter(isSpecifier)
      .map((use) => urlOfModule(use, checking.folder)),
    pipeline: () => assemble(read),
  };
}

/** A file that was read, and the steps that were found in it, right or wrong. */
interface ReadSteps {
  readonly document: Document;
  readonly checking: Checking;
  readonly found: FoundSteps;
}

async function readSteps(path: string, options: LoadOptions): Promise<ReadSteps> {
  const { document, checking } = await readFilled(path, options);
  return { document, checking, found: await findSteps(checking) };
}

/** Makes a pipeline of steps, if nothing is wrong with them. */
async function assemble({ document, checking, found }: ReadSteps): Promise<Pipeline> {
  const { filled, folder, registry } = checking;
  const frame = checkFrame(checking);
  const steps = rightSteps(found);
  let wiring = wire(steps, []);
  // Which transform is missing can be told once all are loaded.
  if (wiring.mistakes.length > 0) wiring = wire(steps, await transformsOf(registry));
  const mistakes = [
    ...filled.mistakes,
    ...(frame.ok ? [] : frame.mistakes),
    ...found.all.flatMap((step) => step.mistakes),
    ...doubledIds(found.all, checking, document),
    ...lostLetters(found),
    ...wiring.mistakes.map((one) => ({ ...one, message: filled.scrub(one.message) })),
  ];
  if (!frame.ok || mistakes.length > 0) {
    const secrets = found.all.flatMap((step) => secretsOf(step, filled.value));
    throw new PipelineFileError(document.diagnose(mistakes, secrets));
  }
  return {
    ...frame.data,
    folder,
    sources: steps.sources.map(({ step }) => step),
    transforms: steps.transforms.map(({ step }) => step),
    sinks: steps.sinks.map(({ step }) => step),
    deadLetter: steps.deadLetter?.step,
    deadLetterLimit: found.deadLetter?.limit,
    shapes: wiring.shapes,
    placeholders: filled.placeholders,
    secrets: [
      ...filled.secrets,
      ...found.all.flatMap(({ checked }) => secretsIn(checked?.options)),
    ],
  };
}

/** Reads a file and fills in what it leaves open. */
async function readFilled(
  path: string,
  options: LoadOptions,
): Promise<{ readonly document: Document; readonly checking: Checking }> {
  const { registry, simulator, importModule = importByRuntime } = options;
  const folder = dirname(resolve(path));
  const document = await readPipeline(path, {
    readText: (file) => options.readText(file),
    importModule,
    yaml: options.yaml,
  });
  if (document.broken.length > 0) throw new PipelineFileError(document.broken);
  const finding = { folder, registry, importModule };
  const unset = options.dry ? await secretsOfSinks(document.value, finding) : [];
  const interpolated = await interpolate(document.value, lookupsOf(folder, options), unset);
  const mistakes = [...document.mistakes, ...interpolated.mistakes];
  return { document, checking: { ...finding, simulator, filled: { ...interpolated, mistakes } } };
}

/** The steps of a file, right or wrong. */
interface FoundSteps {
  readonly sources: readonly FoundStep[];
  readonly transforms: readonly FoundStep[];
  readonly sinks: readonly FoundStep[];
  readonly deadLetter: FoundStep | undefined;
  readonly all: readonly FoundStep[];
}

function checkFrame({ filled }: Checking): Checked<Pick<Pipeline, "name" | "epoch">> {
  const checked = check(pipelineSchema, {
    owner: "the pipeline",
    noun: "key",
    path: [],
    value: withoutEmpty(filled.value),
    schema: () => jsonSchemaOf(pipelineSchema),
    filled,
  });
  if (!checked.ok) return checked;
  const { name, epoch } = checked.data;
  return { ok: true, data: { name, epoch } };
}

async function findSteps(checking: Checking): Promise<FoundSteps> {
  const value = withoutEmpty(checking.filled.value);
  const findAll = (kind: PluginKind, key: string): Promise<FoundStep[]> => {
    const steps = value[key];
    if (!Array.isArray(steps)) return Promise.resolve([]);
    return Promise.all(steps.map((_, index) => checkStep(kind, [key, index], checking)));
  };
  const [sources, transforms, sinks, deadLetter] = await Promise.all([
    findAll("source", "sources"),
    findAll("transform", "transforms"),
    findAll("sink", "sinks"),
    value.dead_letter === undefined ? undefined : checkStep("sink", ["dead_letter"], checking),
  ]);
  const all = [...sources, ...transforms, ...sinks, ...(deadLetter ? [deadLetter] : [])];
  return { sources, transforms, sinks, deadLetter, all };
}

/** What follows a transform that is wrong cannot be checked against what comes before it. */
function rightSteps({ sources, transforms, sinks, deadLetter }: FoundSteps): Steps {
  const broken = transforms.findIndex(({ checked }) => !checked);
  return {
    sources: placed(sources, isSource),
    transforms: placed(broken === -1 ? transforms : transforms.slice(0, broken), isTransform),
    sinks: broken === -1 ? placed(sinks, isSink) : [],
    deadLetter: placed(deadLetter ? [deadLetter] : [], isSink)[0],
  };
}

function lookupsOf(folder: string, options: LoadOptions): Lookups {
  return {
    env: (name) => options.env(name),
    readText: (file) => readOther(resolve(folder, file), options),
    ...options.command ? { command: options.command } : {},
  };
}

async function readOther(path: string, options: LoadOptions): Promise<string> {
  try {
    return await options.readText(path);
  } catch (error) {
    throw new OptionsError(whyUnreadable(error));
  }
}

function placed<P extends Plugin>(
  steps: readonly FoundStep[],
  isWanted: (plugin: Plugin) => plugin is P,
): Placed<P>[] {
  return steps.flatMap(({ path, checked }) => {
    if (!checked || !isWanted(checked.plugin)) return [];
    return [{ path, step: { ...checked, plugin: checked.plugin } }];
  });
}

async function transformsOf(registry: Registry): Promise<TransformPlugin[]> {
  return (await registry.list("transform")).filter(isTransform);
}

const isSource = (plugin: Plugin): plugin is SourcePlugin => plugin.kind === "source";
const isTransform = (plugin: Plugin): plugin is TransformPlugin => plugin.kind === "transform";
const isSink = (plugin: Plugin): plugin is SinkPlugin => plugin.kind === "sink";

function doubledIds(
  steps: readonly FoundStep[],
  { filled }: Checking,
  document: Document,
): Mistake[] {
  const mistakes: Mistake[] = [];
  const first = new Map<string, FoundStep>();
  for (const step of steps) {
    if (step.id === undefined) continue;
    const other = first.get(step.id);
    first.set(step.id, other ?? step);
    if (!other) continue;
    const path = [...step.path, "id"];
    const id = quote(filled.written(path) ?? step.id);
    mistakes.push({
      path,
      message: `Cannot use id ${id} for ${step.name} as ids must be unique: ${other.name} at ` +
        `${document.whereIs(other.path)} has it`,
      hint: 'Give one of them an "id" of its own',
    });
  }
  return mistakes;
}

function lostLetters({ all, deadLetter }: FoundSteps): Mistake[] {
  return all.filter((step) => step.onError === "dead_letter").flatMap((step) => {
    const path = [...step.path, "on_error"];
    const what = `Cannot use "on_error: dead_letter" of ${step.name}`;
    if (step === deadLetter) {
      return [{ path, message: `${what} as it is where dead letters go`, hint: 'Use "drop"' }];
    }
    if (deadLetter) return [];
    const message = `${what} as the pipeline must have "dead_letter": it has none`;
    return [{ path, message, hint: 'Add a sink as "dead_letter", or use "on_error: drop"' }];
  });
}
