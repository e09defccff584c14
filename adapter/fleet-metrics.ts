/**
 * The fleet as metrics: a few for each enforcer, of a bounded number of them.
 *
 * @module
 */
import { Gauge, type Registry } from 'prom-client'
import type { FleetNode } from './fleet-node.ts'
import type { FleetStatus } from './fleet-status.ts'

const labelNames = ['label', 'instance', 'identity'] as const

const gauges: readonly { name: string; help: string; value: (node: FleetNode) => number }[] = [
  {
    name: 'rescind_adapter_node_connected',
    help: 'Whether the enforcer is connected (1), or was until a short time ago (0).',
    value: node => Number(node.connected),
  },
  {
    name: 'rescind_adapter_node_acked_version',
    help: 'Position in the event log that the enforcer said it has; -1 if it said none.',
    value: node => node.ackedVersion,
  },
  {
    name: 'rescind_adapter_node_lag_versions',
    help: 'Positions of the event log that the enforcer lacks.',
    value: node => node.lagVersions,
  },
  {
    name: 'rescind_adapter_node_lag_seconds',
    help: 'How long the enforcer has lacked something that is served; 0 if it has everything.',
    value: node => node.lagSeconds,
  },
]

/**
 * Adds the metrics of each enforcer. Beyond `nodesLimit` enforcers (default 1,000) only the worst ones have them; those
 * that are forgotten lose them.
 */
export function addFleetMetrics(registry: Registry, status: () => FleetStatus, nodesLimit = 1_000): void {
  const nodes = askedOnce(() => status().nodes.slice(0, nodesLimit))
  for (const { name, help, value } of gauges) {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset()
        for (const node of nodes()) {
          const { label, instance, identity = '' } = node
          this.set({ label, instance, identity }, value(node))
        }
      },
    })
  }
}

/** All gauges are collected in one go: what the first has asked for serves the others too. */
function askedOnce<Value>(ask: () => Value): () => Value {
  let answer: { readonly value: Value } | undefined
  return () => {
    if (answer === undefined) {
      answer = { value: ask() }
      queueMicrotask(() => {
        answer = undefined
      })
    }
    return answer.value
  }
}
