/** All fuzz targets. A new one is one entry in the list of its file, or one more list here. */

import { ANSWERS } from "./answers.ts";
import { CANDLES } from "./candles.ts";
import { CHECKPOINTS } from "./checkpoints.ts";
import { INFLUXDB } from "./influxdb.ts";
import { LETTERS } from "./letters.ts";
import { PIPELINE_FILES } from "./pipeline_files.ts";
import { POINTS } from "./points.ts";
import { ROWS } from "./rows.ts";
import type { FuzzTarget } from "./target.ts";
import { VALUES } from "./values.ts";

/** All targets. */
export const TARGETS: readonly FuzzTarget[] = [
  ...PIPELINE_FILES,
  ...ROWS,
  ...CANDLES,
  ...ANSWERS,
  ...POINTS,
  ...VALUES,
  ...INFLUXDB,
  ...LETTERS,
  ...CHECKPOINTS,
];
