/**
 * The formats of others that are understood. A new one is a file beside this, its fixtures, and a line here.
 *
 * @module
 */
import { cloudEvents } from './cloudevents.ts'
import type { ForeignFormat } from './foreign-format.ts'
import { setCaep } from './set-caep.ts'
import { wso2EventHub } from './wso2-event-hub.ts'

/** All formats; which of them a source accepts is configured by name. */
export const foreignFormats: readonly ForeignFormat[] = [cloudEvents, wso2EventHub, setCaep]
