/**
 * What the discovery client needs of a stream, whatever it goes over.
 *
 * @module
 */

/** The enforcer's end of a stream to an adapter. */
export interface ClientStream<Request, Response> {
  write(request: Request): void
  /** Nothing more will be written. */
  end(): void
  cancel(): void
  /** No more responses until {@link resume}. */
  pause(): void
  resume(): void
  on(event: 'data', listener: (response: Response) => void): unknown
  /** Why the stream failed. */
  on(event: 'error', listener: (error: Error) => void): unknown
  /** The stream has ended; always comes, and last. */
  on(event: 'status', listener: () => void): unknown
}

/** Opens streams. */
export interface DiscoveryTransport<Request, Response> {
  /**
   * Opens a stream over a connection of its own.
   *
   * @param address `host:port` of an adapter.
   * @param onConnected called when the connection is up, while the stream is open.
   */
  open(address: string, onConnected: () => void): ClientStream<Request, Response>
  /** What an error of a stream means, in one line. */
  reasonOf(error: Error): string
}
