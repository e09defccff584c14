/**
 * Real components: how they are named, missed and unpacked, without any of them.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { bringService, components, envoyOldest, findComponent, findService } from '../services/catalogue.ts'
import { installFolder } from '../services/folder.ts'
import { requireService } from '../support/requires.ts'

const variables = ['PATH', 'RESCIND_SERVICES_FOLDER', 'RESCIND_REQUIRE_SERVICES'] as const

describe('on a machine without any component', () => {
  const saved = new Map<string, string | undefined>()
  let folder: string

  beforeEach(() => {
    for (const name of variables) saved.set(name, process.env[name])
    folder = mkdtempSync(join(tmpdir(), 'rescind-services-'))
    process.env.PATH = folder
    process.env.RESCIND_SERVICES_FOLDER = join(folder, 'services')
    delete process.env.RESCIND_REQUIRE_SERVICES
  })
  afterEach(() => {
    for (const [name, value] of saved)
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    rmSync(folder, { recursive: true, force: true })
  })

  test('none is found, and none can be brought', async () => {
    for (const { name } of components) {
      assert.equal(findService(name), undefined)
      assert.equal(await bringService(name), undefined)
    }
    assert.equal(existsSync(join(folder, 'services')), false)
  })

  test('a suite that needs one is skipped, naming the command that brings it', () => {
    assert.deepEqual(requireService('envoy'), {
      skip: 'needs envoy; bring it with: npm run services -- envoy',
    })
  })

  test('a suite that needs one fails where services are required', () => {
    process.env.RESCIND_REQUIRE_SERVICES = '1'
    assert.throws(() => requireService('envoy', 'h2load'), /needs envoy, h2load/)
  })

  test('a folder appears only when it is complete', async () => {
    const services = join(folder, 'services')
    await assert.rejects(
      installFolder('thing', async partial => {
        writeFileSync(join(partial, 'half'), '')
        assert.equal(existsSync(join(services, 'thing')), false)
        throw new Error('the line went dead')
      }),
      /the line went dead/,
    )
    assert.deepEqual(readdirSync(services), [])
    await installFolder('thing', async partial => writeFileSync(join(partial, 'whole'), ''))
    assert.deepEqual(readdirSync(join(services, 'thing')), ['whole'])
  })

  test('of two that install the same folder at once, the first wins and the second does no harm', async () => {
    await installFolder('thing', async partial => {
      writeFileSync(join(partial, 'late'), '')
      await rename(await filled('early'), join(folder, 'services', 'thing'))
    })
    assert.deepEqual(readdirSync(join(folder, 'services')), ['thing'])
    assert.deepEqual(readdirSync(join(folder, 'services', 'thing')), ['early'])
  })

  const filled = async (file: string): Promise<string> => {
    const other = join(folder, 'other')
    await mkdir(other)
    await writeFile(join(other, file), '')
    return other
  }
})

test('a series of Envoy can be named in full or with an x', () => {
  assert.equal(findComponent(`${envoyOldest}.x`).name, envoyOldest)
  assert.equal(findComponent(`${envoyOldest}.4`).name, envoyOldest)
})

test('an unknown name is answered with the known ones', () => {
  assert.throws(() => findComponent('envoi'), /no service is called "envoi"; there are: envoy, .*h2load/)
})
