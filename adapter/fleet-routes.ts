/**
 * The fleet over HTTP, at an adapter's admin port: `GET /nodes` for programs, `GET /nodes/events` as server-sent events,
 * and `GET /` the page for people.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Adapter } from './adapter.ts'
import { createFleetEvents, type FrameSink } from './fleet-events.ts'
import type { FleetStatus } from './fleet-status.ts'
import { versionAsked } from './version-question.ts'

const tickMs = 1_000

/** The page and what it loads, from fleet-page/. */
const pageFiles = [
  { path: '/', file: 'index.html', type: 'text/html; charset=utf-8' },
  { path: '/page.js', file: 'page.js', type: 'text/javascript; charset=utf-8' },
  { path: '/style.css', file: 'style.css', type: 'text/css; charset=utf-8' },
  { path: '/icon.svg', file: 'icon.svg', type: 'image/svg+xml' },
] as const

/** The page loads only these files and asks only this server; nothing in it can be framed or sent elsewhere. */
const pageHeaders = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
} as const

/** Adds the routes to a server that does not listen yet. */
export function addFleetRoutes(server: FastifyInstance, adapter: Pick<Adapter, 'status' | 'statusAt'>): void {
  server.get('/nodes', (request, reply) => answerNodes(request, reply, adapter))
  addEvents(server, adapter.status)
  for (const { path, file, type } of pageFiles) {
    const content = readFileSync(new URL(`fleet-page/${file}`, import.meta.url))
    server.get(path, async (_request, reply) => reply.headers(pageHeaders).type(type).send(content))
  }
}

/** At once, or with `?version=N&digest=D&waitMs=M` when all enforcers that are connected have that version. */
async function answerNodes(
  request: FastifyRequest,
  reply: FastifyReply,
  { status, statusAt }: Pick<Adapter, 'status' | 'statusAt'>,
) {
  const query = request.query as Record<string, unknown>
  if (Object.keys(query).length === 0) return status()
  const asked = versionAsked(query)
  if (asked === undefined) return reply.code(400).send({ error: 'invalid_request' })
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  return (await statusAt(asked, asked.waitMs, gone.signal)) ?? refuse(reply, 'too_many_waiting')
}

function addEvents(server: FastifyInstance, status: () => FleetStatus): void {
  const events = createFleetEvents(status)
  const ticking = setInterval(events.tick, tickMs)
  server.addHook('onClose', async () => clearInterval(ticking))
  // An answer to HEAD would never end.
  server.get('/nodes/events', { exposeHeadRoute: false }, async (_request, reply) => {
    const sink = sinkOf(reply.raw)
    if (!events.add(sink)) return refuse(reply, 'too_many_listeners')
    reply.hijack()
    reply.raw.on('drain', () => events.drained(sink))
    reply.raw.on('close', () => events.remove(sink))
    return reply
  })
}

/** The head of the answer goes with the first frame. */
const sinkOf = (response: ServerResponse): FrameSink => ({
  write: text => {
    if (!response.headersSent) {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    }
    return response.write(text)
  },
  end: () => response.destroy(),
})

const refuse = (reply: FastifyReply, error: string) =>
  reply.code(503).header('retry-after', '10').send({ error })
