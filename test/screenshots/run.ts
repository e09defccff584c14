/**
 * `npm run screenshots`: takes the pictures of docs/images again, of a real `rescind all` with a fleet in which not all is
 * well.
 *
 * @module
 */
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { bringService } from '../services/catalogue.ts'
import { startBrowser } from '../support/browser.ts'
import { until } from '../support/condition.ts'
import { projectRoot } from '../support/project.ts'
import { takeVersion } from '../support/revoking.ts'
import { type Stack, startStack } from '../support/stack.ts'
import { connectToldEnforcer } from '../support/told-enforcer.ts'

const imagesFolder = join(projectRoot, 'docs', 'images')
const earlyRevocations = 120
const lateRevocations = 7

/** A fleet: most are up to date, one is behind, one refuses, one has left. */
async function arrange({ ports }: Stack): Promise<() => void> {
  const connect = (instance: string, more = {}) =>
    connectToldEnforcer(ports.adapter, { instance, label: 'gateway-eu', ...more })
  const revoke = async (count: number) => {
    for (let each = 0; each < count; each++) await takeVersion(ports.revoker)
  }
  await revoke(earlyRevocations)
  const enforcers = ['eu-2', 'eu-3', 'eu-4'].map(name => connect(`envoy-${name}`))
  const slow = connect('envoy-us-1', { label: 'gateway-us' })
  const refusing = connect('envoy-us-2', {
    label: 'gateway-us',
    does: 'refuses',
    reason: 'format 2 is not known; update the enforcer',
  })
  const leaving = connect('envoy-us-3', { label: 'gateway-us' })
  await until('all have been seen', async () => (await countsOf(ports.adapterAdmin)).current === 6)
  slow.does = 'keeps silent'
  leaving.leave()
  await revoke(lateRevocations)
  await until('one is in each state', async () => {
    const { current, ...others } = await countsOf(ports.adapterAdmin)
    return current === 4 && Object.values(others).every(count => count === 1)
  })
  return () => {
    for (const enforcer of [...enforcers, slow, refusing]) enforcer.leave()
  }
}

const countsOf = async (port: number): Promise<Record<string, number>> => {
  const answer = await fetch(`http://127.0.0.1:${port}/nodes`)
  return ((await answer.json()) as { counts: Record<string, number> }).counts
}

async function take(browser: Browser, url: string, colorScheme: 'light' | 'dark'): Promise<void> {
  const page = await browser.newPage({
    colorScheme,
    viewport: { width: 1_100, height: 640 },
    deviceScaleFactor: 1.25,
  })
  await page.goto(url)
  await page.getByText('Behind').nth(1).waitFor()
  const path = join(imagesFolder, `fleet-${colorScheme}.png`)
  await page.screenshot({ path, fullPage: true })
  await page.close()
  process.stderr.write(`screenshots: ${path}\n`)
}

await bringService('chromium')
const stack = await startStack({
  edit: config => {
    config.enforcer.instance = 'envoy-eu-1'
    config.enforcer.label = 'gateway-eu'
  },
})
const browser = await startBrowser()
try {
  const disperse = await arrange(stack)
  for (const scheme of ['light', 'dark'] as const) {
    await take(browser, `http://127.0.0.1:${stack.ports.adapterAdmin}/`, scheme)
  }
  disperse()
} finally {
  await browser.close()
  await stack.stop()
}
