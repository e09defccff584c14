/**
 * Turns the errors of listening at an address into sentences that name the setting and what to do.
 *
 * @module
 */
import { RescindError } from '../revocation/error.ts'

const advice: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the address is in use; stop the process that has it, or choose another address',
  EACCES: 'no permission; ports below 1024 need CAP_NET_BIND_SERVICE, a socket file a writable folder',
  EPERM: 'no permission; ports below 1024 need CAP_NET_BIND_SERVICE, a socket file a writable folder',
  EADDRNOTAVAIL: 'this machine has no such address; use 127.0.0.1, 0.0.0.0 or one of its own addresses',
  EAFNOSUPPORT: 'this machine has no such kind of address (IPv6 may be off); use an IPv4 address',
  ENOTFOUND: 'the host name is not known; use an IP address of this machine',
  EAI_AGAIN: 'the host name cannot be looked up now; use an IP address of this machine',
  ENOENT: 'the folder of the socket file does not exist; create it first',
}

const codePattern = new RegExp(`\\b(${Object.keys(advice).join('|')})\\b`)

/**
 * Runs `attempt`, which starts to listen at `address`.
 *
 * @param setting name of the setting that the address came from, such as `enforcer.address`
 * @throws RescindError ERR_ADDRESS_IN_USE when the address cannot be listened at; other errors as they are
 */
export async function listenAt<Result>(
  setting: string,
  address: string,
  attempt: () => Promise<Result>,
): Promise<Result> {
  try {
    return await attempt()
  } catch (error) {
    throw listenError(setting, address, error)
  }
}

/** The error to throw for one of listening; one that has nothing to do with the address comes back as it is. */
export function listenError(setting: string, address: string, error: unknown): unknown {
  const code = systemCode(error)
  if (code === undefined) return error
  const message = `${setting}: cannot listen at ${address}: ${advice[code]} (${code})`
  return new RescindError('ERR_ADDRESS_IN_USE', message, { cause: error })
}

/** The system's code: a property of Node's errors, and part of the message of those of grpc-js. */
function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { code } = error as NodeJS.ErrnoException
  return codePattern.exec(typeof code === 'string' ? code : error.message)?.[1]
}
