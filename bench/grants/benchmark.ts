/**
 * The benchmark `grants`: the token registry in LMDB with many grants, each an opaque access token and a refresh token, beside
 * the bare client library on as many keys.
 *
 * @module
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Benchmark, BenchmarkOptions } from '../benchmark.ts'
import { memoryOf } from '../load/memory.ts'
import { count } from '../report.ts'
import { rounded } from '../statistics.ts'
import { measureBare } from './bare.ts'
import { perSecond } from './rate.ts'
import { fillRegistry, openRegistry, type Registry, tokenNames } from './registry.ts'

/** Look-ups of one kind. */
const asked = 20_000
const revoked = 2_000

/** See the module. */
export const grantsBenchmark: Benchmark = {
  name: 'grants',
  summary: 'the token registry in LMDB with --live grants, beside the bare client library',
  run: async options => {
    const folder = mkdtempSync(join(tmpdir(), 'rescind-bench-'))
    const removeFolder = () => rmSync(folder, { recursive: true, force: true })
    process.once('exit', removeFolder)
    try {
      return await measure(folder, options)
    } finally {
      process.off('exit', removeFolder)
      removeFolder()
    }
  },
}

async function measure(folder: string, { live, progress }: BenchmarkOptions) {
  const opened = await openRegistry(join(folder, 'grants'))
  progress(`storing ${count(live)} grants`)
  const adds = await fillRegistry(opened, live, progress)
  progress('looking up')
  const figures = {
    grants: live,
    addsPerSecond: adds.all,
    lastAddsPerSecond: adds.last,
    ...(await lookUps(opened, live)),
    anonymousMb: memoryOf(process.pid).anonymousMb,
    diskMb: sizeOf(join(folder, 'grants')) / 2 ** 20,
  }
  await opened.close()
  progress('the bare client library')
  const bare = await measureBare(join(folder, 'bare'), live, asked)
  return {
    figures: {
      benchmark: 'grants',
      ...Object.fromEntries(
        Object.entries({ ...figures, ...bare }).map(([name, value]) => [name, rounded(value)]),
      ),
      findsRatioToBareGets: rounded(figures.findsPerSecond / bare.bareGetsPerSecond),
    },
    rows: [
      {
        what: `grants stored, each with two tokens; the last of ${count(live)}`,
        value: `${count(figures.addsPerSecond)}/s; ${count(figures.lastAddsPerSecond)}/s`,
        beside: `${count(bare.barePutsPerSecond)} bare puts/s`,
      },
      {
        what: 'known tokens found, and the other one unsealed',
        value: `${count(figures.findsPerSecond)}/s`,
        beside: `${count(bare.bareGetsPerSecond)} bare gets/s`,
      },
      { what: 'unknown tokens not found', value: `${count(figures.unknownFindsPerSecond)}/s` },
      { what: 'refresh tokens revoked, one after the other', value: `${count(figures.revokesPerSecond)}/s` },
      {
        what: 'memory that is no file; disk',
        value: `${figures.anonymousMb.toFixed(0)} MB; ${count(figures.diskMb)} MB`,
      },
    ],
  }
}

async function lookUps({ tokens }: Registry, live: number) {
  const some = (index: number) => tokenNames((index * 7_919) % live)
  const findsPerSecond = await perSecond(asked, async index => {
    const { access } = some(index)
    if ((await tokens.find(access, undefined))?.otherToken() === undefined)
      throw new Error('a token is not known')
  })
  const unknownFindsPerSecond = await perSecond(asked, async index => {
    if ((await tokens.find(`unknown ${index}`, undefined)) !== undefined)
      throw new Error('it cannot be known')
  })
  const revokesPerSecond = await perSecond(revoked, async index => {
    const found = await tokens.find(some(index).refresh, 'refresh_token')
    if (found === undefined || (await tokens.markRevoked(found)).length !== 1) throw new Error('not revoked')
  })
  return { findsPerSecond, unknownFindsPerSecond, revokesPerSecond }
}

const sizeOf = (folder: string): number =>
  readdirSync(folder).reduce((bytes, name) => bytes + statSync(join(folder, name)).size, 0)
