/**
 * How well the text of a page stands out from what is behind it (WCAG 2, section 1.4.3).
 *
 * @module
 */
import type { Page } from 'playwright-core'

/** The contrast of a page. */
export interface Contrast {
  /** Colour of the page, as CSS. */
  readonly background: string
  /** The visible text with the least contrast, 1 to 21. */
  readonly worst: { readonly text: string; readonly ratio: number }
}

/** Measures all text that is visible now. */
export const contrastOf = (page: Page): Promise<Contrast> => page.evaluate(measure)

/** Text, because it runs in the page: this project is compiled without the types of browsers. */
const measure = `(() => {
  const channels = colour => (colour.match(/[\\d.]+/g) ?? []).map(Number)
  const luminance = colour => {
    const [red, green, blue] = channels(colour).map(value =>
      value <= 10 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  const behind = element => {
    const { backgroundColor } = getComputedStyle(element)
    const parent = element.parentElement
    return channels(backgroundColor)[3] === 0 && parent !== null ? behind(parent) : backgroundColor
  }
  const ratioOf = element => {
    const [one, other] = [getComputedStyle(element).color, behind(element)].map(luminance)
    return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05)
  }
  const rated = [...document.body.querySelectorAll('*')]
    .filter(element => element.checkVisibility() && element.childElementCount === 0 && element.textContent !== '')
    .map(element => ({ text: element.textContent, ratio: ratioOf(element) }))
  const worst = rated.reduce((least, each) => (each.ratio < least.ratio ? each : least))
  return { background: getComputedStyle(document.documentElement).backgroundColor, worst }
})()`
