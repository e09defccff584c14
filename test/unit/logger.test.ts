/** The logger: form, levels and redaction. */
import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { RescindError } from '../../revocation/error.ts'
import { type CreateLoggerOptions, createLogger, type Logger } from '../../runtime/logger.ts'

/** A logger whose lines can be read back. */
function recorded(options: Partial<CreateLoggerOptions> = {}, isTTY?: boolean) {
  const output = Object.assign(new PassThrough({ encoding: 'utf8' }), isTTY === undefined ? {} : { isTTY })
  const logger = createLogger({ level: 'info', format: 'auto', component: 'adapter', output, ...options })
  const text = () => String(output.read() ?? '')
  const lines = () =>
    text()
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line))
  return { logger, text, lines }
}

test('a line is a JSON object with level, ISO time, component, fields and message', () => {
  const { logger, lines } = recorded()
  logger.info({ version: 7 }, 'RevokedToken: abc, Token Type: JWT')
  const [{ time, ...line }] = lines() as [Record<string, unknown>]
  assert.deepEqual(line, {
    level: 'info',
    component: 'adapter',
    version: 7,
    msg: 'RevokedToken: abc, Token Type: JWT',
  })
  assert.equal(new Date(String(time)).toISOString(), time)
})

test('the level can be changed while it runs', () => {
  const { logger, lines } = recorded({ level: 'warn' })
  const logAll = ({ trace, debug, info, warn, error, fatal }: Logger) => {
    for (const log of [trace, debug, info, warn, error, fatal]) log.call(logger, {}, 'x')
  }
  logAll(logger)
  assert.deepEqual(
    lines().map(({ level }) => level),
    ['warn', 'error', 'fatal'],
  )
  logger.level = 'trace'
  logAll(logger)
  assert.deepEqual(
    lines().map(({ level }) => level),
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal'],
  )
})

test('secrets are redacted by the name of their field, also deeper', () => {
  for (const format of ['json', 'pretty'] as const) {
    const { logger, text } = recorded({ format })
    for (const name of [
      'authorization',
      'token',
      'secret',
      'client_secret',
      'password',
      'cookie',
      'Authorization',
    ]) {
      const secret = { [name]: 'hunter2' }
      logger.info(secret, 'one')
      logger.info({ a: secret, b: { c: secret, d: { e: secret } }, list: [secret] }, 'two')
    }
    const logged = text()
    assert.doesNotMatch(logged, /hunter2/)
    assert.match(logged, /\[redacted\]/)
  }
})

test('an error of ours is logged without a stack, an unexpected one with it', () => {
  const { logger, lines } = recorded()
  logger.error({ err: new RescindError('ERR_LOG_TIMEOUT', 'too slow') }, 'append failed')
  logger.error({ err: new TypeError('surprise') }, 'append failed')
  const [ours, other] = lines()
  assert.deepEqual(ours.err, { code: 'ERR_LOG_TIMEOUT', message: 'too slow' })
  assert.equal(other.err.message, 'surprise')
  assert.match(other.err.stack, /logger\.test/)
})

test('on a terminal, or when asked for, lines are for people', () => {
  for (const { logger, text } of [recorded({}, true), recorded({ format: 'pretty' })]) {
    logger.warn({ version: 7 }, 'hello')
    const logged = text()
    assert.match(logged, /WARN.*adapter: hello/)
    assert.match(logged, /version.*7/)
  }
  const json = recorded({ format: 'json' }, true)
  json.logger.warn({}, 'hello')
  assert.equal(json.lines()[0].msg, 'hello')
})
