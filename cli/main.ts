#!/usr/bin/env node
/**
 * The `rescind` command. What a command needs is loaded when it is run: each part of the product has its own libraries.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { Command, InvalidArgumentError, Option } from 'commander'
import { failStartup } from '../runtime/shutdown.ts'
import type { RejectedEventsOptions } from './commands/events.ts'
import type { RevokeOptions } from './commands/revoke.ts'
import type { StatusOptions } from './commands/status.ts'
import type { Role } from './roles.ts'

function wholeSeconds(text: string): number {
  if (/^\d{1,2}$/.test(text) && Number(text) <= 30) return Number(text)
  throw new InvalidArgumentError('It must be a whole number of seconds from 0 to 30.')
}

const packageFile = new URL('../../package.json', import.meta.url)
const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }

const program = new Command('rescind')
  .description('Makes Envoy reject revoked access tokens at once.')
  .version(version)
  .showHelpAfterError('(add --help for the options)')
  .addHelpText(
    'after',
    `
Examples:
  rescind all --config rescind.yaml        run everything in one process
  rescind config check                     check rescind.yaml and the environment
  rescind status --watch                   see which version each enforcer has
  echo "$TOKEN" | rescind revoke -         revoke a token
`,
  )

const roles: Readonly<Record<Role, string>> = {
  all: 'run revoker, adapter and enforcer in one process',
  revoker: 'run a revoker: takes revocations and appends them to the event log',
  adapter: 'run an adapter: follows the event log and feeds enforcers',
  enforcer: "run an enforcer: answers Envoy's ext_authz checks",
}

const configOption = () =>
  new Option('-c, --config <file>', 'configuration file (default: ./rescind.yaml, if it is there)').env(
    'RESCIND_CONFIG',
  )

const serverOption = () =>
  new Option('-s, --server <url>', 'base URL of the revoker')
    .env('RESCIND_SERVER')
    .default('http://127.0.0.1:8280')

const adminTokenHelp =
  'The token of an administrator (revoker.admin.tokens) is taken from RESCIND_ADMIN_TOKEN or RESCIND_ADMIN_TOKEN_FILE.'

for (const [role, description] of Object.entries(roles)) {
  program
    .command(role)
    .description(description)
    .addOption(configOption())
    .addHelpText('after', `\nExample:\n  rescind ${role} --config rescind.yaml\n`)
    .action(async (options: { config?: string }) => {
      const { run } = await import('./commands/run.ts')
      await run(role as Role, options.config)
    })
}

program
  .command('config')
  .description('work with the configuration')
  .command('check')
  .description('check the configuration file and the RESCIND_... variables, and say what is wrong')
  .addOption(configOption())
  .addHelpText('after', '\nExample:\n  rescind config check --config rescind.yaml\n')
  .action(async (options: { config?: string }) => {
    const { loadConfig } = await import('../runtime/config/load.ts')
    const { warnings, file } = loadConfig({
      ...(options.config === undefined ? {} : { file: options.config }),
      env: process.env,
    })
    for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`)
    process.stdout.write(`${file ?? 'the environment (there is no rescind.yaml)'}: valid\n`)
  })

program
  .command('revoke')
  .description('revoke a token; its signature is verified first')
  .argument('<token>', 'the token, or - to read it from standard input')
  .addOption(serverOption())
  .option('-r, --reason <text>', 'why, for logs')
  .option('-w, --wait <seconds>', 'wait until all enforcers have it, at most 30 s', wholeSeconds)
  .option('--json', 'print the answer as JSON')
  .addHelpText(
    'after',
    `
${adminTokenHelp}
The exit code is 0 when the token is revoked, 1 when it is not, and with --wait 2 when it is but is not known to be enforced
by all enforcers.

Examples:
  echo "$TOKEN" | rescind revoke - --wait 5
  rescind revoke "$TOKEN" --server https://revoker.example --reason "laptop stolen"
`,
  )
  .action(async (token: string, options: RevokeOptions) => {
    const { revoke } = await import('./commands/revoke.ts')
    await revoke(token, options)
  })

program
  .command('status')
  .description('show which version each enforcer has, as adapters know it')
  .addOption(
    new Option('-s, --server <url...>', 'base URLs of the admin ports of adapters').default([
      'http://127.0.0.1:18001',
    ]),
  )
  .option('-w, --watch', 'show it again each second')
  .option('--json', 'print a line of JSON for each adapter')
  .addHelpText(
    'after',
    `
Examples:
  rescind status
  rescind status --watch --server http://adapter-1:18001 http://adapter-2:18001
`,
  )
  .action(async (options: StatusOptions) => {
    const { status } = await import('./commands/status.ts')
    await status(options)
  })

program
  .command('events')
  .description('look at events of the log and of what others published')
  .command('rejected')
  .description('list the last events that could not be used, and why')
  .addOption(serverOption())
  .option('--json', 'print the answer as JSON')
  .addHelpText('after', `\n${adminTokenHelp}\n\nExample:\n  rescind events rejected\n`)
  .action(async (options: RejectedEventsOptions) => {
    const { rejectedEvents } = await import('./commands/events.ts')
    await rejectedEvents(options)
  })

program
  .command('hash-secret')
  .description('hash a secret from standard input, for revoker.clients and revoker.admin.tokens')
  .addHelpText('after', '\nExample:\n  printf %s "$SECRET" | rescind hash-secret\n')
  .action(async () => {
    const { hashSecret } = await import('../token/secret.ts')
    const secret = readFileSync(0, 'utf8').replace(/\r?\n$/, '')
    process.stdout.write(`${await hashSecret(secret)}\n`)
  })

try {
  await program.parseAsync()
} catch (error) {
  failStartup(error, { logLevel: process.env.RESCIND_LOG_LEVEL ?? 'info' })
}
