/** The dashboards of `deploy/`, as far as tests look at them. */

import { fromFileUrl, join } from "@std/path";
import { parse as parseYaml } from "yaml";

const DEPLOY = fromFileUrl(new URL("../../deploy/", import.meta.url));

export interface Query {
  /** Where it is: a panel or a variable. */
  readonly name: string;
  /** The uid of its data source. */
  readonly source: string;
  /** The query itself. */
  readonly text: string;
}

export interface Dashboard {
  readonly file: string;
  readonly uid: string;
  readonly variables: readonly string[];
  readonly queries: readonly Query[];
}

/** Reads all dashboards. */
export async function readDashboards(): Promise<Dashboard[]> {
  const folder = join(DEPLOY, "grafana/dashboards");
  const dashboards: Dashboard[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    dashboards.push(dashboardOf(name, JSON.parse(await Deno.readTextFile(join(folder, name)))));
  }
  return dashboards.sort((a, b) => a.file < b.file ? -1 : 1);
}

/** Reads a YAML file of `deploy/`. */
export async function readDeploy(path: string): Promise<Record<string, unknown>> {
  return parseYaml(await Deno.readTextFile(join(DEPLOY, path)));
}

// deno-lint-ignore no-explicit-any -- a dashboard has hundreds of properties, of which a few matter
function dashboardOf(file: string, json: any): Dashboard {
  const queries: Query[] = [];
  for (const { title, targets } of json.panels) {
    for (const { datasource, query, expr } of targets) {
      queries.push({ name: title, source: datasource.uid, text: query ?? expr });
    }
  }
  for (const { name, datasource, query } of json.templating.list) {
    queries.push({ name: `variable ${name}`, source: datasource.uid, text: query.query ?? query });
  }
  const variables = json.templating.list.map(({ name }: { name: string }) => name);
  return { file, uid: json.uid, variables, queries };
}
