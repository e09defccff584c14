/** A disk that is full stops appending, and nothing else. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { openEmbeddedLog } from '../../event-log/embedded/embedded-log.ts'
import { beforeFirst } from '../../event-log/event-log.ts'
import { projectRoot } from '../support/project.ts'

test('a log that cannot be written says so, the process lives on, and what was acknowledged is there', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rescind-full-'))
  try {
    const child = join(projectRoot, 'dist', 'test', 'support', 'full-log-child.js')
    // Files of at most 3,000 KiB; without the trap the signal would end the process instead of the write.
    const script = 'ulimit -f 3000; trap "" XFSZ; exec "$0" "$@"'
    const { stdout } = await promisify(execFile)('bash', ['-c', script, process.execPath, child, folder])
    const result = JSON.parse(stdout.trim().split('\n').at(-1) as string)
    assert.equal(result.code, 'ERR_LOG_WRITE')
    assert.ok(result.acknowledged > 10)
    assert.equal(result.end, result.acknowledged)
    const log = await openEmbeddedLog({ folder, appendTimeoutMs: 5_000 })
    assert.equal((await log.check(beforeFirst)).end, result.acknowledged)
    await log.append(Buffer.from('more'))
    await log.close()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
