#!/usr/bin/env node
/**
 * The `rescind` command. What a command needs is loaded when it is run: each part of the product has its own libraries.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { Argument, Command, Option } from 'commander'
import { failStartup } from '../runtime/shutdown.ts'
import { addAdminCommands } from './admin-commands.ts'
import type { StatusOptions } from './commands/status.ts'
import type { Shell } from './completion.ts'
import type { Role } from './roles.ts'

const packageFile = new URL('../../package.json', import.meta.url)
const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }

const program = new Command('rescind')
  .description('Makes Envoy reject revoked access tokens at once.')
  .version(version)
  .showHelpAfterError('(add --help for the options)')
  // events and its subcommand have options of the same names.
  .enablePositionalOptions()
  .addHelpText(
    'after',
    `
Examples:
  rescind all --config rescind.yaml        run everything in one process
  rescind config check                     check rescind.yaml and the environment
  rescind status --watch                   see which version each enforcer has
  echo "$TOKEN" | rescind revoke -         revoke a token
  source <(rescind completion bash)        complete commands and options in this shell
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

addAdminCommands(program)

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
  .command('hash-secret')
  .description(
    'hash a secret from standard input, for revoker.clients, revoker.admin.tokens or revoker.grants.feeders',
  )
  .addHelpText('after', '\nExample:\n  printf %s "$SECRET" | rescind hash-secret\n')
  .action(async () => {
    const { hashSecret } = await import('../token/secret.ts')
    const secret = readFileSync(0, 'utf8').replace(/\r?\n$/, '')
    process.stdout.write(`${await hashSecret(secret)}\n`)
  })

program
  .command('completion')
  .description('print a script that completes commands and options in a shell')
  .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
  .addHelpText(
    'after',
    `
Examples:
  source <(rescind completion bash)                                        in this bash
  rescind completion zsh > ~/.zsh/completions/_rescind                     in every zsh, if that is in fpath
  rescind completion fish > ~/.config/fish/completions/rescind.fish        in every fish
`,
  )
  .action(async (shell: Shell) => {
    const { completionScript } = await import('./completion.ts')
    process.stdout.write(completionScript(program, shell))
  })

try {
  await program.parseAsync()
} catch (error) {
  failStartup(error, { logLevel: process.env.RESCIND_LOG_LEVEL ?? 'info' })
}
