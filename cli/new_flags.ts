/**
 * What `new` is given: apart from what it does, which is loaded when it is called.
 *
 * @module
 */

/** What can be made. */
export const NEW_THINGS = ["pipeline", "plugin"] as const;

/** The kinds of plugins. */
export const NEW_KINDS = ["source", "transform", "sink"] as const;

/** What `new` is given. */
export interface NewFlags {
  /** What is made. */
  readonly thing: typeof NEW_THINGS[number];
  /** Its name. */
  readonly name: string;
  /** The kind of a plugin. */
  readonly kind: typeof NEW_KINDS[number];
}
