export interface ParseOptions {
  boolean?: boolean | readonly string[];
  string?: readonly string[];
  collect?: readonly string[];
  negatable?: readonly string[];
  default?: Record<string, unknown>;
  alias?: Record<string, string | readonly string[]>;
  stopEarly?: boolean;
  "--"?: boolean;
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}
// deno-lint-ignore no-explicit-any -- the real type is computed from the options
export function parseArgs(args: readonly string[], options?: ParseOptions): Record<string, any> & {
  _: Array<string | number>;
};
