/** Shell completion, tried in a real shell. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { before, describe, test } from 'node:test'
import { runCommandLine } from '../support/command-line.ts'

const isThere = (shell: string): boolean => spawnSync(shell, ['-c', 'true']).status === 0

describe('completion', () => {
  const scripts: Record<string, string> = {}
  before(async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { exitCode, stdout } = await runCommandLine(['completion', shell])
      assert.equal(exitCode, 0)
      scripts[shell] = stdout
    }
  })

  /** What bash offers for the last word of a line. */
  const offered = (...words: readonly string[]): string[] => {
    const script = `${scripts.bash}
COMP_WORDS=(rescind ${words.map(word => `'${word}'`).join(' ')})
COMP_CWORD=${words.length}
_rescind
printf '%s\\n' "\${COMPREPLY[@]}"`
    const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8' })
    assert.deepEqual([status, stderr], [0, ''])
    return stdout.split('\n').filter(line => line !== '')
  }

  const lines: readonly [words: readonly string[], offered: readonly string[]][] = [
    [['re'], ['revoker', 'revoke', 'restore']],
    [
      ['revoke', '--is'],
      ['--iss', '--issued-before', '--issuer-wide'],
    ],
    [['revoke', 'some-token', '--sub', 'x', '--wa'], ['--wait']],
    [['events', 're'], ['rejected']],
    [['events', '--fo'], ['--follow']],
    [
      ['events', 'rejected', '--'],
      ['--server', '--json', '--help'],
    ],
    [
      ['claim-sets', ''],
      ['list', 'declare', '--help'],
    ],
    [['claim-sets', 'declare', '--c'], ['--cut']],
    [['completion', 'z'], ['zsh']],
    [['config', 'check', '--con'], ['--config']],
    [['no-such-command', 'li'], ['list']],
  ]
  for (const [words, expected] of lines) {
    test(`in bash: rescind ${words.join(' ')}`, () => {
      assert.deepEqual(offered(...words).sort(), [...expected].sort())
    })
  }

  for (const shell of ['zsh', 'fish']) {
    const skip = isThere(shell) ? {} : { skip: `needs ${shell}` }
    test(`in ${shell} is a script that the shell can read`, skip, () => {
      const { status, stderr } = spawnSync(shell, ['--no-execute'], {
        input: scripts[shell],
        encoding: 'utf8',
      })
      assert.deepEqual([status, stderr], [0, ''])
    })
  }

  test('names a shell that is not known in a sentence', async () => {
    const { exitCode, stderr } = await runCommandLine(['completion', 'tcsh'])
    assert.equal(exitCode, 1)
    assert.match(stderr, /Allowed choices are bash, zsh, fish/)
  })
})
