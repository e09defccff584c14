/**
 * The wire contracts as objects: message codecs and gRPC service definitions, loaded from the .proto files in
 * this folder. 64-bit integers are numbers, exact up to 2^53-1; fields that were not sent have their defaults.
 *
 * @module
 */
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader'
import type { CheckRequest, CheckRequest__Output } from './generated/envoy/service/auth/v3/CheckRequest.ts'
import type { CheckResponse, CheckResponse__Output } from './generated/envoy/service/auth/v3/CheckResponse.ts'
import type {
  DeltaDiscoveryRequest,
  DeltaDiscoveryRequest__Output,
} from './generated/envoy/service/discovery/v3/DeltaDiscoveryRequest.ts'
import type {
  DeltaDiscoveryResponse,
  DeltaDiscoveryResponse__Output,
} from './generated/envoy/service/discovery/v3/DeltaDiscoveryResponse.ts'
import type {
  DiscoveryRequest,
  DiscoveryRequest__Output,
} from './generated/envoy/service/discovery/v3/DiscoveryRequest.ts'
import type {
  DiscoveryResponse,
  DiscoveryResponse__Output,
} from './generated/envoy/service/discovery/v3/DiscoveryResponse.ts'
import type { HealthDefinition } from './generated/grpc/health/v1/Health.ts'
import type {
  RevocationBatch,
  RevocationBatch__Output,
} from './generated/rescind/discovery/v1/RevocationBatch.ts'
import type { RevokedToken, RevokedToken__Output } from './generated/wso2/discovery/keymgt/RevokedToken.ts'
import type { RevokedTokenDiscoveryServiceDefinition } from './generated/wso2/discovery/service/keymgt/RevokedTokenDiscoveryService.ts'

export type { HealthCheckResponse__Output as HealthMessage } from './generated/grpc/health/v1/HealthCheckResponse.ts'
export type {
  CheckRequest__Output as CheckRequestMessage,
  CheckResponse__Output as CheckResponseMessage,
  DeltaDiscoveryRequest as DeltaRequest,
  DeltaDiscoveryRequest__Output as DeltaRequestMessage,
  DeltaDiscoveryResponse as DeltaResponse,
  DeltaDiscoveryResponse__Output as DeltaResponseMessage,
  DiscoveryRequest as SotwRequest,
  DiscoveryRequest__Output as SotwRequestMessage,
  DiscoveryResponse__Output as SotwResponseMessage,
  RevocationBatch as RevocationBatchFields,
  RevocationBatch__Output as RevocationBatchMessage,
  RevokedToken__Output as RevokedTokenMessage,
}

const protoFolder = dirname(fileURLToPath(import.meta.url))

const loaded = loadSync(
  [
    'envoy/service/auth/v3/external_auth.proto',
    'wso2/discovery/service/keymgt/revoked_tokens.proto',
    'wso2/discovery/keymgt/revoked_token.proto',
    'rescind/discovery/v1/revocation_batch.proto',
    'grpc/health/v1/health.proto',
  ],
  {
    includeDirs: [protoFolder],
    longs: Number,
    enums: String,
    defaults: true,
    arrays: true,
    objects: true,
    oneofs: true,
  },
)

/** Encodes and decodes one protobuf message type; `decode` throws on bytes that are not one. */
export interface MessageCodec<Input extends object, Output extends object> {
  encode(message: Input): Buffer
  decode(bytes: Buffer): Output
}

function codec<Input extends object, Output extends object>(name: string): MessageCodec<Input, Output> {
  const definition = loaded[name] as unknown as MessageTypeDefinition<Input, Output>
  return { encode: definition.serialize, decode: definition.deserialize }
}

/** `envoy.service.auth.v3.CheckRequest`. */
export const checkRequestCodec = codec<CheckRequest, CheckRequest__Output>(
  'envoy.service.auth.v3.CheckRequest',
)

/** `envoy.service.auth.v3.CheckResponse`. */
export const checkResponseCodec = codec<CheckResponse, CheckResponse__Output>(
  'envoy.service.auth.v3.CheckResponse',
)

/** `envoy.service.discovery.v3.DeltaDiscoveryRequest`. */
export const deltaRequestCodec = codec<DeltaDiscoveryRequest, DeltaDiscoveryRequest__Output>(
  'envoy.service.discovery.v3.DeltaDiscoveryRequest',
)

/** `envoy.service.discovery.v3.DeltaDiscoveryResponse`. */
export const deltaResponseCodec = codec<DeltaDiscoveryResponse, DeltaDiscoveryResponse__Output>(
  'envoy.service.discovery.v3.DeltaDiscoveryResponse',
)

/** `envoy.service.discovery.v3.DiscoveryRequest`. */
export const sotwRequestCodec = codec<DiscoveryRequest, DiscoveryRequest__Output>(
  'envoy.service.discovery.v3.DiscoveryRequest',
)

/** `envoy.service.discovery.v3.DiscoveryResponse`. */
export const sotwResponseCodec = codec<DiscoveryResponse, DiscoveryResponse__Output>(
  'envoy.service.discovery.v3.DiscoveryResponse',
)

/** `wso2.discovery.keymgt.RevokedToken`. */
export const revokedTokenCodec = codec<RevokedToken, RevokedToken__Output>(
  'wso2.discovery.keymgt.RevokedToken',
)

/** `rescind.discovery.v1.RevocationBatch`. */
export const revocationBatchCodec = codec<RevocationBatch, RevocationBatch__Output>(
  'rescind.discovery.v1.RevocationBatch',
)

/** Path of `envoy.service.auth.v3.Authorization/Check`, which is served as bytes in, bytes out. */
export const checkPath = '/envoy.service.auth.v3.Authorization/Check'

/** Path of the delta stream, whose messages are sent as bytes that were encoded once. */
export const deltaTokensPath = '/wso2.discovery.service.keymgt.RevokedTokenDiscoveryService/DeltaTokens'

/** Path of the stream of Choreo Connect (state of the world), whose messages are sent as bytes too. */
export const streamTokensPath = '/wso2.discovery.service.keymgt.RevokedTokenDiscoveryService/StreamTokens'

/** Path of Choreo Connect's call for everything at once. */
export const fetchTokensPath = '/wso2.discovery.service.keymgt.RevokedTokenDiscoveryService/FetchTokens'

/** `wso2.discovery.service.keymgt.RevokedTokenDiscoveryService`. */
export const discoveryService = loaded[
  'wso2.discovery.service.keymgt.RevokedTokenDiscoveryService'
] as unknown as RevokedTokenDiscoveryServiceDefinition

/** `grpc.health.v1.Health`. */
export const healthService = loaded['grpc.health.v1.Health'] as unknown as HealthDefinition

/** `type_url` of the resource that a delta response carries. */
export const revocationBatchTypeUrl = 'type.googleapis.com/rescind.discovery.v1.RevocationBatch'

/** `type_url` of what Choreo Connect's responses carry, and of the responses themselves. */
export const revokedTokenTypeUrl = 'type.googleapis.com/wso2.discovery.keymgt.RevokedToken'
