/** Starts the benchmarks as penstock starts a pipeline: with the same flags of V8. */

import { fromFileUrl } from "@std/path";
import { V8_FLAGS } from "../cli/confine/flags.ts";

const BENCHES = fromFileUrl(new URL("./mod.ts", import.meta.url));

const { code } = await new Deno.Command(Deno.execPath(), {
  args: ["run", "--quiet", V8_FLAGS, "--allow-all", BENCHES],
}).spawn().status;
Deno.exit(code);
