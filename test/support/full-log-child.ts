/**
 * Appends to the embedded log in the folder that it is given until that fails, then says how it failed, what the log's
 * end is, and that it is still alive. Run where the disk is small.
 *
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises'
import { openEmbeddedLog } from '../../event-log/embedded/embedded-log.ts'
import { beforeFirst } from '../../event-log/event-log.ts'
import { RescindError } from '../../revocation/error.ts'

const log = await openEmbeddedLog({ folder: process.argv[2] as string, appendTimeoutMs: 5_000 })
const acknowledged: number[] = []
let failure: unknown
while (failure === undefined && acknowledged.length < 5_000) {
  await log.append(Buffer.alloc(5_000)).then(
    position => acknowledged.push(position),
    error => {
      failure = error
    },
  )
}
// Rejections that nobody handles end a process in a later turn.
await pause(50)
const { end: position } = await log.check(beforeFirst)
const code = failure instanceof RescindError ? failure.code : String(failure)
process.stdout.write(`${JSON.stringify({ acknowledged: acknowledged.length, code, end: position })}\n`, () =>
  process.exit(0),
)
