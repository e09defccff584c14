/** The description of the admin API is complete, and is OpenAPI 3.1. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type AdminServer, startAdminServer } from '../support/admin-server.ts'

const someHash = '$scrypt$ln=10,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g'

/** Every route, and what it answers on success. */
const routes: Readonly<Record<string, readonly string[]>> = {
  'post /revocations': ['200', '201'],
  'post /revocations:batch': ['200', '201'],
  'get /revocations': ['200'],
  'delete /revocations/{id}': ['200'],
  'get /claim-sets': ['200'],
  'post /claim-sets': ['200', '201'],
  'post /explain': ['200'],
  'get /events': ['200'],
  'get /events/rejected': ['200'],
  'get /unresolved': ['200'],
  'delete /unresolved/{id}': ['204'],
}

const placesOfParameters = ['path', 'query', 'header']

interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly parameters?: readonly { name: string; in: string; required?: boolean; schema: object }[]
  readonly requestBody?: { content: Record<string, { schema: object }> }
  readonly responses: Record<string, { description: string; content?: Record<string, { schema: object }> }>
}

describe('the description of the admin API', () => {
  let server: AdminServer
  let document: {
    openapi: string
    info: { title: string; version: string }
    paths: Record<string, Record<string, Operation>>
    components: { securitySchemes: Record<string, { type: string }> }
    security: Record<string, string[]>[]
  }
  before(async () => {
    server = await startAdminServer({ credentials: { tokens: [{ name: 'ops', hash: someHash }] } })
    const response = await fetch(`${server.url}/openapi.json`)
    assert.equal(response.status, 200)
    document = (await response.json()) as typeof document
  })
  after(() => server.close())

  const operations = () =>
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, path, operation })),
    )

  test('names every route, and nothing else', () => {
    assert.deepEqual(
      operations()
        .map(({ name }) => name)
        .sort(),
      Object.keys(routes).sort(),
    )
  })

  test('is OpenAPI 3.1 in its structure', () => {
    assert.match(document.openapi, /^3\.1\.\d+$/)
    assert.ok(document.info.title !== '' && document.info.version !== '')
    const schemes = Object.keys(document.components.securitySchemes)
    for (const requirement of document.security) {
      for (const name of Object.keys(requirement)) assert.ok(schemes.includes(name))
    }
    const ids = operations().map(({ operation }) => operation.operationId)
    assert.equal(new Set(ids).size, ids.length)
  })

  test('has each parameter of a path, and a schema for everything that is sent', () => {
    for (const { name, path, operation } of operations()) {
      const { parameters = [], responses } = operation
      const inPath = parameters.filter(parameter => parameter.in === 'path')
      assert.deepEqual(
        inPath.map(parameter => [parameter.name, parameter.required]),
        [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => [parameter, true]),
        name,
      )
      const isWhole = parameters.every(
        parameter => placesOfParameters.includes(parameter.in) && parameter.schema,
      )
      assert.ok(isWhole, name)
      const media = Object.values(responses).flatMap(({ content = {} }) => Object.values(content))
      assert.ok(media.length > 0 && media.every(({ schema }) => typeof schema === 'object'), name)
      assert.ok(
        Object.values(responses).every(({ description }) => typeof description === 'string'),
        name,
      )
    }
  })

  test('says of each route what it answers, errors as problem details included', () => {
    for (const { name, operation } of operations()) {
      assert.notEqual(operation.summary ?? '', '', name)
      assert.deepEqual(
        Object.keys(operation.responses).sort(),
        [...(routes[name] ?? []), '4XX', '5XX'].sort(),
      )
      for (const status of ['4XX', '5XX']) {
        assert.match(JSON.stringify(operation.responses[status]?.content), /"code"/, name)
      }
      const takesBody = name.startsWith('post ')
      assert.equal(operation.requestBody?.content['application/json'] !== undefined, takesBody, name)
    }
  })
})

test('there is no description where nobody may use the API', async t => {
  const server = await startAdminServer()
  t.after(() => server.close())
  assert.equal((await fetch(`${server.url}/openapi.json`)).status, 404)
})
