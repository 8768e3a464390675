/**
 * Dead letters on their way back: read from where they were kept, each once.
 *
 * @module
 */

import { parseDeadLetter, type ReadLetter } from "./dead_letter.ts";
import { FatalError } from "../errors.ts";
import { hintForName } from "../nearest.ts";
import type { Pipeline } from "../pipeline.ts";

/** Letters that are put through together. */
const BATCH_LETTERS = 500;

/** A file of dead letters. */
export interface LetterFile {
  /** Its name: what was done of it is kept under this name. */
  readonly name: string;
  /** Its lines, from the first on. */
  lines(): AsyncIterable<string>;
}

/** Letters of one step that follow each other. */
export interface LetterBatch {
  /** The step that refused them. */
  readonly step: string;
  /** The records. */
  readonly records: readonly unknown[];
  /** The file they are in. */
  readonly file: string;
  /** How many of its lines are done after these. */
  readonly lines: number;
}

/**
 * Reads the letters that were not put through yet.
 *
 * What is added to a file while it is read, as letters that are refused once more, is left for
 * another time.
 *
 * @param pipeline The pipeline they are of.
 * @param files The files, in order.
 * @param done How many lines of each file are done.
 * @throws {FatalError} If a line is no letter of this pipeline, or is of a step it does not have.
 */
export async function* readLetters(
  pipeline: Pipeline,
  files: readonly LetterFile[],
  done: Readonly<Record<string, number>>,
): AsyncGenerator<LetterBatch> {
  const names = [...pipeline.transforms, ...pipeline.sinks].map(({ id }) => id);
  for (const file of files) {
    const doneThere = done[file.name] ?? 0;
    const end = await countLines(file);
    let line = 0;
    let step: string | undefined;
    let records: unknown[] = [];
    for await (const text of file.lines()) {
      if (++line <= doneThere) continue;
      if (line > end) break;
      const letter = letterIn(pipeline, names, file, line, text);
      if (step !== undefined && (letter.step !== step || records.length === BATCH_LETTERS)) {
        yield { step, records, file: file.name, lines: line - 1 };
        records = [];
      }
      step = letter.step;
      records.push(letter.record);
    }
    if (step !== undefined) yield { step, records, file: file.name, lines: end };
  }
}

async function countLines(file: LetterFile): Promise<number> {
  let lines = 0;
  for await (const _ of file.lines()) lines++;
  return lines;
}

function letterIn(
  pipeline: Pipeline,
  names: readonly string[],
  file: LetterFile,
  line: number,
  text: string,
): ReadLetter {
  const letter = parseDeadLetter(text);
  const refuse = (must: string, hint?: string): never => {
    const what = `Cannot replay line ${line} of "${file.name}"`;
    throw new FatalError(`${what} as ${must}`, { hint });
  };
  if (typeof letter === "string") return refuse(letter);
  if (letter.pipeline !== pipeline.name) {
    return refuse(
      `it must be of pipeline "${pipeline.name}": it is of ${JSON.stringify(letter.pipeline)}`,
    );
  }
  if (names.includes(letter.step)) return letter;
  return refuse(
    `the step that refused it must be one of the pipeline: ${JSON.stringify(letter.step)} is none`,
    hintForName(letter.step, names, "The steps that may refuse records"),
  );
}
