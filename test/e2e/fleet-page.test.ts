/**
 * The page at an adapter's admin port, in a real browser: it follows real enforcers live, and needs nothing but its own
 * server.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { startBrowser } from '../support/browser.ts'
import { contrastOf } from '../support/contrast.ts'
import { type Part, startPart } from '../support/part.ts'
import { freePort } from '../support/ports.ts'
import { requireService } from '../support/requires.ts'
import { takeVersion } from '../support/revoking.ts'
import { type Stack, startStack } from '../support/stack.ts'
import { connectToldEnforcer } from '../support/told-enforcer.ts'

const hostile = '<img src=x onerror="document.title=1"> \u0000\u001b[2J'

describe('the fleet page', requireService('chromium'), () => {
  let stack: Stack
  let browser: Browser
  const started: Part[] = []

  before(async () => {
    stack = await startStack({
      edit: config => {
        config.enforcer.instance = 'built-in'
      },
    })
    browser = await startBrowser()
  })
  after(async () => {
    await browser?.close()
    await Promise.all(started.map(part => part.end('SIGTERM')))
    await stack?.stop()
  })

  const startEnforcer = async (instance: string): Promise<Part> => {
    const enforcer = {
      address: `127.0.0.1:${await freePort()}`,
      adminAddress: '127.0.0.1:0',
      adapters: [`127.0.0.1:${stack.ports.adapter}`],
      instance,
      drainDelay: '0s',
    }
    const part = await startPart('enforcer', { config: { ...stack.config, enforcer } })
    started.push(part)
    return part
  }

  /** Opens the page; `complaints` are errors on its console, and requests to anywhere but its server. */
  const open = async (colorScheme: 'light' | 'dark' = 'light'): Promise<[Page, string[]]> => {
    const complaints: string[] = []
    const origin = `http://127.0.0.1:${stack.ports.adapterAdmin}`
    const page = await browser.newPage({ colorScheme })
    page.on('console', message => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
    })
    page.on('pageerror', error => complaints.push(String(error)))
    page.on('request', request => {
      if (!request.url().startsWith(`${origin}/`)) complaints.push(request.url())
    })
    await page.goto(`${origin}/`)
    await page.getByText('Live').waitFor()
    return [page, complaints]
  }

  const rowOf = (page: Page, instance: string) =>
    page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: instance }) })

  test('shows each enforcer, and a version that moves with a revocation, without being loaded again', async () => {
    await startEnforcer('second')
    const [page, complaints] = await open()
    for (const instance of ['built-in', 'second'])
      await rowOf(page, instance).getByText('Up to date').waitFor()
    const version = await takeVersion(stack.ports.revoker)
    await page.locator('#version', { hasText: new RegExp(`^${version}$`) }).waitFor()
    for (const instance of ['built-in', 'second']) {
      await rowOf(page, instance)
        .getByRole('cell', { name: String(version), exact: true })
        .waitFor()
    }
    assert.equal(await page.locator('#total').textContent(), '2')
    assert.deepEqual(complaints, [])
    await page.close()
  })

  test('shows who was killed as disconnected, and no longer who stopped in an orderly way', async () => {
    const [killed, stopped] = [await startEnforcer('killed'), await startEnforcer('stopped')]
    const [page, complaints] = await open()
    for (const instance of ['killed', 'stopped'])
      await rowOf(page, instance).getByText('Up to date').waitFor()
    await killed.end('SIGKILL')
    await rowOf(page, 'killed').getByText('Disconnected').waitFor()
    await stopped.end('SIGTERM')
    await rowOf(page, 'stopped').waitFor({ state: 'detached' })
    assert.equal(await page.locator('#disconnected').textContent(), '1')
    assert.deepEqual(complaints, [])
    await page.close()
  })

  test('shows who is behind, and why one refuses, first; what they say is only text', async () => {
    const connect = (instance: string, more = {}) =>
      connectToldEnforcer(stack.ports.adapter, { instance, ...more })
    const refusing = connect(`refusing ${hostile}`, { does: 'refuses', reason: `because ${hostile}` })
    const slow = connect('slow', { does: 'keeps silent' })
    const [page, complaints] = await open()
    await rowOf(page, 'refusing <img').getByText('Refusing', { exact: true }).waitFor()
    await page.getByText('because <img src=x').waitFor()
    await rowOf(page, 'slow').getByText('Behind', { exact: true }).waitFor()
    const states = await page.locator('tbody .state').allTextContents()
    assert.deepEqual(states.slice(0, 2), ['Refusing', 'Behind'])
    assert.match(await page.title(), /^2 in trouble/)
    slow.does = 'takes'
    slow.catchUp()
    await rowOf(page, 'slow').getByText('Up to date').waitFor()
    await page.getByLabel('Filter').fill('sLoW')
    await page.getByText(/^1 of \d+$/).waitFor()
    assert.equal(await page.locator('tbody tr').count(), 1)
    for (const enforcer of [refusing, slow]) enforcer.leave({ goodbye: true })
    assert.deepEqual(complaints, [])
    await page.close()
  })

  test('is readable in light and dark: text has a contrast of at least 4.5', async () => {
    const colours = new Set<string>()
    const troubled = (['keeps silent', 'refuses'] as const).map(does =>
      connectToldEnforcer(stack.ports.adapter, { instance: `one that ${does}`, does }),
    )
    for (const scheme of ['light', 'dark'] as const) {
      const [page, complaints] = await open(scheme)
      for (const state of ['Behind', 'Refusing', 'Up to date']) {
        await page.locator('tbody').getByText(state, { exact: true }).first().waitFor()
      }
      const { background, worst } = await contrastOf(page)
      colours.add(background)
      assert.ok(worst.ratio >= 4.5, `${scheme}: ${worst.text} has ${worst.ratio.toFixed(2)}`)
      assert.deepEqual(complaints, [])
      await page.close()
    }
    assert.equal(colours.size, 2)
    for (const enforcer of troubled) enforcer.leave({ goodbye: true })
  })

  test('says that the connection is lost, and goes on by itself when the adapter is back', async () => {
    const [page] = await open()
    await rowOf(page, 'built-in').waitFor()
    await stack.kill()
    await page.getByText(/^No connection, trying again; as of /).waitFor()
    await rowOf(page, 'built-in').waitFor()
    await stack.startAgain()
    await page.getByText('Live, reconnected once').waitFor()
    await rowOf(page, 'built-in').getByText('Up to date').waitFor()
    await page.close()
  })
})
