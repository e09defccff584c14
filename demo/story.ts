/**
 * What the demo tells, on standard output; with colours on a terminal.
 *
 * @module
 */
import { styleText } from 'node:util'

/** Tells a story step by step. */
export interface Story {
  title(text: string): void
  step(number: number, text: string): void
  say(text: string): void
  /** Shows something as it was sent, received or logged. */
  show(text: string): void
}

/** Creates a story. */
export function createStory(output: NodeJS.WriteStream = process.stdout): Story {
  const styled = (style: 'bold' | 'cyan' | 'dim', text: string) =>
    output.isTTY === true ? styleText(style, text) : text
  const line = (text: string) => output.write(`${text}\n`)
  return {
    title: text => line(`\n${styled('bold', text)}\n`),
    step: (number, text) => line(`\n${styled('cyan', `${number}.`)} ${text}`),
    say: text => line(`  ${text}`),
    show: text => line(styled('dim', `     ${text}`)),
  }
}
