/**
 * Breaks of how clients prove who they are, and of what the revocation endpoint answers.
 *
 * @module
 */
import type { Break } from './break.ts'

const testFile = 'integration/client-authentication.test.ts'

/** Breaks of invariants 6 and 8. */
export const clientBreaks: readonly Break[] = [
  {
    invariant: 6,
    what: 'of secrets that are guessed together one that is right is told from the others',
    file: 'revoker/clients/authentication.ts',
    find: "presented.method === 'secret' ? failures.wait(id, address) : 0",
    replace: '0',
    testFile: 'unit/client-guesses.test.ts',
    testName: 'of guesses that come together, one that is right after too many wrong ones tells nothing',
  },
  {
    invariant: 6,
    what: 'a client that has a key is let in by its name',
    file: 'revoker/clients/authentication.ts',
    find: "presented.method === 'none' && proof.method === 'none'",
    replace: "presented.method === 'none'",
    testFile,
    testName: 'that has a key is refused with its client_id alone',
  },
  {
    invariant: 6,
    what: 'whoever signs an assertion is any client',
    file: 'revoker/clients/assertions.ts',
    find: "return typeof key === 'object'",
    replace: "return key !== 'unknown_key'",
    testFile,
    testName: 'is refused with an assertion signed by somebody else, and nothing is appended',
  },
  {
    invariant: 6,
    what: 'an assertion for somebody else is taken',
    file: 'revoker/clients/assertions.ts',
    find: 'if (!acceptsAudience(options.audiences, audiencesOf(jwt.payload))) return false',
    replace: '',
    testFile,
    testName: 'is refused with an assertion for somebody else, and nothing is appended',
  },
  {
    invariant: 6,
    what: 'an assertion can be used again',
    file: 'revoker/clients/assertions.ts',
    find: 'if (used.has(id)) return false',
    replace: '',
    testFile,
    testName: 'uses an assertion once',
  },
  {
    invariant: 6,
    what: 'an assertion may be valid for as long as it likes',
    file: 'revoker/clients/assertions.ts',
    find: ' || exp - tolerance > now + validSecondsLimit',
    replace: '',
    testFile,
    testName: 'is refused with an assertion that is valid for an hour, and nothing is appended',
  },
  {
    invariant: 6,
    what: 'the issuer of an assertion is not looked at',
    file: 'revoker/clients/assertions.ts',
    find: "subject === ownMember(payload, 'iss') ? subject : undefined",
    replace: 'subject',
    testFile,
    testName: 'is refused with an assertion with another issuer, and nothing is appended',
  },
  {
    invariant: 8,
    what: 'secrets can be guessed without end',
    file: 'revoker/clients/authentication.ts',
    find: 'ofClient.take(clientKey(id, address))',
    replace: '',
    testFile,
    testName: 'that fails too often gets 429, whatever it sends then, and another client does not',
  },
  {
    invariant: 8,
    what: 'a client can ask without end',
    file: 'revoker/clients/authentication.ts',
    find: "if (pauseMs > 0) return { refused: 'limited', waitMs: pauseMs }",
    replace: '',
    testFile,
    testName: 'that asks too often gets 429, and nothing of that is appended',
  },
  {
    invariant: 6,
    what: 'any text is called by a script',
    file: 'revoker/endpoint/answer.ts',
    find: 'callbackName.test(text)',
    replace: "text !== ''",
    testFile: 'unit/revocation-answer.test.ts',
    testName: 'cannot call "alert(1)//"',
  },
  {
    invariant: 6,
    what: 'a subject can write header lines',
    file: 'revoker/endpoint/response-headers.ts',
    find: 'const value = percentEncoded(text)',
    replace: 'const value = percentEncoded(text) && text',
    testFile: 'unit/revocation-answer.test.ts',
    testName: 'cannot be injected, and a token that is too long is left out, not cut',
  },
]
