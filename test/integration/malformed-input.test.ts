/**
 * Bytes that are not what a port expects: an error for the sender, and a process that lives on and decides as before.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, afterEach, before, describe, test } from 'node:test'
import { Client, type ClientDuplexStream, credentials, status } from '@grpc/grpc-js'
import { deltaRequestCodec, deltaTokensPath, revocationBatchTypeUrl } from '../../proto/wire.ts'
import { until } from '../support/condition.ts'
import { createEnforcerClient, type EnforcerClient } from '../support/enforcer-client.ts'
import { revokeAsAdmin } from '../support/revoking.ts'
import { type Stack, startStack } from '../support/stack.ts'

const mebibyte = 2 ** 20
const node = {
  id: 'commonEnforcerLabel',
  metadata: { fields: { instanceIdentifier: { stringValue: 'tester' } } },
}

describe('rescind all', () => {
  let stack: Stack
  let enforcer: EnforcerClient
  let adapter: Client
  let revoked: string

  before(async () => {
    stack = await startStack()
    enforcer = createEnforcerClient(stack.ports.enforcer)
    adapter = new Client(`127.0.0.1:${stack.ports.adapter}`, credentials.createInsecure(), {
      'grpc.max_send_message_length': -1,
    })
    revoked = await stack.issuer.sign()
    await revokeAsAdmin(stack.ports.revoker, { token: revoked })
    await until('it is rejected', async () => (await enforcer.checkToken(revoked)).status === 401)
  })
  after(async () => {
    enforcer.close()
    adapter.close()
    await stack.stop()
  })

  afterEach(async () => {
    assert.equal(stack.rescind.exitCode, undefined, 'the process lives on')
    assert.equal((await enforcer.checkToken(revoked)).reason, 'revoked')
    assert.equal((await enforcer.checkToken(await stack.issuer.sign())).code, status.OK)
    const later = await stack.issuer.sign()
    await revokeAsAdmin(stack.ports.revoker, { token: later })
    await until(
      'a new revocation still arrives',
      async () => (await enforcer.checkToken(later)).status === 401,
    )
  })

  /** Opens a stream with these bytes as its first request; resolves with the status with which it ends. */
  const openStream = (first: Buffer): Promise<{ code: status; details: string }> => {
    const stream: ClientDuplexStream<Buffer, Buffer> = adapter.makeBidiStreamRequest(
      deltaTokensPath,
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => bytes,
    )
    stream.on('error', () => undefined).resume()
    const ended = new Promise<{ code: status; details: string }>(done => {
      stream.on('status', ({ code, details }) => done({ code, details }))
    })
    stream.write(first)
    return ended
  }

  const checks: readonly [what: string, bytes: Buffer, code: status][] = [
    ['that are not protobuf', Buffer.from('ffffffffff', 'hex'), status.INVALID_ARGUMENT],
    ['that end in the middle of a field', Buffer.from([0x0a, 0x7f, 0x00]), status.INVALID_ARGUMENT],
    ['with a length beyond 2^31', Buffer.from('0affffffff7f', 'hex'), status.INVALID_ARGUMENT],
    ['with a field number 0', Buffer.from([0x02, 0x00]), status.INVALID_ARGUMENT],
    ['of 2 MiB', Buffer.alloc(2 * mebibyte, 0x0a), status.RESOURCE_EXHAUSTED],
  ]
  for (const [what, bytes, code] of checks) {
    test(`answers a check of bytes ${what} with ${status[code]}`, async () => {
      await assert.rejects(enforcer.checkBytes(bytes), { code })
    })
  }

  test('denies a check of no bytes at all: there is no token in it', async () => {
    const decision = await enforcer.checkBytes(Buffer.alloc(0))
    assert.deepEqual([decision.code, decision.reason], [status.UNAUTHENTICATED, 'missing_token'])
  })

  test('passes over fields that it does not know', async () => {
    const unknown = Buffer.from([0xfa, 0x3f, 0x02, 0x01, 0x02])
    const decision = await enforcer.checkBytes(unknown)
    assert.deepEqual([decision.code, decision.reason], [status.UNAUTHENTICATED, 'missing_token'])
  })

  const requests: readonly [what: string, bytes: Buffer, code: status, details: RegExp][] = [
    [
      'without node',
      deltaRequestCodec.encode({ typeUrl: revocationBatchTypeUrl }),
      status.INVALID_ARGUMENT,
      /^node\.id: must be a string of 1 to 256 characters$/,
    ],
    [
      'with a node without instance',
      deltaRequestCodec.encode({ node: { id: 'x' }, typeUrl: revocationBatchTypeUrl }),
      status.INVALID_ARGUMENT,
      /^node\.metadata\.instanceIdentifier: must be/,
    ],
    [
      'with a label of 10 kB',
      deltaRequestCodec.encode({
        node: { ...node, id: 'x'.repeat(10_000) },
        typeUrl: revocationBatchTypeUrl,
      }),
      status.INVALID_ARGUMENT,
      /^node\.id: must be/,
    ],
    [
      'for another type',
      deltaRequestCodec.encode({ node, typeUrl: 'type.googleapis.com/other' }),
      status.INVALID_ARGUMENT,
      /^type_url: must be type\.googleapis\.com\/rescind\./,
    ],
    ['of 1 MiB', Buffer.alloc(mebibyte, 0x0a), status.RESOURCE_EXHAUSTED, /larger/],
    ['that is not protobuf', Buffer.from('ffffffffff', 'hex'), status.INTERNAL, /./],
  ]
  for (const [what, bytes, code, details] of requests) {
    test(`ends a discovery stream whose first request is one ${what} with ${status[code]}`, async () => {
      const ended = await openStream(bytes)
      assert.equal(ended.code, code, ended.details)
      assert.match(ended.details, details)
    })
  }

  test('closes connections on which something else is spoken', async () => {
    const { ports } = stack
    for (const [name, port] of Object.entries(ports)) {
      const answer = await talk(port, Buffer.from('\u0016\u0003\u0001 this is neither HTTP nor TLS\r\n\r\n'))
      assert.match(answer.toString('latin1'), /^(HTTP\/1\.1 400 |$|\0)/, name)
    }
  })

  test('wrote no stack trace about any of this', () => {
    assert.doesNotMatch(stack.rescind.output(), /"stack"|\n +at \S+/)
  })
})

/** Sends bytes and resolves with what came until the other side closed the connection. */
const talk = (port: number, bytes: Buffer): Promise<Buffer> =>
  new Promise(done => {
    const received: Buffer[] = []
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.on('data', data => received.push(data))
    socket.on('error', () => undefined)
    socket.on('close', () => done(Buffer.concat(received)))
  })
