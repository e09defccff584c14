/**
 * What benchmarks make of their samples, and of what h2load writes.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { addLags } from '../../bench/discovery/lags.ts'
import { readLog, readReport } from '../../bench/load/h2load-output.ts'
import { createHistogram } from '../../bench/load/histogram.ts'
import { readStatus } from '../../bench/load/memory.ts'
import { quantile, rounded, typical, typicalRatio } from '../../bench/statistics.ts'

const report = (requests: string, statuses = '40 2xx, 0 3xx, 0 4xx, 0 5xx') =>
  [
    'Stopped all clients for thread #0',
    '',
    'finished in 2.00s, 20.50 req/s, 133.96KB/s',
    `requests: 41 total, 41 started, 41 done, ${requests}`,
    `status codes: ${statuses}`,
    'traffic: 402.01KB (411656) total, 48.25KB (49410) headers (space savings 96.37%), 105.08KB (107602) data',
    '',
  ].join('\n')

describe('the report of h2load', () => {
  test('gives how many requests were answered, and how fast', () => {
    const rate = readReport(report('41 succeeded, 0 failed, 0 errored, 0 timeout'))
    assert.deepEqual(rate, { requests: 41, requestsPerSecond: 20.5 })
  })

  for (const bad of [
    '40 succeeded, 1 failed, 0 errored, 0 timeout',
    '40 succeeded, 0 failed, 1 errored, 0 timeout',
    '40 succeeded, 0 failed, 0 errored, 1 timeout',
    '0 succeeded, 0 failed, 0 errored, 0 timeout',
  ])
    test(`is refused with ${bad}`, () => {
      assert.throws(() => readReport(report(bad)), /not every request went well/)
    })

  test('is refused when a request was answered with another status than 2xx', () => {
    const statuses = '40 2xx, 0 3xx, 0 4xx, 1 5xx'
    const text = report('41 succeeded, 0 failed, 0 errored, 0 timeout', statuses)
    assert.throws(() => readReport(text), /1 5xx/)
  })

  test('is refused with its last line when there is none', () => {
    assert.throws(() => readReport('starting\nCould not connect to host\n'), /Could not connect to host/)
  })
})

test("the log of h2load gives the requests' latencies", () => {
  const log = [300, 100, 200, 4000].map(micros => `1700000000000000\t200\t${micros}\n`).join('')
  assert.deepEqual(readLog(log), { p50Ms: 0.2, p99Ms: 4 })
})

describe('figures', () => {
  test('of a quantile are the sample of that rank', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => index + 1)
    assert.equal(quantile(hundred, 0.5), 50)
    assert.equal(quantile(hundred, 0.99), 99)
    assert.equal(quantile([], 0.5), Number.NaN)
  })

  test('of ratios compare samples that were taken next to each other', () => {
    // The machine was half as fast in the second round, for both.
    assert.equal(typicalRatio([80, 40, 81], [100, 50, 100]), 0.8)
  })

  test('that are typical leave out the lowest and the highest sample', () => {
    assert.equal(typical([9, 1, 5]), 5)
    assert.equal(typical([1, 4, 1000, 5, 6]), 5)
    assert.equal(typical([4, 6]), 5)
    assert.equal(typical([]), Number.NaN)
  })

  test('are rounded to the digits that count', () => {
    assert.equal(rounded(12345.6789), 12350)
    assert.equal(rounded(0.0123456), 0.01235)
  })
})

describe('a histogram', () => {
  test('gives the same quantiles as the samples, in steps of 0.1 ms', () => {
    const histogram = createHistogram()
    for (let ms = 1; ms <= 100; ms++) histogram.add(ms)
    assert.deepEqual([histogram.count, histogram.maxMs], [100, 100])
    assert.deepEqual(
      [histogram.quantileMs(0.5), histogram.quantileMs(0.99), histogram.quantileMs(1)],
      [50, 99, 100],
    )
  })

  test('of nothing has no quantiles', () => {
    assert.equal(createHistogram().quantileMs(0.5), Number.NaN)
  })

  test('counts what is beyond its range in its last step, and knows the longest', () => {
    const histogram = createHistogram()
    histogram.add(3_600_000)
    assert.deepEqual([histogram.quantileMs(0.5), histogram.maxMs], [60_000, 3_600_000])
  })
})

describe('lags', () => {
  const fed = { first: 11, count: 3, perSecond: 1_000, startMs: 500 }
  const lagsOf = (versions: readonly (readonly [version: number, atMs: number])[]) => {
    const lags: number[] = []
    const histogram = { ...createHistogram(), add: (ms: number) => void lags.push(ms) }
    addLags(
      histogram,
      fed,
      versions.map(([version, atMs]) => ({ version, atMs })),
    )
    return lags
  }

  test('end when the first version that holds the revocation came', () => {
    // They were due at 501, 502 and 503 ms.
    const arrivals = [[10, 400] as const, [12, 505] as const, [14, 510] as const, [20, 600] as const]
    assert.deepEqual(lagsOf(arrivals), [4, 3, 7])
  })

  test('are refused when a revocation never came', () => {
    assert.throws(() => lagsOf([[12, 505]]), /version 13 has not arrived/)
    assert.throws(() => lagsOf([]), /version 11 has not arrived/)
  })
})

describe('the memory of a process', () => {
  const status =
    'Name:\tnode\nVmPeak:\t 9999999 kB\nVmHWM:\t  204800 kB\nVmRSS:\t  102400 kB\nRssAnon:\t   51200 kB\n'

  test('is read in MiB', () => {
    assert.deepEqual(readStatus(status), { residentMb: 100, anonymousMb: 50, peakMb: 200 })
  })

  test('is refused when the kernel does not tell it', () => {
    assert.throws(() => readStatus('Name:\tnode\n'), /no VmRSS/)
  })
})
