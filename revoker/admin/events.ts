/**
 * `GET /events` of the admin API: what is appended to the log from now on, as server-sent events.
 *
 * @module
 */
import type { ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import type { LogFollower } from '../../event-log/follow.ts'
import { sendProblem } from '../problem.ts'
import { createEventListeners, type EventSink } from './event-listeners.ts'
import { problemAnswer } from './fields.ts'

const beatMs = 5_000

const stream = {
  description:
    'Server-sent events: revocation, restoration and claim-set, each with JSON; comments in between.',
  content: { 'text/event-stream': { schema: Type.String() } },
}

/** Adds the route to a server. Listeners are told from when they were answered; nothing is repeated. */
export function addEvents(server: FastifyInstance, follower: LogFollower): void {
  const listeners = createEventListeners()
  const stopListening = follower.onApplied((entry, applied) => {
    // A log that is read again from its start tells nothing new; who listens must know that something may be missing.
    if (follower.complete) listeners.applied(entry, applied)
    else listeners.close()
  })
  const beating = setInterval(listeners.beat, beatMs)
  // A server that closes waits for its answers, and these would never end.
  server.addHook('preClose', async () => {
    stopListening()
    clearInterval(beating)
    listeners.close()
  })
  server.get(
    '/events',
    {
      // An answer to HEAD would never end.
      exposeHeadRoute: false,
      schema: {
        operationId: 'events',
        summary: 'Follow what is appended to the event log',
        response: { 200: stream, '4xx': problemAnswer, '5xx': problemAnswer },
      },
    },
    async (_request, reply) => {
      // Who has gone meanwhile is never told of again.
      if (reply.raw.destroyed) return reply.hijack()
      const sink = sinkOf(reply.raw)
      if (!listeners.add(sink)) {
        const detail = 'too many listeners; try again later'
        return sendProblem(reply, { status: 503, code: 'ERR_OVERLOADED', detail })
      }
      reply.hijack()
      reply.raw.on('close', () => listeners.remove(sink))
      return reply
    },
  )
}

/** The head of the answer goes with the first text. */
const sinkOf = (response: ServerResponse): EventSink => ({
  write: text => {
    if (!response.headersSent) {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    }
    response.write(text)
  },
  get pendingBytes() {
    return response.writableLength
  },
  end: () => response.destroy(),
})
