/**
 * The answers to Envoy, encoded once. An empty CheckResponse, or one without `status`, is an ALLOW to Envoy, so each
 * answer is decoded again and asserted before it can be used.
 *
 * @module
 */
import { checkResponseCodec } from '../../proto/wire.ts'
import type { TokenProblem } from '../../token/verifier.ts'

/** Why a request is denied. */
export type DenyReason = TokenProblem | 'missing_token' | 'ambiguous_token' | 'revoked' | 'too_many_keys'

/** How the body of a denial looks. */
export type ErrorStyle = 'wso2' | 'rfc6750' | 'none'

/** The encoded answers. */
export interface Answers {
  readonly allow: Buffer
  deny(reason: DenyReason, isGrpc: boolean): Buffer
}

interface Denial {
  readonly code: number
  readonly wso2: { readonly error_message: string; readonly code: string; readonly error_description: string }
  /** RFC 6750 section 3.1; none if the request had no credentials. */
  readonly error?: string
  /** What a gRPC client sees as grpc-message. */
  readonly sentence: string
}

/** google.rpc.Code of a denial. */
const unauthenticated = 16

const invalidToken: Denial = {
  code: 401,
  wso2: {
    error_message: 'Invalid Credentials',
    code: '900901',
    error_description: 'Invalid JWT token. Make sure you have provided the correct security credentials',
  },
  error: 'invalid_token',
  sentence: 'invalid token',
}

const missingToken: Denial = {
  code: 401,
  wso2: {
    error_message: 'Missing Credentials',
    code: '900902',
    error_description:
      'Make sure your API invocation call has a header: "Authorization : Bearer ACCESS_TOKEN"',
  },
  sentence: 'missing token',
}

const denials: Readonly<Record<DenyReason, Denial>> = {
  missing_token: missingToken,
  ambiguous_token: invalidToken,
  malformed: invalidToken,
  unknown_issuer: invalidToken,
  algorithm_not_allowed: invalidToken,
  unknown_key: invalidToken,
  bad_signature: invalidToken,
  wrong_audience: invalidToken,
  missing_exp: invalidToken,
  missing_iat: invalidToken,
  invalid_nbf: invalidToken,
  expired: invalidToken,
  not_yet_valid: invalidToken,
  issued_in_future: invalidToken,
  lifetime_too_long: invalidToken,
  too_many_keys: invalidToken,
  revoked: invalidToken,
}

/** Every reason for which a request is denied. */
export const denyReasons = Object.keys(denials) as readonly DenyReason[]

/** Encodes all answers in a style. */
export function createAnswers(style: ErrorStyle): Answers {
  const encodeAll = (isGrpc: boolean) =>
    new Map(denyReasons.map(reason => [reason, encodeDenial(reason, style, isGrpc)]))
  const plain = encodeAll(false)
  const forGrpc = encodeAll(true)
  return {
    allow: asserted(checkResponseCodec.encode({ status: { code: 0 }, okResponse: {} }), 0),
    deny: (reason, isGrpc) => (isGrpc ? forGrpc : plain).get(reason) as Buffer,
  }
}

function encodeDenial(reason: DenyReason, style: ErrorStyle, isGrpc: boolean): Buffer {
  const denial = denials[reason]
  const body = isGrpc ? denial.sentence : jsonBody(denial, style)
  const contentType = isGrpc || body === '' ? [] : [headerOption('content-type', 'application/json')]
  return asserted(
    checkResponseCodec.encode({
      status: { code: unauthenticated },
      deniedResponse: {
        status: { code: denial.code },
        headers: [...contentType, headerOption('www-authenticate', challenge(denial))],
        body,
      },
      dynamicMetadata: { fields: { reason: { stringValue: reason } } },
    }),
    unauthenticated,
  )
}

function jsonBody(denial: Denial, style: ErrorStyle): string {
  if (style === 'none') return ''
  if (style === 'wso2') return JSON.stringify(denial.wso2)
  return JSON.stringify({ error: denial.error ?? 'invalid_request', error_description: denial.sentence })
}

const challenge = (denial: Denial): string =>
  denial.error === undefined ? 'Bearer' : `Bearer error="${denial.error}"`

const headerOption = (key: string, value: string) => ({
  header: { key, value },
  appendAction: 'OVERWRITE_IF_EXISTS_OR_ADD' as const,
})

function asserted(bytes: Buffer, code: number): Buffer {
  const answer = checkResponseCodec.decode(bytes)
  const hasResponse =
    code === 0 ? answer.httpResponse === 'okResponse' : (answer.deniedResponse?.status?.code ?? 0) >= 400
  if (answer.status?.code === code && hasResponse) return bytes
  throw new Error('an answer to Envoy was encoded without its status')
}
