/** Errors of listening at an address. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { RescindError } from '../../revocation/error.ts'
import { listenAt, listenError } from '../../runtime/listen.ts'

test('a port in use is an error that names the setting, the address and what to do', async () => {
  const first = createServer().listen(0, '127.0.0.1')
  await once(first, 'listening')
  const { port } = first.address() as { port: number }
  const second = createServer()
  const attempt = () => once(second.listen(port, '127.0.0.1'), 'listening')
  await assert.rejects(listenAt('enforcer.address', `127.0.0.1:${port}`, attempt), {
    code: 'ERR_ADDRESS_IN_USE',
    message: `enforcer.address: cannot listen at 127.0.0.1:${port}: the address is in use; stop the process that has it, or choose another address (EADDRINUSE)`,
  })
  first.close()
})

test('the code is also found in the message of grpc-js', () => {
  const message =
    'No address added out of total 1 resolved errors: [listen EACCES: permission denied 0.0.0.0:80]'
  const error = listenError('adapter.address', '0.0.0.0:80', new Error(message))
  assert.ok(error instanceof RescindError)
  assert.match(error.message, /^adapter.address: cannot listen at 0.0.0.0:80: no permission; .*\(EACCES\)$/)
})

test('an error that is not about the address stays as it is, and so does a result', async () => {
  const other = new TypeError('surprise')
  assert.equal(listenError('a', 'b', other), other)
  assert.equal(listenError('a', 'b', 'text'), 'text')
  assert.equal(await listenAt('a', 'b', async () => 5), 5)
})
