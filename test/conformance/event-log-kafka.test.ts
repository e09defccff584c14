/** The Kafka driver, through the same suite as every event log. */
import { after, before, describe } from 'node:test'
import { kafkaOldest } from '../services/catalogue.ts'
import { type KafkaBroker, startKafka } from '../support/kafka.ts'
import { createKafkaLogUnderTest } from '../support/kafka-log.ts'
import { requireService } from '../support/requires.ts'
import { testEventLog } from './event-log-suite.ts'

for (const component of ['kafka', kafkaOldest]) {
  describe(`on ${component}`, requireService(component), () => {
    let broker: KafkaBroker
    before(async () => {
      broker = await startKafka({ component })
    })
    after(() => broker?.stop())

    const create = async () => createKafkaLogUnderTest(broker.brokers)
    testEventLog('Kafka', create, { chainsDigests: false, beats: true })
  })
}
