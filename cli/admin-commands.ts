/**
 * The commands that use the admin API of a revoker.
 *
 * @module
 */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { plainServerWarning } from './admin-api.ts'
import type { ClaimSetsOptions, DeclareOptions } from './commands/claim-sets.ts'
import type { EventsOptions, RejectedEventsOptions } from './commands/events.ts'
import type { ExplainOptions } from './commands/explain.ts'
import type { ListOptions } from './commands/list.ts'
import type { RestoreOptions } from './commands/restore.ts'
import type { RevokeOptions } from './commands/revoke.ts'
import { wholeSeconds } from './enforced.ts'

const adminTokenHelp =
  'The token of an administrator (revoker.admin.tokens) is taken from RESCIND_ADMIN_TOKEN or RESCIND_ADMIN_TOKEN_FILE.'

const help = (examples: string): string => `\n${adminTokenHelp}\n\nExamples:\n${examples}\n`

/** The options that all of them have. */
const asAdministrator = (command: Command): Command =>
  command
    .addOption(
      new Option('-s, --server <url>', 'base URL of the revoker')
        .env('RESCIND_SERVER')
        .default('http://127.0.0.1:8280'),
    )
    .option('--json', 'print JSON')
    .hook('preAction', (own, started) => {
      const warning = own === started ? plainServerWarning(String(own.opts().server)) : undefined
      if (warning !== undefined) process.stderr.write(`warning: ${warning}\n`)
    })

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

const withClaims = (command: Command): Command =>
  command
    .option('--iss <issuer>', 'the issuer')
    .option('--sub <subject>', 'the user')
    .option('--client <id>', 'the client that the token was issued to')
    .option('--sid <id>', 'the session')
    .option('--jti <id>', 'the token')
    .option('--claim <name=value>', 'another claim; may be repeated', collect)

const withWait = (command: Command): Command =>
  command.option(
    '-w, --wait <seconds>',
    'wait until all enforcers have it, at most 30 s; the exit code is 2 if that is not known then',
    wholeSeconds,
  )

/** Adds the commands to the program. */
export function addAdminCommands(program: Command): void {
  addRevoke(program)
  addRestore(program)
  addList(program)
  addExplain(program)
  addEvents(program)
  addClaimSets(program)
}

function addRevoke(program: Command): void {
  const command = program
    .command('revoke')
    .description('revoke a token, whose signature is verified first, or whatever has some claims')
    .argument('[token]', 'the token, or - to read it from standard input')
  withWait(withClaims(asAdministrator(command)))
    .option('--issued-before <time>', 'only what was issued until then: now, or a time')
    .option('--expires-at <time>', 'whatever its time of issue, until then')
    .option('--for <duration>', 'the same for a duration such as 2h')
    .option('--issuer-wide', 'I do mean every token of an issuer, or of its key')
    .option('-r, --reason <text>', 'why, for logs and lists')
    .addHelpText(
      'after',
      help(`  echo "$TOKEN" | rescind revoke -
  rescind revoke --iss https://idp.example.com --sub alice --issued-before now --reason "laptop stolen"
  rescind revoke --iss https://idp.example.com --client app --for 2h --wait 5`),
    )
    .action(async (token: string | undefined, options: RevokeOptions) => {
      const { revoke } = await import('./commands/revoke.ts')
      await revoke(token, options)
    })
}

function addRestore(program: Command): void {
  const command = program
    .command('restore')
    .description('take a revocation back, and say what still rejects the same tokens')
    .argument('<id>', 'the id of the revocation, see: rescind list')
  withWait(asAdministrator(command))
    .option('-r, --reason <text>', 'why, for logs')
    .addHelpText('after', help('  rescind restore 5f0c...91 --reason "wrong user"'))
    .action(async (id: string, options: RestoreOptions) => {
      const { restore } = await import('./commands/restore.ts')
      await restore(id, options)
    })
}

function addList(program: Command): void {
  const command = program.command('list').description('list revocations in the order of the log')
  withClaims(asAdministrator(command))
    .option('--since <time>', 'made at or after a time')
    .option('--until <time>', 'made at or before a time')
    .option('--actor <name>', 'made by exactly this one, for example admin:alice')
    .option('-a, --all', 'also restored and expired ones, as long as the log has them')
    .option('-n, --limit <count>', 'at most so many', wholeNumber)
    .addHelpText(
      'after',
      help(`  rescind list --sub alice
  rescind list --all --since 2026-05-01 --json`),
    )
    .action(async (options: ListOptions) => {
      const { list } = await import('./commands/list.ts')
      await list(options)
    })
}

function addExplain(program: Command): void {
  const command = program
    .command('explain')
    .description('say what enforcers make of a token, and why')
    .argument('<token>', 'the token, or - to read it from standard input')
  asAdministrator(command)
    .addHelpText('after', help('  echo "$TOKEN" | rescind explain -'))
    .action(async (token: string, options: ExplainOptions) => {
      const { explain } = await import('./commands/explain.ts')
      await explain(token, options)
    })
}

function addEvents(program: Command): void {
  const events = program
    .command('events')
    .description('look at events of the log and of what others published')
    .enablePositionalOptions()
  asAdministrator(events)
    .option('-f, --follow', 'show what is appended to the log from now on')
    .addHelpText(
      'after',
      help(`  rescind events --follow
  rescind events rejected`),
    )
    .action(async (options: EventsOptions) => {
      const { followEvents } = await import('./commands/events.ts')
      await followEvents(options)
    })
  const rejected = events
    .command('rejected')
    .description('list the last events that could not be used, and why')
  asAdministrator(rejected)
    .addHelpText('after', help('  rescind events rejected'))
    .action(async (options: RejectedEventsOptions) => {
      const { rejectedEvents } = await import('./commands/events.ts')
      await rejectedEvents(options)
    })
}

function addClaimSets(program: Command): void {
  const claimSets = program.command('claim-sets').description('which claims revocations may name together')
  const list = claimSets.command('list', { isDefault: true }).description('list the claim sets')
  asAdministrator(list)
    .addHelpText('after', help('  rescind claim-sets list'))
    .action(async (options: ClaimSetsOptions) => {
      const { listClaimSets } = await import('./commands/claim-sets.ts')
      await listClaimSets(options)
    })
  const declare = claimSets
    .command('declare')
    .description('declare a claim set; it stays, and there can be 16')
    .argument('<names...>', 'names of claims')
  asAdministrator(declare)
    .option('--cut', 'for revocations with --issued-before; without it for those until a time')
    .addHelpText(
      'after',
      help(`  rescind claim-sets declare iss tenant
  rescind claim-sets declare iss tenant --cut`),
    )
    .action(async (names: string[], options: DeclareOptions) => {
      const { declareClaimSet } = await import('./commands/claim-sets.ts')
      await declareClaimSet(names, options)
    })
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number, at least 1.')
}
