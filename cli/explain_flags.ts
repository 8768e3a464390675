/**
 * What `explain` is given: apart from what it does, which is loaded when it is called.
 *
 * @module
 */

/** How an explanation is written. */
export const EXPLAIN_FORMATS = ["text", "mermaid", "json"] as const;

/** What `explain` is given. */
export interface ExplainFlags {
  /** The pipeline file. */
  readonly file: string;
  /** How it is written. */
  readonly format: typeof EXPLAIN_FORMATS[number];
  /** Where checkpoints are kept. */
  readonly state: string | undefined;
}
