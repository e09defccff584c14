/** How a revoker asks adapters over HTTP and HTTPS, and what it makes of servers that are none. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after, afterEach, before, describe, test } from 'node:test'
import {
  type AdapterSources,
  type AdapterSourcesOptions,
  createAdapterSources,
} from '../../revoker/confirmation/adapter-sources.ts'
import {
  createAuthority,
  createTestFolder,
  type TestAuthority,
  type TestFolder,
} from '../support/certificates.ts'
import { enforcerView, fleetView } from '../support/fleet-views.ts'
import { close, listen } from '../support/listening.ts'

const never = new AbortController().signal
const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

const serve = async (listener: RequestListener, server: Server = createServer()): Promise<number> => {
  server.on('request', listener)
  ends.push(() => close(server, () => server.closeAllConnections()))
  return listen(server)
}

const adapter =
  (instance: string): RequestListener =>
  (_, response) => {
    response.end(JSON.stringify(fleetView([enforcerView(instance)])))
  }

const sourcesOf = (
  adapters: readonly string[],
  more: Partial<AdapterSourcesOptions> = {},
): AdapterSources => {
  const sources = createAdapterSources({
    ...{ adapters, tls: {}, rememberedMs: 60_000, connectionsLimit: 4 },
    ...more,
  })
  ends.push(sources.close)
  return sources
}

const askAll = async (sources: AdapterSources, waitMs = 5_000) => {
  const all = await sources.current()
  const answers = await Promise.all(all.map(each => each.ask({ version: 7, digest: 255n }, waitMs, never)))
  return answers.map(({ view, problem }) => view?.nodes[0]?.instance ?? problem)
}

describe('an adapter', () => {
  test('is asked for version, digest and time at its own path, on a connection that is kept', async () => {
    const seen: (string | undefined)[] = []
    const connections = new Set<unknown>()
    const port = await serve((request, response) => {
      seen.push(request.url)
      connections.add(request.socket)
      adapter('one')(request, response)
    })
    const sources = sourcesOf([`http://127.0.0.1:${port}/behind/`])
    assert.deepEqual([await askAll(sources, 30), await askAll(sources, 0)], [['one'], ['one']])
    assert.deepEqual(seen, [
      '/behind/nodes?version=7&digest=00000000000000ff&waitMs=30',
      '/behind/nodes?version=7&digest=00000000000000ff&waitMs=0',
    ])
    assert.equal(connections.size, 1)
  })

  const others: Readonly<Record<string, [RequestListener, RegExp]>> = {
    'that lets nobody wait any more': [(_, response) => response.writeHead(503).end(), /too many wait/],
    'that refuses the question': [(_, response) => response.writeHead(400).end(), /^answered 400$/],
    'that leads elsewhere': [
      (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      /^answered 302$/,
    ],
    'that is none': [(_, response) => response.end('{"live":true}'), /not that of an adapter/],
    'that speaks no JSON': [(_, response) => response.end('<html>'), /JSON/],
    'that hangs up': [request => request.socket.destroy(), /socket hang up|ECONNRESET/],
    'that never answers': [() => undefined, /^no answer in time$/],
    'that never ends': [
      (_, response) => {
        const more = () => {
          while (response.write('x'.repeat(1_000_000)));
        }
        response.on('drain', more)
        more()
      },
      /larger than \d+ bytes|in time/,
    ],
  }
  for (const [what, [listener, problem]] of Object.entries(others))
    test(`${what} has a problem`, async () => {
      const port = await serve(listener)
      assert.match((await askAll(sourcesOf([`http://127.0.0.1:${port}`]), 0)).join(), problem)
    })

  test('stands for every address of its name', async () => {
    const port = await serve(adapter('one'))
    const other = createServer(adapter('two'))
    ends.push(() => close(other, () => other.closeAllConnections()))
    await new Promise<void>(done => other.listen(port, '127.0.0.2', done))
    const sources = sourcesOf([`dns+http://adapters.test:${port}`], {
      resolve: async name => (name === 'adapters.test' ? ['127.0.0.1', '127.0.0.2'] : []),
    })
    assert.deepEqual((await askAll(sources)).toSorted(), ['one', 'two'])
    await close(other, () => other.closeAllConnections())
    assert.match((await askAll(sources)).join(), /ECONNREFUSED|hang up/)
  })

  test('whose name cannot be resolved has a problem', async () => {
    const sources = sourcesOf(['dns+http://adapters.test:1'], {
      resolve: async () => {
        throw new Error('ENOTFOUND')
      },
    })
    assert.deepEqual(await askAll(sources), ['cannot be resolved (ENOTFOUND)'])
  })

  test('beyond the 64th is not asked, which is a problem', async () => {
    const sources = sourcesOf(['dns+http://a.test:1', 'dns+http://b.test:1'], {
      resolve: async name => Array.from({ length: 40 }, (_, index) => `127.${name.length}.0.${index}`),
    })
    assert.deepEqual((await sources.current()).length, 65)
    assert.match((await askAll(sources)).at(-1) ?? '', /^more than 64 adapters$/)
  })
})

describe('an adapter over HTTPS', () => {
  let folder: TestFolder
  let authority: TestAuthority
  before(async () => {
    folder = createTestFolder()
    authority = await createAuthority(folder.path, 'authority')
  })
  after(() => folder?.remove())

  const serveTls = async (instance: string) => {
    const { certFile, keyFile } = await authority.issue('admin', { names: 'DNS:adapters.test' })
    const options = { cert: readFileSync(certFile), key: readFileSync(keyFile) }
    const server = createTlsServer(options, adapter(instance))
    ends.push(() => close(server, () => server.closeAllConnections()))
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    return (server.address() as AddressInfo).port
  }
  const resolve = async () => ['127.0.0.1']

  test('is believed when its certificate has its name and comes from the configured authority', async () => {
    const port = await serveTls('one')
    const tls = { ca: readFileSync(authority.caFile, 'utf8') }
    assert.deepEqual(await askAll(sourcesOf([`dns+https://adapters.test:${port}`], { tls, resolve })), [
      'one',
    ])
    const byAddress = sourcesOf([`https://127.0.0.1:${port}`], {
      tls: { ...tls, servername: 'adapters.test' },
    })
    assert.deepEqual(await askAll(byAddress), ['one'])
  })

  test('is not believed with another name, or from another authority', async () => {
    const port = await serveTls('one')
    const tls = { ca: readFileSync(authority.caFile, 'utf8') }
    const ofOther = sourcesOf([`dns+https://other.test:${port}`], { tls, resolve })
    assert.match((await askAll(ofOther)).join(), /does not match certificate/)
    const ofAny = sourcesOf([`dns+https://adapters.test:${port}`], { resolve })
    assert.match((await askAll(ofAny)).join(), /certificate/)
  })
})
