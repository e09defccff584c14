/**
 * Gauges that are read when metrics are asked for.
 *
 * @module
 */
import { Gauge, type Registry } from 'prom-client'

/** Adds a gauge whose value is what `value` gives at each scrape. */
export function addGauge(registry: Registry, name: string, help: string, value: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(value())
    },
  })
}
