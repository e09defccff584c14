/**
 * Breaks of the relay: what it takes for proof, and what it keeps until it is published.
 *
 * @module
 */
import type { Break } from './break.ts'

const testFile = 'integration/relay-intents.test.ts'
const answersFile = 'integration/relay-answers.test.ts'

/** Breaks of invariants 1, 6 and 8. */
export const relayBreaks: readonly Break[] = [
  {
    invariant: 6,
    what: 'an identity provider that calls a token invalid counts as having revoked it',
    file: 'revoker/relay/relay.ts',
    find: "(verdict === 'dead' && (intent.genuine || intent.proven))",
    replace: "verdict === 'dead'",
    testFile,
    testName:
      'and the token is called invalid when the client tries again, a forged refresh token is not published',
  },
  {
    invariant: 6,
    what: 'an intent alone is proof after a restart',
    file: 'revoker/relay/settlement.ts',
    find: 'if (!intent.genuine || intent.proven) continue',
    replace: 'if (intent.proven) continue',
    testFile,
    testName:
      'a refresh token that nobody has vouched for stays open, also after restarts, and can be dismissed',
  },
  {
    invariant: 6,
    what: 'a request that names two clients is one of the one that is not authenticated',
    file: 'revoker/relay/relay.ts',
    find: "'problem' in presented ? undefined :",
    replace: "'problem' in presented ? form.get('client_id') :",
    testFile: answersFile,
    testName: 'does not take the word of a request that names two clients',
  },
  {
    invariant: 6,
    what: "another client's token is genuine for any client",
    file: 'revoker/relay/relay.ts',
    find: 'client !== undefined && facts.client === client',
    replace: 'client !== undefined',
    testFile,
    testName: 'a token that was active for another client is not genuine for this one',
  },
  {
    invariant: 6,
    what: 'the claims of any JWT are taken for those of an access token',
    file: 'revoker/relay/token-facts.ts',
    find: "kind: 'refresh', provenBy: 'nothing'",
    replace: "kind: 'refresh', provenBy: 'signature'",
    testFile: answersFile,
    testName: 'proves nothing by a bare 200',
  },
  {
    invariant: 6,
    what: 'whoever asks for the same token settles what another one left open',
    file: 'revoker/relay/relay.ts',
    find: "if (known === undefined && verdict !== 'unclear') await intents.remove(key)",
    replace: "if (verdict !== 'unclear') await intents.remove(key)",
    testFile,
    testName: 'what somebody else asks for the same token settles nothing',
  },
  {
    invariant: 1,
    what: 'what was revoked at the identity provider is forgotten when the log cannot be written',
    file: 'revoker/relay/relay.ts',
    find: 'intents.get(key)?.proven !== true) await',
    replace: 'key) await',
    testFile,
    testName: 'the answer is 503 with Retry-After, and it is published as soon as the log can be written',
  },
  {
    invariant: 1,
    what: 'the intent is only in memory',
    file: 'revoker/relay/intents.ts',
    find: 'await written(stored.put(key, intent))\n',
    replace: '',
    testFile,
    testName: 'an access token that verifies is published after a restart',
  },
  {
    invariant: 1,
    what: 'a token is passed on although the keys that could verify it are not known',
    file: 'revoker/relay/token-facts.ts',
    find: '!verification.ok && verification.unavailable',
    replace: '!verification.ok && verification.unavailable && text === issuer',
    testFile,
    testName: 'nor the keys of the issuer, it is not asked: nobody here would be told',
  },
  {
    invariant: 6,
    what: 'revokeAnyway revokes for whoever asks',
    file: 'revoker/relay/relay.ts',
    find: 'anyway === undefined || !isCertain ||',
    replace: 'anyway === undefined ||',
    testFile,
    testName: 'with revokeAnyway whatever does not verify is answered with 503 all the same',
  },
  {
    invariant: 1,
    what: 'a publication that is repeated is another one, which no restoration meets',
    file: 'revoker/relay/settlement.ts',
    find: 'id: foreignId(',
    replace: 'id: Math.random().toString(16).slice(2) + foreignId(',
    testFile: 'unit/relay-settlement.test.ts',
    testName: 'what is published twice for one intent has the same ids',
  },
  {
    invariant: 8,
    what: 'an answer of the identity provider may be as large as it likes',
    file: 'revoker/relay/identity-provider.ts',
    find: 'if (bytes > answerLimitBytes)',
    replace: 'if (bytes > 2 ** 30)',
    testFile: answersFile,
    testName: 'does not take an answer without end',
  },
  {
    invariant: 8,
    what: 'credentials can be tried without end through the relay',
    file: 'revoker/relay/relay.ts',
    find: 'if (waitMs > 0) return refused(tooMany(waitMs))',
    replace: '',
    testFile: answersFile,
    testName: 'limits how often credentials are tried',
  },
  {
    invariant: 6,
    what: "Keycloak's 200 counts as success whatever its body says",
    file: 'revoker/relay/presets.ts',
    find: "return body.length === 0 ? 'revoked' : 'dead'",
    replace: "return 'revoked'",
    testFile,
    testName:
      'and the token is called invalid when the client tries again, a forged refresh token is not published',
  },
  {
    invariant: 1,
    what: 'a refresh token takes nothing with it',
    file: 'revoker/relay/presets.ts',
    find: '...(subject === undefined ? [] : [cut({ sub: subject })]),',
    replace: '',
    testFile: answersFile,
    testName:
      'proves it of an opaque token that was active before, and of all that a refresh token takes with it',
  },
]
