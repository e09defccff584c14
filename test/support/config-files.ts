/**
 * Files for tests of the configuration, in memory.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { RescindError } from '../../revocation/error.ts'
import { type LoadedConfig, loadConfig } from '../../runtime/config/load.ts'

/** A scrypt hash of the right shape; it is the hash of nothing. */
export const someHash = `$scrypt$ln=15,r=8,p=1$${'A'.repeat(22)}$${'B'.repeat(43)}`

/** Reads files from a record, and fails like the file system for those that are not in it. */
export function fileReader(files: Readonly<Record<string, string>>) {
  return (path: string, limitBytes: number): Uint8Array => {
    const content = files[path]
    if (content !== undefined) return Buffer.from(content).subarray(0, limitBytes)
    throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' })
  }
}

/** Loads a configuration whose `rescind.yaml` is `yaml`, with nothing else around it. */
export function loadYaml(
  yaml: string,
  env: Record<string, string> = {},
  files: Readonly<Record<string, string>> = {},
): LoadedConfig {
  return loadConfig({ env, readFile: fileReader({ 'rescind.yaml': yaml, ...files }) })
}

/** The message of the error that loading fails with. */
export function messageOf(load: () => unknown, code = 'ERR_CONFIG_INVALID'): string {
  try {
    load()
  } catch (error) {
    assert.ok(error instanceof RescindError, String(error))
    assert.equal(error.code, code)
    return error.message
  }
  throw new assert.AssertionError({ message: 'loading did not fail' })
}

/** The message of the error for a `rescind.yaml` and environment that are not valid. */
export function problemOf(yaml: string, env?: Record<string, string>): string {
  return messageOf(() => loadYaml(yaml, env))
}
