/**
 * A real browser that looks at our pages: Chromium, without a window, that loads nothing but what the page asks for.
 *
 * @module
 */
import { type Browser, chromium } from 'playwright-core'
import { findService } from '../services/catalogue.ts'

/** Starts Chromium. Throws if this machine has none. */
export const startBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: findService('chromium') ?? 'chromium',
    // The sandbox of Chromium refuses to run as root, as in containers.
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run'],
  })
