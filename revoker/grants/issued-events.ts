/**
 * Events of issued tokens in an inbox: CloudEvents 1.0 of the type `io.rescind.tokens-issued.v1`, whose data is what
 * `POST /grants` takes.
 *
 * @module
 */
import { Check } from 'typebox/value'
import { invalidEvent } from '../../revocation/formats/foreign-format.ts'
import { verifyHmac } from '../../revocation/formats/rescind.ts'
import { ownMember } from '../../revocation/json-object.ts'
import type { MessageFormat } from '../foreign-events.ts'
import { reportsOf, reportsSchema } from './issued-tokens.ts'
import type { TokenRegistry } from './token-registry.ts'

/** The format as the configuration names it. */
export const tokensIssued = 'tokens-issued'

const eventType = 'io.rescind.tokens-issued.v1'

/** The format of an inbox's events; what they report is stored while they are read. They revoke nothing by themselves. */
export const tokensIssuedFormat = (tokens: TokenRegistry, actor: string): MessageFormat => ({
  name: tokensIssued,
  signed: false,
  recognises: ({ signed, body }) => !signed && ownMember(body, 'type') === eventType,
  async read({ bytes, body }, { eventKey, issuers }) {
    if (eventKey !== undefined) verifyHmac(bytes, eventKey)
    if (ownMember(body, 'specversion') !== '1.0') throw invalidEvent('not a CloudEvent 1.0')
    const data = ownMember(body, 'data')
    if (!Check(reportsSchema, data))
      throw invalidEvent('data: not a report of issued tokens, nor a list of them')
    await tokens.add(reportsOf(data), { actor, issuers })
    return []
  },
})
