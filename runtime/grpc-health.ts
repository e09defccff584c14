/**
 * The gRPC health checking protocol (grpc.health.v1) on a server of ours.
 *
 * @module
 */
import type { Server, ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js'
import { type HealthMessage, healthService } from '../proto/wire.ts'

/** Whether the process serves; one answer for every service name. */
export interface Health {
  readonly isServing: boolean
  /** Changes the answer, and tells those who watch. */
  set(isServing: boolean): void
  /** Calls back at each change; returns how to stop that. */
  watch(listener: () => void): () => void
}

/** Most streams that watch; others get the answer once. */
const watchersLimit = 1_000

/** Health that is NOT_SERVING until it is set. */
export function createHealth(): Health {
  const listeners = new Set<() => void>()
  let isServing = false
  return {
    get isServing() {
      return isServing
    },
    set: serving => {
      if (serving === isServing) return
      isServing = serving
      for (const listener of listeners) listener()
    },
    watch: listener => {
      if (listeners.size < watchersLimit) listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** Adds the health service to a server. */
export function addHealthService(server: Server, health: Health): void {
  const answer = () => ({ status: health.isServing ? 'SERVING' : 'NOT_SERVING' }) as HealthMessage
  server.addService(healthService, {
    Check: (_: ServerUnaryCall<unknown, HealthMessage>, reply: sendUnaryData<HealthMessage>) =>
      reply(null, answer()),
    Watch: (call: ServerWritableStream<unknown, HealthMessage>) => {
      call.write(answer())
      const stop = health.watch(() => call.write(answer()))
      call.on('cancelled', stop)
      call.on('close', stop)
    },
  })
}
