/**
 * Breaks of TLS between adapters and enforcers.
 *
 * @module
 */
import type { Break } from './break.ts'

/** Invariants 6 and 8, in their order. */
export const tlsBreaks: readonly Break[] = [
  {
    invariant: 6,
    what: 'with mTLS a client is let in whatever its certificate',
    file: 'runtime/tls/grpc-listener.ts',
    find: 'if (socket.authorized && certificate.raw !== undefined',
    replace: 'if (!socket.destroyed && certificate.raw !== undefined',
    testFile: 'integration/discovery-tls.test.ts',
    testName: 'gives nothing to a client whose certificate has expired, and logs why',
  },
  {
    invariant: 6,
    what: 'an enforcer believes any adapter, which could restore anything',
    file: 'enforcer/discovery/grpc-streams.ts',
    find: 'createFromSecureContext(tls.files.material.secureContext)',
    replace: 'createFromSecureContext(tls.files.material.secureContext, { rejectUnauthorized: false })',
    testFile: 'integration/discovery-tls.test.ts',
    testName: 'is not believed by an enforcer that trusts another authority',
  },
  {
    invariant: 6,
    what: 'a connection that was let in once opens streams for ever',
    file: 'adapter/discovery-server.ts',
    find: "'grpc.max_connection_age_ms': streamMaxAgeMs,",
    replace: "'grpc.max_connection_age_ms': streamMaxAgeMs * 100_000,",
    testFile: 'integration/adapter-connections.test.ts',
    testName:
      'a client that keeps its connection must make another one when that is as old as a stream may be',
  },
  {
    invariant: 8,
    what: 'an adapter with TLS takes any number of connections',
    file: 'runtime/tls/grpc-listener.ts',
    find: 'sockets.size - handshaking.size <= options.connectionsLimit',
    replace: 'sockets.size - handshaking.size <= Number.MAX_SAFE_INTEGER',
    testFile: 'integration/tls-listener.test.ts',
    testName: 'closes connections beyond its limit',
  },
]
