/**
 * A simulated delta stream between an enforcer and an adapter: in each direction in order, as slow as the reader, and over
 * at any moment, which the two ends learn at different times, or not at all.
 *
 * @module
 */
import { EventEmitter } from 'node:events'
import type { DiscoveryStream } from '../../adapter/stream-shell.ts'
import type { ClientStream } from '../../enforcer/discovery/client-stream.ts'
import {
  type DeltaRequest,
  type DeltaRequestMessage,
  type DeltaResponseMessage,
  deltaRequestCodec,
  deltaResponseCodec,
  type RevocationBatchMessage,
  revocationBatchCodec,
} from '../../proto/wire.ts'
import { spoil } from '../support/discovery.ts'
import type { Network } from './network.ts'
import type { Process, World } from './world.ts'

/** The enforcer's end of a stream. */
export type DeltaClientStream = ClientStream<DeltaRequest, DeltaResponseMessage>

/** The adapter's end. */
type DeltaStream = DiscoveryStream<DeltaRequestMessage>

/** An adapter as a network sees it. */
export interface StreamServer {
  readonly process: Process
  serve(call: DeltaStream): void
}

/** How a stream behaves. */
export interface StreamOptions {
  /** Messages that may lie unread before the adapter must wait. */
  readonly window: number
  /** Milliseconds that the enforcer needs for a message. */
  readonly readMs: number
  /** How often a message arrives spoilt. */
  readonly spoiltShare: number
}

/** Who is told what passes. */
export interface StreamWatcher {
  /** The adapter wrote a message; `unanswered` counts those since the last beginning of a full state, this one included. */
  onWritten(unanswered: number): void
  /** The enforcer is about to read a message that was written so long ago; undefined: a sign of life. */
  onRead(batch: RevocationBatchMessage | undefined, transitMs: number, isSpoilt: boolean): void
  /** The enforcer refused a message although none of this stream was spoilt. */
  onRefused(reason: string): void
}

/** A stream that is open at one end at least. */
export interface SimulatedStream {
  readonly client: DeltaClientStream
  readonly adapter: string
  /** The connection breaks; each end learns that later. */
  cut(): void
}

interface Written {
  readonly bytes: Buffer
  readonly response: DeltaResponseMessage
  readonly batch: RevocationBatchMessage | undefined
  readonly encodedAtMs: number
}

/** Opens a stream from an enforcer's process to an adapter, which may not be there. */
export function openStream(
  { world, network }: { readonly world: World; readonly network: Network },
  process: Process,
  to: { readonly name: string; server(): StreamServer | undefined },
  options: StreamOptions,
  watcher: StreamWatcher,
): SimulatedStream {
  const { scheduler, dice } = world
  const me = process.machine.name
  const client = new EventEmitter()
  const call = new EventEmitter()
  let server: StreamServer | undefined
  let isClientOpen = true
  let isServerOpen = false
  /** What was written and not read, and at its end how the stream ended. */
  let down: (Written | 'end')[] = []
  let isReading = false
  let isPaused = false
  /** What the enforcer has sent, and what else happens at the adapter after it. */
  const up: (() => void)[] = []
  let isSending = false
  /** Told when the window has room for what was written. */
  const untold: (() => void)[] = []
  let wasSpoilt = false
  let isCut = false
  let latest: Written | undefined
  let unanswered: string[] = []

  const endClient = (error?: Error) => {
    if (!isClientOpen) return
    isClientOpen = false
    process.run(() => {
      if (error !== undefined) client.emit('error', error)
      client.emit('status')
    })
  }
  const sendNext = () => {
    if (isSending || up.length === 0) return
    isSending = true
    network.carry(me, to.name, () => {
      isSending = false
      up.shift()?.()
      sendNext()
    })
  }
  const toServer = (action: () => void) => {
    up.push(() => {
      if (isServerOpen) server?.process.run(action)
    })
    sendNext()
  }
  const endServer = (event: 'cancelled' | 'finish') => {
    if (!isServerOpen) return
    isServerOpen = false
    server?.process.run(() => call.emit(event))
  }

  const readNext = () => {
    if (isReading || isPaused || down.length === 0) return
    isReading = true
    const readMs = options.readMs * dice.between(0.5, 1.5)
    scheduler.after(readMs, () =>
      network.carry(to.name, me, () => {
        isReading = false
        const next = down.shift()
        if (next === 'end') endClient(new Error('the stream was ended'))
        else if (next !== undefined) read(next)
        tellRoom()
        readNext()
      }),
    )
  }
  const tellRoom = () => {
    if (down.length < options.window) for (const written of untold.splice(0)) toServer(written)
  }
  const read = ({ bytes, response, batch, encodedAtMs }: Written) => {
    if (!isClientOpen) return
    const isSpoilt = dice.chance(options.spoiltShare)
    wasSpoilt ||= isSpoilt
    process.run(() => {
      watcher.onRead(batch, scheduler.nowMs - encodedAtMs, isSpoilt)
      client.emit('data', isSpoilt ? deltaResponseCodec.decode(spoil(bytes)) : response)
    })
  }
  const write = (bytes: Buffer, onWritten: () => void): void => {
    const response = deltaResponseCodec.decode(bytes)
    const value = response.resources[0]?.resource?.value as Buffer | undefined
    const batch = value === undefined ? undefined : revocationBatchCodec.decode(value)
    if (batch?.kind === 'FULL_FIRST') unanswered = []
    if (response.nonce !== '') unanswered.push(response.nonce)
    watcher.onWritten(unanswered.length)
    // Into the void, as long as the adapter has not noticed.
    if (isCut) {
      server?.process.clock.after(0, onWritten)
      return
    }
    // The last message of a run is encoded together with the leftovers before it.
    const encodedAtMs = latest?.batch?.leftovers ? latest.encodedAtMs : scheduler.nowMs
    latest = { bytes, response, batch, encodedAtMs }
    down.push(latest)
    readNext()
    if (down.length < options.window) server?.process.clock.after(0, onWritten)
    else untold.push(onWritten)
  }
  const endDown = () => {
    if (!isServerOpen) return
    isServerOpen = false
    down.push('end')
    readNext()
  }

  const loseServer = () => {
    if (!isServerOpen) return
    isServerOpen = false
    down = [...down.slice(0, dice.int(down.length + 1)), 'end']
    readNext()
  }

  Object.assign(call, {
    getPeer: () => me,
    getAuthContext: () => ({}),
    write,
    end: () => {
      endDown()
      call.emit('finish')
    },
  })
  call.on('error', () => {
    endDown()
    call.emit('finish')
  })
  const send = (request: DeltaRequest) => {
    if (!isClientOpen) return
    if (request.errorDetail && !wasSpoilt) watcher.onRefused(request.errorDetail.message ?? '')
    const bytes = deltaRequestCodec.encode(request)
    toServer(() => {
      const message: DeltaRequestMessage = deltaRequestCodec.decode(bytes)
      const index = unanswered.indexOf(message.responseNonce)
      if (index >= 0) unanswered.splice(0, index + 1)
      call.emit('data', message)
    })
  }
  Object.assign(client, {
    write: send,
    end: () => toServer(() => call.emit('end')),
    pause: () => {
      isPaused = true
    },
    resume: () => {
      isPaused = false
      readNext()
    },
    cancel: () => {
      process.clock.after(0, () => endClient(new Error('cancelled')))
      toServer(() => endServer('cancelled'))
    },
  })

  up.unshift(() => {
    server = to.server()
    if (server === undefined || !server.process.isAlive) {
      network.carry(to.name, me, () => endClient(new Error('connection refused')))
      return
    }
    isServerOpen = true
    const there = server
    there.process.killed.addEventListener('abort', loseServer, { once: true })
    there.process.run(() => there.serve(call as unknown as DeltaStream))
  })
  sendNext()
  process.killed.addEventListener('abort', () => toServer(() => endServer('cancelled')), { once: true })

  return {
    client: client as unknown as DeltaClientStream,
    adapter: to.name,
    cut: () => {
      isCut = true
      down = down.slice(0, dice.int(down.length + 1))
      scheduler.after(dice.between(0, 300), () => endClient(new Error('the connection was lost')))
      scheduler.after(dice.between(0, 3_000), () => endServer('cancelled'))
    },
  }
}
