/**
 * Tells a second process that a folder is in use. For the embedded log it is the clear message, not the guarantee:
 * that is the writer number in the log itself.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { existsSync, unlinkSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { RescindError } from '../revocation/error.ts'

/** Longest path of a Unix socket that every system takes. */
const socketPathLimit = 100

/** A folder that answers to others that it is in use, until it is released. */
export interface FolderClaim {
  release(): Promise<void>
}

/**
 * Claims a folder. A socket that a dead process left is replaced.
 *
 * @param setting which names the folder, for the message.
 * @throws RescindError ERR_LOG_IN_USE if a live process answers in the folder.
 */
export async function claimFolder(folder: string, setting: string): Promise<FolderClaim> {
  const path = socketPath(folder)
  if (await answers(path)) {
    throw new RescindError(
      'ERR_LOG_IN_USE',
      `${setting}: ${folder} is in use by another rescind process; stop that one or name another folder`,
    )
  }
  if (existsSync(path)) unlinkSync(path)
  const server = createServer(socket => socket.end())
  await listening(server, path)
  return { release: () => new Promise(done => server.close(() => done())) }
}

function socketPath(folder: string): string {
  const inFolder = join(resolve(folder), 'writer.sock')
  if (inFolder.length <= socketPathLimit) return inFolder
  return join(tmpdir(), `rescind-${createHash('sha256').update(inFolder).digest('hex').slice(0, 32)}.sock`)
}

const answers = (path: string): Promise<boolean> =>
  new Promise(done => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      done(true)
    })
    socket.once('error', () => done(false))
  })

const listening = (server: Server, path: string): Promise<void> =>
  new Promise((done, fail) => {
    server.once('error', fail)
    server.listen(path, () => {
      server.unref()
      done()
    })
  })
