/**
 * Breaks of the admin API.
 *
 * @module
 */
import type { Break } from './break.ts'

/** What administrators may, and what a repeated request does. */
export const adminBreaks: readonly Break[] = [
  {
    invariant: 1,
    what: 'two requests with one Idempotency-Key get one id, so that restoring the first undoes the second',
    file: 'revoker/admin/idempotency.ts',
    find: "hashOf(['revocation', administrator, key, fingerprint, String(index)])",
    replace: "hashOf(['revocation', administrator, key, String(index)])",
    testFile: 'unit/answer-memory.test.ts',
    testName: 'ids are the same for equal requests alone, and fingerprints tell bodies and paths apart',
  },
  {
    invariant: 2,
    what: 'a repeat with an Idempotency-Key of what was restored looks as if it revoked',
    file: 'revoker/admin/revoke.ts',
    find: 'return isRestored ? restoredSince : publisher.publishAll(revocations)',
    replace: 'return isRestored && false ? restoredSince : publisher.publishAll(revocations)',
    testFile: 'integration/admin-idempotency.test.ts',
    testName: 'names the same revocation at another revoker, which does not revive what was restored',
  },
  {
    invariant: 2,
    what: 'a revoker that lags says that there is no such revocation',
    file: 'revoker/restorer.ts',
    find: '  await readToEnd(options)\n',
    replace: '',
    testFile: 'integration/admin-log-reading.test.ts',
    testName: 'a revoker that cannot read the log to its end says that it does not know, instead of 404',
  },
  {
    invariant: 6,
    what: 'the admin API asks nobody who they are',
    file: 'revoker/admin/admin-api.ts',
    find: "closed.addHook('onRequest', (request, reply) => administrators.authenticate(request, reply))",
    replace: '',
    testFile: 'integration/admin-authentication.test.ts',
    testName: 'is needed for POST /revocations',
  },
  {
    invariant: 6,
    what: 'an access token for another API is that of an administrator',
    file: 'cli/administrators.ts',
    find: 'audiences: [jwt.audience]',
    replace: 'audiences: []',
    testFile: 'integration/admin-authentication.test.ts',
    testName:
      'the configuration names issuer, audience and scope of access tokens, and other tokens of the issuer are refused',
  },
  {
    invariant: 6,
    what: 'any access token of the issuer is that of an administrator, whatever its scope',
    file: 'revoker/admin/access-tokens.ts',
    find: "if (!scopesOf(token).includes(scope)) return refused('missing_scope')",
    replace: 'scopesOf(token)',
    testFile: 'integration/admin-authentication.test.ts',
    testName: 'without the scope is refused',
  },
  {
    invariant: 6,
    what: 'an administrator whose access token was revoked goes on',
    file: 'revoker/admin/access-tokens.ts',
    find: "return typeof found === 'string' || found.length > 0",
    replace: "return typeof found === 'string'",
    testFile: 'integration/admin-authentication.test.ts',
    testName: 'that is revoked is refused from then on',
  },
  {
    invariant: 6,
    what: 'a client certificate of any authority is that of an administrator',
    file: 'revoker/admin/client-certificate.ts',
    find: ' || !socket.authorized',
    replace: '',
    testFile: 'integration/admin-certificates.test.ts',
    testName: 'of another name, of an authority that is not ours, or none at all is refused',
  },
  {
    invariant: 6,
    what: 'a token of an administrator can be guessed without an end',
    file: 'revoker/clients/bearer-tokens.ts',
    find: 'if (waitMs > 0) return { waitMs }',
    replace: '',
    testFile: 'integration/admin-authentication.test.ts',
    testName: 'that is wrong is refused, after ten of them for a while unseen; one that was right goes on',
  },
  {
    invariant: 7,
    what: 'of a batch those that come before a wrong one are revoked',
    file: 'revoker/admin/revoke.ts',
    find: "    if ('status' in revocation) {",
    replace: `    if ('status' in revocation) {
      await options.publisher.publishAll(revocations)`,
    testFile: 'integration/admin-changes.test.ts',
    testName: 'or none: with one that is wrong',
  },
  {
    invariant: 8,
    what: 'answers are remembered without an end',
    file: 'revoker/admin/idempotency.ts',
    find: 'entries.size <= answersLimit && held <= bytesLimit && entry.untilMs > now()',
    replace: 'entry.untilMs > now()',
    testFile: 'unit/answer-memory.test.ts',
    testName: 'forgets the oldest of an administrator beyond a number, and beyond so many bytes',
  },
  {
    invariant: 8,
    what: 'what a follower of events does not take is kept for it without an end',
    file: 'revoker/admin/event-listeners.ts',
    find: 'if (sink.pendingBytes > pendingBytesLimit) end(sink)\n      else sink.write(text)',
    replace: 'sink.write(text)',
    testFile: 'unit/event-listeners.test.ts',
    testName: 'one that has not taken a megabyte is cut off at the next event or beat; the others go on',
  },
]
