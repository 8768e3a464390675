/**
 * A run's metrics as Prometheus reads them.
 *
 * Names follow its conventions: `penstock_` and what is measured, base units, `_total` for counters.
 * A metric of a plugin has the plugin's id before its name. Each one has the labels `pipeline` and,
 * where it belongs to one, `step`.
 *
 * @module
 */

import { Counter, Gauge, Registry } from "prom-client";
import type { StepLedger } from "../run/ledger.ts";
import type { Metric, MetricValue } from "./measurements.ts";
import type { Monitor, RunView } from "./monitor.ts";

/** All values of one name. */
interface Family {
  readonly name: string;
  readonly help: string;
  readonly kind: Metric["kind"];
  readonly values: MetricValue[];
}

/**
 * The metrics of a run, in Prometheus' text format.
 *
 * @param monitor What watches the run. Before the run begins and after it has ended, there is only
 * what plugins counted.
 * @param pipeline Name of the pipeline.
 * @param process What is known of the process.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { Monitor } from "./monitor.ts";
 *
 * const monitor = new Monitor();
 * monitor.measurements.of({ id: "feed", plugin: { id: "binance_rest" } }).count("requests", 3);
 * assertStringIncludes(
 *   await renderMetrics(monitor, "btc"),
 *   'penstock_binance_rest_requests_total{step="feed",pipeline="btc"} 3',
 * );
 * ```
 */
export async function renderMetrics(
  monitor: Monitor,
  pipeline: string,
  process?: { readonly memoryBytes: number },
): Promise<string> {
  const registry = new Registry();
  registry.setDefaultLabels({ pipeline });
  const { view } = monitor;
  const families = [
    gauge("penstock_ready", "Whether all is caught up and acknowledged: 1 or 0", [
      { labels: {}, value: monitor.unready().length === 0 ? 1 : 0 },
    ]),
    ...(view ? familiesOfRun(view) : []),
    ...familiesOfSeries(monitor),
    ...familiesOfPlugins(monitor.measurements.all()),
    ...(process ? [memoryOf(process)] : []),
  ];
  const taken = new Set<string>();
  for (const family of families) {
    // Two ids may come to the same name; which is whose could not be told.
    if (!taken.has(family.name)) register(family, registry);
    taken.add(family.name);
  }
  return await registry.metrics();
}

function register({ name, help, kind, values }: Family, registry: Registry): void {
  const labelNames = [...new Set(values.flatMap(({ labels }) => Object.keys(labels)))];
  const options = { name, help, labelNames, registers: [registry] };
  if (kind === "gauge") {
    const metric = new Gauge(options);
    for (const { labels, value } of values) metric.set(labels, value);
    return;
  }
  const metric = new Counter(options);
  for (const { labels, value } of values) metric.inc(labels, value);
}

const COUNTS: readonly (keyof StepLedger)[] = ["in", "out", "extra", "filtered", "rejected"];

function familiesOfRun(view: RunView): Family[] {
  const { ledger, deliveries, epochs, savedMs, nowMs } = view;
  const records = (["sources", "transforms", "sinks"] as const).flatMap((kind) =>
    Object.entries(ledger[kind]).flatMap(([step, counts]) =>
      COUNTS.map((count) => ({
        labels: { kind: kind.slice(0, -1), step, count },
        value: counts[count],
      }))
    )
  );
  const ofSinks = (value: (delivery: RunView["deliveries"][number]) => number) =>
    deliveries.map((delivery) => ({ labels: { step: delivery.step.id }, value: value(delivery) }));
  return [
    counter("penstock_records", "Records by step since the first run, as in the ledger", records),
    counter(
      "penstock_acknowledged_bytes",
      "Bytes that a sink has acknowledged",
      ofSinks(({ bytes }) => bytes),
    ),
    gauge(
      "penstock_waiting_bytes",
      "Bytes that wait for a sink to acknowledge them",
      ofSinks(({ waitingBytes }) => waitingBytes),
    ),
    gauge(
      "penstock_unacknowledged_seconds",
      "How long a sink has acknowledged nothing although something waits for it",
      ofSinks(({ waitingSinceMs = nowMs }) => (nowMs - waitingSinceMs) / 1_000),
    ),
    counter("penstock_checkpoints", "Checkpoints that were saved", [{ labels: {}, value: epochs }]),
    gauge("penstock_last_checkpoint_timestamp_seconds", "When the last checkpoint was saved", [
      { labels: {}, value: savedMs / 1_000 },
    ]),
  ];
}

function familiesOfSeries({ series }: Monitor): Family[] {
  const all = [...series].flatMap(([step, statuses]) =>
    statuses.map((status) => ({ status, labels: { step, ...status.labels } }))
  );
  if (all.length === 0) return [];
  return [
    gauge(
      "penstock_series_live",
      "Whether a series is caught up and hears what comes next: 1 or 0",
      all.map(({ labels, status }) => ({ labels, value: status.isLive ? 1 : 0 })),
    ),
    gauge(
      "penstock_series_lag_seconds",
      "How far a series is behind what there is to read",
      all.map(({ labels, status }) => ({ labels, value: status.lagMs / 1_000 })),
    ),
    gauge(
      "penstock_series_last_close_timestamp_seconds",
      "The end of the last candle, or the like, that a series gave",
      all.flatMap(({ labels, status: { lastMs } }) =>
        lastMs === undefined ? [] : [{ labels, value: lastMs / 1_000 }]
      ),
    ),
  ];
}

function familiesOfPlugins(metrics: readonly Metric[]): Family[] {
  const families = new Map<string, Family>();
  for (const { step, plugin, name, kind, values } of metrics) {
    const help = `${name.replaceAll("_", " ")}, as plugin "${plugin}" counts it`;
    const made = (kind === "gauge" ? gauge : counter)(`penstock_${plugin}_${name}`, help, []);
    const family = families.get(made.name) ?? made;
    families.set(family.name, family);
    family.values.push(
      ...values.map(({ labels, value }) => ({ labels: { step, ...labels }, value })),
    );
  }
  return [...families.values()];
}

/** The name that every exporter has for it. */
function memoryOf({ memoryBytes }: { readonly memoryBytes: number }): Family {
  return gauge("process_resident_memory_bytes", "Memory of this process", [
    { labels: {}, value: memoryBytes },
  ]);
}

function gauge(name: string, help: string, values: MetricValue[]): Family {
  return { name, help, kind: "gauge", values };
}

function counter(name: string, help: string, values: MetricValue[]): Family {
  return { name: `${name}_total`, help, kind: "counter", values };
}
