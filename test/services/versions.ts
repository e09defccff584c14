/**
 * The versions of the real components that tests, demo and benchmarks run against: the one place to raise them.
 *
 * @module
 */

/** The Envoy that tests, demo and benchmarks start; docker-compose.yml names the same one. */
export const envoyVersion = '1.40.0'

/** The oldest Envoy that envoy/envoy.yaml must still run on. */
export const envoyOldestVersion = '1.36.4'

/** The newer Node that the unit tests run on a second time. */
export const node24Version = '24.19.0'

/** The Kafka that tests start. */
export const kafkaVersion = '4.1.0'

/** The oldest Kafka that the Kafka driver is tested on. */
export const kafkaOldestVersion = '3.9.1'

/** The Keycloak that tests start. */
export const keycloakVersion = '26.0.0'
