/**
 * Waits until everything that runs has what is in the log.
 *
 * @module
 */
import { until } from '../support/condition.ts'
import { takeVersion } from '../support/revoking.ts'
import type { World } from './world.ts'

interface Nodes {
  readonly version: number
  readonly nodes: readonly { readonly instance: string; readonly ackedVersion: number }[]
}

const settleTimeoutMs = 60_000

/** Appends an entry and waits until each enforcer has said to an adapter that it has it; gives its position. */
export async function settle({ nodes, revokers, adapters, enforcers }: World): Promise<number> {
  for (const node of nodes) await node.checkAlive()
  const [revoker] = revokers
  const version = await until('a revoker takes one more revocation', () => takeVersion(revoker?.port ?? 0), {
    timeoutMs: settleTimeoutMs,
  })
  const isEverywhere = async () => {
    const seen = await Promise.all(adapters.map(({ adminPort }) => fetchNodes(adminPort)))
    const ready = seen.flatMap(each => each.nodes).filter(node => node.ackedVersion >= version)
    return (
      seen.every(each => each.version >= version) &&
      enforcers.every(({ name }) => ready.some(node => node.instance === name))
    )
  }
  await until(`all enforcers have version ${version}`, isEverywhere, { timeoutMs: settleTimeoutMs })
  return version
}

const fetchNodes = async (adminPort: number): Promise<Nodes> =>
  (await (await fetch(`http://127.0.0.1:${adminPort}/nodes`)).json()) as Nodes
