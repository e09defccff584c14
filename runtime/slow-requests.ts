/**
 * Limits for clients that send slowly. Fastify's own `requestTimeout` is set after Node has chosen how often it looks at
 * connections, so that it would act after 30 to 90 seconds.
 *
 * @module
 */

/** Options of node:http under which a request that is not complete in time is closed within a second. */
export function slowRequestLimits(requestTimeoutMs: number) {
  return {
    requestTimeout: requestTimeoutMs,
    headersTimeout: requestTimeoutMs,
    connectionsCheckingInterval: 1_000,
  }
}
