/** Stopping on signals, and failing to start, in processes of their own. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { RescindError } from '../../revocation/error.ts'
import { startupErrorText } from '../../runtime/shutdown.ts'

const moduleUrl = (path: string) => new URL(`../../${path}`, import.meta.url).href

/** A process that stops as `stop` (source text) says; signals are sent when it prints the words before them. */
async function runUntilExit(stop: string, limitMs: number, signals: Record<string, NodeJS.Signals>) {
  const program = `
    import { createLogger } from '${moduleUrl('runtime/logger.js')}'
    import { onShutdown } from '${moduleUrl('runtime/shutdown.js')}'
    const logger = createLogger({ level: 'info', format: 'json', component: 'test' })
    onShutdown(${stop}, { logger, limitMs: ${limitMs} })
    setInterval(() => {}, 1000)
    logger.info({}, 'started')
  `
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 60_000,
    killSignal: 'SIGKILL',
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    output += text
    for (const [word, signal] of Object.entries(signals)) {
      if (!output.includes(`"${word}"`)) continue
      delete signals[word]
      child.kill(signal)
    }
  })
  const [code] = await once(child, 'close')
  const lines = output.trim().split('\n')
  return { code, messages: lines.map(line => JSON.parse(line).msg as string), lines }
}

test('SIGTERM and SIGINT stop it in order and it exits with 0', async () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const stop = `async signal => { logger.info({}, 'stop for ' + signal) }`
    const { code, messages } = await runUntilExit(stop, 60_000, { started: signal })
    assert.equal(code, 0)
    assert.deepEqual(messages, ['started', 'stopping', `stop for ${signal}`, 'stopped'])
  }
})

test('a second signal ends it at once with 130, and the stop was begun once', async () => {
  const stop = `() => new Promise(() => logger.info({}, 'hanging'))`
  const { code, messages } = await runUntilExit(stop, 60_000, { started: 'SIGTERM', hanging: 'SIGINT' })
  assert.equal(code, 130)
  assert.deepEqual(messages, ['started', 'stopping', 'hanging', 'second signal: exiting at once'])
})

test('a stop over its limit ends with 1 and a log line', async () => {
  const { code, messages, lines } = await runUntilExit('() => new Promise(() => {})', 50, {
    started: 'SIGTERM',
  })
  assert.equal(code, 1)
  assert.deepEqual(messages, ['started', 'stopping', 'stopping took too long: exiting'])
  assert.equal(JSON.parse(lines.at(-1) ?? '').limitMs, 50)
})

test('a stop that fails ends with 1 and the error in the log', async () => {
  const stop = `async () => { throw new Error('disk gone') }`
  const { code, messages, lines } = await runUntilExit(stop, 60_000, { started: 'SIGTERM' })
  assert.equal(code, 1)
  assert.equal(messages.at(-1), 'stopping failed')
  assert.equal(JSON.parse(lines.at(-1) ?? '').err.message, 'disk gone')
})

test('a failed start prints one line on standard error and exits with 1', async () => {
  const program = `
    import { RescindError } from '${moduleUrl('revocation/error.js')}'
    import { failStartup } from '${moduleUrl('runtime/shutdown.js')}'
    failStartup(new RescindError('ERR_LOG_FOLDER', 'eventLog.folder: cannot write to /x'))
  `
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', text => {
    errors += text
  })
  const [code] = await once(child, 'close')
  assert.equal(code, 1)
  assert.equal(errors, 'error: eventLog.folder: cannot write to /x [ERR_LOG_FOLDER]\n')
})

test('a known error has no stack, whatever the level', () => {
  const error = new RescindError('ERR_CONFIG_INVALID', 'rescind.yaml: log.level: must be ...')
  assert.equal(
    startupErrorText(error, { logLevel: 'trace' }),
    'error: rescind.yaml: log.level: must be ... [ERR_CONFIG_INVALID]',
  )
})

test('a bare error of listening says what address and what to do', () => {
  const error = Object.assign(new Error('listen EADDRINUSE: address already in use 127.0.0.1:8081'), {
    code: 'EADDRINUSE',
    syscall: 'listen',
    address: '127.0.0.1',
    port: 8081,
  })
  assert.match(
    startupErrorText(error),
    /^error: .*cannot listen at 127.0.0.1:8081: the address is in use; .*\[ERR_ADDRESS_IN_USE\]$/,
  )
  const socket = Object.assign(new Error('x'), {
    code: 'EACCES',
    syscall: 'listen',
    address: '/run/a.sock',
    port: -1,
  })
  assert.match(startupErrorText(socket), /cannot listen at \/run\/a.sock: no permission;/)
})

test('an unexpected error is one line with a hint, and has its stack at log level debug', () => {
  const error = new TypeError('surprise\nsecond line')
  assert.equal(
    startupErrorText(error),
    'error: surprise (unexpected; set RESCIND_LOG_LEVEL=debug to see where it comes from)',
  )
  assert.match(
    startupErrorText(error, { logLevel: 'debug' }),
    /^error: TypeError: surprise[\s\S]*shutdown\.test/,
  )
  assert.match(startupErrorText('text'), /^error: text \(unexpected/)
})
