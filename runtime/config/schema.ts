/**
 * The schema of the configuration (`rescind.yaml`): type, defaults, JSON Schema and validation come from it.
 *
 * @module
 */
import Type, { type Static } from 'typebox'
import { adapterSection } from './sections/adapter.ts'
import { enforcerSection } from './sections/enforcer.ts'
import { eventLogSection } from './sections/event-log.ts'
import { issuersSection } from './sections/issuers.ts'
import { logSection } from './sections/log.ts'
import { revokerSection } from './sections/revoker.ts'
import { tokensSection } from './sections/tokens.ts'

/** Schema of the whole configuration, in the order in which it is documented. */
export const configSchema = Type.Object(
  {
    log: logSection,
    issuers: issuersSection,
    tokens: tokensSection,
    eventLog: eventLogSection,
    revoker: revokerSection,
    adapter: adapterSection,
    enforcer: enforcerSection,
  },
  { additionalProperties: false, description: 'Configuration of Rescind (rescind.yaml).' },
)

/** The configuration with all defaults filled in. Durations, sizes and addresses are still text. */
export type Config = Static<typeof configSchema>
