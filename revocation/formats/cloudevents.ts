/**
 * Revocations in our own event format that somebody else publishes: CloudEvents 1.0, `io.rescind.revocation.v1`.
 *
 * @module
 */
import { ownMember } from '../json-object.ts'
import { type ForeignFormat, invalidEvent } from './foreign-format.ts'
import { createEventCodec } from './rescind.ts'

/** Every CloudEvent is recognised, so that one that is not a revocation is refused with a reason. */
export const cloudEvents: ForeignFormat = {
  name: 'cloudevents',
  signed: false,
  recognises: ({ signed, body }) => !signed && ownMember(body, 'specversion') !== undefined,
  read({ bytes }, { eventKey }) {
    const event = createEventCodec(eventKey).decode(bytes)
    if (event.kind !== 'revocation') throw invalidEvent(`a ${event.kind} cannot be published this way`)
    const { match, issuedBefore, expiresAt, tokenType, reason } = event
    return [
      {
        match,
        ...(issuedBefore === undefined ? {} : { issuedBefore }),
        ...(expiresAt === undefined ? {} : { expiresAt }),
        ...(tokenType === undefined ? {} : { tokenType }),
        ...(reason === undefined ? {} : { reason }),
      },
    ]
  },
}
