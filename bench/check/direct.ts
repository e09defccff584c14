/**
 * The first part: checks straight from h2load, as fast as they are answered, 4 connections with 32 streams each.
 *
 * @module
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkPath } from '../../proto/wire.ts'
import { cpuSeconds } from '../load/cpu-time.ts'
import { grpcFrame } from '../load/grpc-frames.ts'
import type { Load, LoadGenerator, LoadResult } from '../load/h2load.ts'
import { typical, typicalRatio } from '../statistics.ts'
import { expectAllowed, expectRevoked } from './ask.ts'
import type { Setting } from './setting.ts'
import type { Subject } from './subject.ts'

/** What was found. */
export interface DirectResult {
  readonly checksPerSecond: number
  readonly emptyChecksPerSecond: number
  readonly noopChecksPerSecond: number
  readonly seenRatioToNoop: number
  readonly oneMillionRatioToEmpty: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly noopP50Ms: number
  readonly noopP99Ms: number
  /** Of the server alone: steadier than the rates where other processes share its core. */
  readonly cpuMicrosPerCheck: number
  readonly noopCpuMicrosPerCheck: number
  readonly cpuRatioToNoop: number
  readonly oneMillionCpuRatioToEmpty: number
}

interface Sample extends LoadResult {
  readonly cpuMicrosPerCheck: number
}

const connections = 4
const streamsPerConnection = 32

/** As many as it takes until the compiler has done what it can; on a slow machine that is no fewer. */
const warmUpRequests = 60_000

/** Measures the no-op, the empty enforcer and the full one in turns. */
export const measureDirectly = async (setting: Setting): Promise<DirectResult> => {
  const { noop, empty, full, options } = setting
  const bodyFile = join(setting.folder, 'check-request')
  writeFileSync(bodyFile, grpcFrame(setting.good))
  const measure = (subject: Subject, lasts: Load['lasts']) =>
    measureOne(setting.generate, subject, {
      url: `http://127.0.0.1:${subject.port}${checkPath}`,
      headers: ['content-type: application/grpc', 'te: trailers'],
      bodyFile,
      connections,
      streamsPerConnection,
      lasts,
    })

  await expectAllowed('the no-op', noop.port, setting.good)
  for (const subject of [empty, full]) {
    await expectAllowed('the enforcer', subject.port, setting.good)
    await expectRevoked('the enforcer', subject.port, setting.revoked)
  }
  options.progress('warming up')
  for (const subject of [noop, empty, full]) await measure(subject, { requests: warmUpRequests })

  const results = { noop: [] as Sample[], empty: [] as Sample[], full: [] as Sample[] }
  for (let round = 1; round <= options.rounds; round++) {
    // Every second round the other way round, so that none always comes after the same one.
    const order = ['noop', 'empty', 'full'] as const
    for (const name of round % 2 === 1 ? order : order.toReversed()) {
      options.progress(`checks from h2load, round ${round} of ${options.rounds}: ${names[name]}`)
      results[name].push(await measure(setting[name], { seconds: options.seconds }))
    }
  }
  return summaryOf(results)
}

/** h2load does not look at what is answered, so the subject's own count says that every check was allowed. */
const measureOne = async (generate: LoadGenerator, subject: Subject, load: Load): Promise<Sample> => {
  const before = await subject.allowed()
  const cpuBefore = cpuSeconds(subject.pid)
  const result = await generate(load)
  const cpuMicros = (cpuSeconds(subject.pid) - cpuBefore) * 1e6
  const after = await subject.allowed()
  if (before !== undefined && after !== undefined && after - before < result.requests)
    throw new Error(`${result.requests} checks, but only ${after - before} allowed`)
  return { ...result, cpuMicrosPerCheck: cpuMicros / result.requests }
}

const names = {
  noop: 'grpc-js no-op',
  empty: 'enforcer, 1 revocation',
  full: 'enforcer, 1,000,001 revocations',
}

const summaryOf = (results: Readonly<Record<'noop' | 'empty' | 'full', Sample[]>>): DirectResult => {
  const { noop, empty, full } = results
  const of = (list: readonly Sample[], field: keyof Sample) => list.map(result => result[field])
  const middle = (list: readonly Sample[], field: keyof Sample) => typical(of(list, field))
  const rate = 'requestsPerSecond'
  const cpu = 'cpuMicrosPerCheck'
  return {
    checksPerSecond: middle(full, rate),
    emptyChecksPerSecond: middle(empty, rate),
    noopChecksPerSecond: middle(noop, rate),
    seenRatioToNoop: typicalRatio(of(full, rate), of(noop, rate)),
    oneMillionRatioToEmpty: typicalRatio(of(full, rate), of(empty, rate)),
    p50Ms: middle(full, 'p50Ms'),
    p99Ms: middle(full, 'p99Ms'),
    noopP50Ms: middle(noop, 'p50Ms'),
    noopP99Ms: middle(noop, 'p99Ms'),
    cpuMicrosPerCheck: middle(full, cpu),
    noopCpuMicrosPerCheck: middle(noop, cpu),
    cpuRatioToNoop: typicalRatio(of(full, cpu), of(noop, cpu)),
    oneMillionCpuRatioToEmpty: typicalRatio(of(full, cpu), of(empty, cpu)),
  }
}
