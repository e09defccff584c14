/**
 * Where a Redis is, as people write it: `redis://host:6379/0`, `redis+sentinel://a:26379,b:26379/mymaster`,
 * `redis+cluster://a:6379,b:6379`; `rediss` instead of `redis` means TLS.
 *
 * @module
 */
import { RescindError } from '../../revocation/error.ts'

/** A host (IPv6 without brackets) and a port. */
export interface RedisNode {
  readonly host: string
  readonly port: number
}

/** What a URL says. */
export interface RedisUrl {
  readonly kind: 'standalone' | 'sentinel' | 'cluster'
  readonly tls: boolean
  /** The ACL user; absent: the default user. */
  readonly username: string | undefined
  /** The server itself, the sentinels, or the cluster nodes that are asked first. */
  readonly nodes: readonly RedisNode[]
  /** What the sentinels call the master; only with `sentinel`. */
  readonly masterName: string | undefined
  /** 0 in a cluster. */
  readonly db: number
}

const nodesLimit = 32
const urlPattern = /^redis(s?)(\+sentinel|\+cluster)?:\/\/(?:([^@/]*)@)?([^@/?#]+)(?:\/([^?#]*))?$/
const nodePattern = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/

/**
 * Reads a URL. A password in it is refused, because URLs get logged.
 *
 * @param setting the section of the URL, for errors.
 * @throws RescindError ERR_CONFIG_INVALID; its message never shows the URL.
 */
export function parseRedisUrl(text: string, setting = 'eventLog.redis'): RedisUrl {
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof InvalidUrl)) throw error
    throw new RescindError(
      'ERR_CONFIG_INVALID',
      `${setting}.url: ${error.message}; write redis://host:port/db, redis+sentinel://host:port,host:port/master-name or redis+cluster://host:port,host:port`,
    )
  }
}

function parse(text: string): RedisUrl {
  const [, secure, way, user, hosts, path = ''] = urlPattern.exec(text) ?? []
  if (hosts === undefined) throw invalid('is not a URL of Redis')
  if (user?.includes(':')) throw invalid('holds a password, which belongs into the setting password')
  const kind = way === undefined ? 'standalone' : way === '+sentinel' ? 'sentinel' : 'cluster'
  const nodes = hosts.split(',').map(node => parseNode(node, kind === 'sentinel' ? 26_379 : 6_379))
  if (nodes.length > nodesLimit) throw invalid(`names more than ${nodesLimit} hosts`)
  if (kind === 'standalone' && nodes.length > 1)
    throw invalid('names several hosts: write redis+sentinel:// or redis+cluster://')
  return {
    kind,
    tls: secure === 's',
    username: user ? decode(user) : undefined,
    nodes,
    ...parsePath(kind, path),
  }
}

/** Hosts and ports for people, without anything secret. */
export const describeRedis = ({ nodes }: RedisUrl): string => nodes.map(formatNode).join(',')

/** `host:port`, or `[IPv6]:port`. */
export const formatNode = ({ host, port }: RedisNode): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

function parseNode(text: string, defaultPort: number): RedisNode {
  const [, ipv6, name, digits] = nodePattern.exec(text) ?? []
  const host = ipv6 ?? name
  const port = digits === undefined ? defaultPort : Number(digits)
  if (host === undefined || port < 1 || port > 65_535) throw invalid('needs hosts as host:port')
  return { host, port }
}

function parsePath(kind: RedisUrl['kind'], path: string): Pick<RedisUrl, 'masterName' | 'db'> {
  if (kind === 'standalone') return { masterName: undefined, db: parseDb(path) }
  if (kind === 'cluster') {
    if (path !== '') throw invalid('names a database, but a cluster has none')
    return { masterName: undefined, db: 0 }
  }
  const [name = '', db = '', ...rest] = path.split('/')
  if (name === '' || rest.length > 0)
    throw invalid("needs the master's name: redis+sentinel://host:port/master-name")
  return { masterName: decode(name), db: parseDb(db) }
}

function parseDb(text: string): number {
  if (text === '') return 0
  if (!/^\d{1,5}$/.test(text)) throw invalid('needs a number as its database')
  return Number(text)
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalid('has a % that does not belong there')
  }
}

class InvalidUrl extends Error {}

const invalid = (problem: string) => new InvalidUrl(problem)
