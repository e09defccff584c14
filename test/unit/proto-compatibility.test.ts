/** Our trimmed definitions and the full upstream ones are the same on the wire. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import protobuf, { type Field } from 'protobufjs'
import {
  checkPath,
  checkRequestCodec,
  checkResponseCodec,
  deltaTokensPath,
  discoveryService,
  healthService,
} from '../../proto/wire.ts'
import { decode, encode, loadOurs, loadUpstream, messageOf, project } from '../support/proto-definitions.ts'

const ours = loadOurs()
const upstream = loadUpstream([
  'envoy/service/auth/v3/external_auth.proto',
  'envoy/service/discovery/v3/discovery.proto',
  'google/rpc/status.proto',
])

const shared = [
  'envoy.config.core.v3.Node',
  'envoy.service.auth.v3.CheckRequest',
  'envoy.service.auth.v3.CheckResponse',
  'envoy.service.discovery.v3.DeltaDiscoveryRequest',
  'envoy.service.discovery.v3.DeltaDiscoveryResponse',
  'envoy.service.discovery.v3.DiscoveryRequest',
  'envoy.service.discovery.v3.DiscoveryResponse',
  'google.protobuf.Any',
  'google.protobuf.Struct',
  'google.rpc.Status',
]

/** Deep enough for CheckRequest.attributes.request.http.header_map.headers and a Struct in a Struct. */
const depth = 6

for (const name of shared) {
  const [our, their] = [ours.lookupType(name), upstream.lookupType(name)]

  describe(name, () => {
    test('what we encode, upstream decodes to the same', () => {
      fc.assert(
        fc.property(messageOf(our, depth), message => {
          assert.deepEqual(decode(their, encode(our, message)), message)
        }),
      )
    })

    test('what upstream encodes of the fields that we know, we decode to the same', () => {
      fc.assert(
        fc.property(messageOf(our, depth), message => {
          assert.deepEqual(decode(our, encode(their, message)), message)
        }),
      )
    })

    test('what upstream encodes with all its fields, we decode without those that we do not know', () => {
      fc.assert(
        fc.property(messageOf(their, depth), message => {
          const bytes = encode(their, message)
          assert.deepEqual(decode(our, bytes), project(our, decode(their, bytes)))
        }),
      )
    })
  })
}

/** Every message type of ours in these packages, nested ones included. */
function typesIn(namespace: protobuf.NamespaceBase): protobuf.Type[] {
  return namespace.nestedArray.flatMap(nested => {
    const own = nested instanceof protobuf.Type ? [nested] : []
    return nested instanceof protobuf.Namespace ? [...own, ...typesIn(nested)] : own
  })
}

const shape = (field: Field) => ({
  id: field.id,
  repeated: field.repeated,
  map: field.map,
  oneof: field.partOf?.name,
})

test('every field of ours exists upstream under the same name and number', () => {
  const types = ['envoy', 'google'].flatMap(name => typesIn(ours.lookup(name) as protobuf.NamespaceBase))
  assert.ok(types.length > 20)
  for (const type of types) {
    const theirs = upstream.lookupType(type.fullName)
    for (const field of type.fieldsArray) {
      const their = theirs.fields[field.name]
      assert.ok(their, `${type.fullName}.${field.name} does not exist upstream`)
      assert.deepEqual(shape(field), shape(their), `${type.fullName}.${field.name}`)
    }
  }
})

test('every enum value of ours has its upstream number', () => {
  const actions = 'envoy.config.core.v3.HeaderValueOption.HeaderAppendAction'
  for (const name of [actions, 'google.protobuf.NullValue']) {
    assert.deepEqual({ ...ours.lookupEnum(name).values }, { ...upstream.lookupEnum(name).values })
  }
})

test('the codecs that the product uses read a full request of Envoy and write what Envoy reads', () => {
  const request = upstream.lookupType('envoy.service.auth.v3.CheckRequest')
  const response = upstream.lookupType('envoy.service.auth.v3.CheckResponse')
  const http = { method: 'GET', path: '/?a=1', headers: { authorization: 'Bearer x' }, size: '5', body: 'b' }
  const attributes = { source: { principal: 'spiffe://a' }, request: { time: { seconds: '1' }, http } }
  const read = checkRequestCodec.decode(Buffer.from(encode(request, { attributes })))
  assert.equal(read.attributes?.request?.http?.path, '/?a=1')
  assert.deepEqual({ ...read.attributes?.request?.http?.headers }, { authorization: 'Bearer x' })

  const header = { header: { key: 'a', value: 'b' }, appendAction: 'OVERWRITE_IF_EXISTS_OR_ADD' as const }
  const denied = { status: { code: 401 }, headers: [header], body: '{}' }
  const bytes = checkResponseCodec.encode({ status: { code: 16 }, deniedResponse: denied })
  assert.deepEqual(decode(response, bytes), {
    status: { code: 16 },
    deniedResponse: {
      status: { code: 401 },
      headers: [{ header: { key: 'a', value: 'b' }, appendAction: 2 }],
      body: '{}',
    },
  })
})

test('a revoked token has the bytes of Choreo Connect', () => {
  const type = ours.lookupType('wso2.discovery.keymgt.RevokedToken')
  // 1: "abc"; 2: 1700000000000 as a varint, low groups of seven bits first.
  const bytes = Buffer.from('0a03616263' + '1080d095ffbc31', 'hex')
  assert.deepEqual(Buffer.from(encode(type, { jti: 'abc', expirytime: '1700000000000' })), bytes)
  assert.deepEqual(decode(type, bytes), { jti: 'abc', expirytime: '1700000000000' })
  const negative = Buffer.from('10ffffffffffffffffff01', 'hex')
  assert.deepEqual(decode(type, negative), { expirytime: '-1' })
  assert.deepEqual(decode(type, Buffer.from('0a0161' + '1a0178' + '1001', 'hex')), {
    jti: 'a',
    expirytime: '1',
  })
})

test('the discovery service has the paths of Choreo Connect, and one of its own', () => {
  const service = '/wso2.discovery.service.keymgt.RevokedTokenDiscoveryService'
  const paths = Object.values(discoveryService).map(({ path, requestStream, responseStream }) => [
    path,
    requestStream,
    responseStream,
  ])
  assert.deepEqual(paths, [
    [`${service}/StreamTokens`, true, true],
    [`${service}/FetchTokens`, false, false],
    [`${service}/DeltaTokens`, true, true],
  ])
  assert.equal(deltaTokensPath, `${service}/DeltaTokens`)
})

test('the check has the path that Envoy calls', () => {
  const service = upstream.lookupService('envoy.service.auth.v3.Authorization')
  assert.equal(checkPath, `/${service.fullName.slice(1)}/${service.methodsArray[0]?.name}`)
  assert.equal(checkPath, '/envoy.service.auth.v3.Authorization/Check')
})

test('the health service has the paths and bytes of grpc.health.v1', () => {
  const { Check, Watch } = healthService
  assert.deepEqual(
    [Check.path, Check.requestStream, Check.responseStream],
    ['/grpc.health.v1.Health/Check', false, false],
  )
  assert.deepEqual(
    [Watch.path, Watch.requestStream, Watch.responseStream],
    ['/grpc.health.v1.Health/Watch', false, true],
  )
  assert.equal(Check.requestSerialize({ service: 'abc' }).toString('hex'), '0a03616263')
  assert.equal(Check.requestDeserialize(Buffer.from('0a03616263', 'hex')).service, 'abc')
  const statuses = { UNKNOWN: '0800', SERVING: '0801', NOT_SERVING: '0802', SERVICE_UNKNOWN: '0803' } as const
  for (const [status, bytes] of Object.entries(statuses)) {
    assert.equal(Check.responseSerialize({ status: status as keyof typeof statuses }).toString('hex'), bytes)
    assert.equal(Check.responseDeserialize(Buffer.from(bytes, 'hex')).status, status)
  }
  assert.equal(Check.responseDeserialize(Buffer.alloc(0)).status, 'UNKNOWN')
})
