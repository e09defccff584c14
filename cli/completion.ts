/**
 * Shell completion, written from the command tree: for each command its subcommands, options and fixed arguments.
 *
 * @module
 */
import type { Command } from 'commander'

/** Shells for which there is a script. */
export type Shell = 'bash' | 'zsh' | 'fish'

/** What can follow a command. */
interface CommandWords {
  /** Names from the program on: empty, `revoke`, `events rejected`. */
  readonly path: string
  readonly words: readonly string[]
}

/** The script for a shell. Names are of lower-case letters and hyphens, so they need no quoting. */
export const completionScript = (program: Command, shell: Shell): string =>
  scripts[shell](commandWords(program, []))

function commandWords(command: Command, path: readonly string[]): CommandWords[] {
  const words = [
    ...command.commands.map(subcommand => subcommand.name()),
    ...command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
    ...command.options.flatMap(({ long }) => long ?? []),
    '--help',
  ]
  return [
    { path: path.join(' '), words },
    ...command.commands.flatMap(subcommand => commandWords(subcommand, [...path, subcommand.name()])),
  ]
}

const scripts: Readonly<Record<Shell, (commands: readonly CommandWords[]) => string>> = {
  bash: commands => `_rescind() {
  local at= word words= number
  for ((number = 1; number < COMP_CWORD; number++)); do
    word=\${COMP_WORDS[number]}
    case "$at $word" in
      ${steps(commands).join(' | ')}) at="\${at:+$at }$word" ;;
    esac
  done
  case "$at" in
${cases(commands, words => `words='${words}'`)}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _rescind rescind
`,
  zsh: commands => `#compdef rescind
_rescind() {
  local at= word
  for word in \${words[2,CURRENT-1]}; do
    case "$at $word" in
      ${steps(commands).join(' | ')}) at="\${at:+$at }$word" ;;
    esac
  done
  case "$at" in
${cases(commands, words => `compadd -- ${words}`)}
  esac
  _files
}
if [ "$funcstack[1]" = _rescind ]; then _rescind "$@"; else compdef _rescind rescind; fi
`,
  fish: commands => `function __rescind_words
  set -l at ''
  for word in (commandline -opc)[2..-1]
    switch "$at $word"
      case ${steps(commands).join(' ')}
        set at (string trim "$at $word")
    end
  end
  switch "$at"
${commands.map(({ path, words }) => `    case '${path}'\n      printf '%s\\n' ${words.join(' ')}`).join('\n')}
  end
end
complete -c rescind -a '(__rescind_words)'
`,
}

/** From a command to one of its subcommands: both with a space between, in quotes. */
const steps = (commands: readonly CommandWords[]): string[] =>
  commands
    .filter(({ path }) => path !== '')
    .map(({ path }) => (path.includes(' ') ? `'${path}'` : `' ${path}'`))

const cases = (commands: readonly CommandWords[], offer: (words: string) => string): string =>
  commands.map(({ path, words }) => `    '${path}') ${offer(words.join(' '))} ;;`).join('\n')
