/**
 * Asks an adapter as an enforcer does, once, with any certificates.
 *
 * @module
 */

import { readFileSync } from 'node:fs'
import { connect, createSecureContext, type PeerCertificate } from 'node:tls'
import { Client, credentials, type status } from '@grpc/grpc-js'
import {
  type DeltaResponseMessage,
  deltaRequestCodec,
  deltaResponseCodec,
  deltaTokensPath,
  revocationBatchTypeUrl,
} from '../../proto/wire.ts'
import type { CertificateFiles } from './certificates.ts'

/** How to speak to an adapter at 127.0.0.1. */
export interface AdapterClientOptions {
  /** Whom to trust; without it nothing is encrypted. */
  readonly caFile?: string
  /** Our own certificate. */
  readonly own?: CertificateFiles | undefined
  /** Default: adapter.test. */
  readonly serverName?: string
}

/** What came first: a message, or the status with which the stream ended. */
export type FirstAnswer =
  | { readonly message: DeltaResponseMessage }
  | { readonly message: undefined; readonly code: status; readonly details: string }

/** Opens a stream and resolves with what comes first. */
export const firstAnswer = async (port: number, options: AdapterClientOptions): Promise<FirstAnswer> => {
  const client = new Client(`127.0.0.1:${port}`, credentialsOf(options), {
    'grpc.use_local_subchannel_pool': 1,
    ...(options.caFile === undefined ? {} : { 'grpc.ssl_target_name_override': serverNameOf(options) }),
  })
  const stream = client.makeBidiStreamRequest(
    deltaTokensPath,
    deltaRequestCodec.encode,
    deltaResponseCodec.decode,
  )
  try {
    return await new Promise<FirstAnswer>(done => {
      stream.on('data', (message: DeltaResponseMessage) => done({ message }))
      stream.on('error', () => undefined)
      stream.on('status', ({ code, details }) => done({ message: undefined, code, details }))
      stream.write({
        node: { id: 'label', metadata: { fields: { instanceIdentifier: { stringValue: 'tester' } } } },
        typeUrl: revocationBatchTypeUrl,
      })
    })
  } finally {
    stream.cancel()
    client.close()
  }
}

/** The certificate that an adapter at 127.0.0.1 shows, whoever signed it. */
export const shownCertificate = (port: number): Promise<PeerCertificate> =>
  new Promise((done, fail) => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ALPNProtocols: ['h2'],
    })
    socket.once('error', fail)
    socket.once('secureConnect', () => {
      done(socket.getPeerCertificate())
      socket.destroy()
    })
  })

/** What an adapter sends first to a client that has said nothing; empty if it closes the connection instead. */
export const firstBytes = (port: number, options: AdapterClientOptions): Promise<Buffer> =>
  new Promise(done => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      secureContext: secureContextOf(options),
      servername: serverNameOf(options),
      ALPNProtocols: ['h2'],
    })
    socket.on('data', chunk => {
      done(chunk)
      socket.destroy()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => done(Buffer.alloc(0)))
  })

const serverNameOf = ({ serverName = 'adapter.test' }: AdapterClientOptions): string => serverName

const credentialsOf = (options: AdapterClientOptions) =>
  options.caFile === undefined
    ? credentials.createInsecure()
    : credentials.createFromSecureContext(secureContextOf(options))

const secureContextOf = ({ caFile, own }: AdapterClientOptions) =>
  createSecureContext({
    ...(caFile === undefined ? {} : { ca: readFileSync(caFile) }),
    ...(own === undefined ? {} : { cert: readFileSync(own.certFile), key: readFileSync(own.keyFile) }),
  })
