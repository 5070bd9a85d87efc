/**
 * Connections that a TCP proxy forwards: the header that comes first, and the addresses that it tells.
 *
 * @module
 */
import type { Introduction, Preface, PrefaceReader } from "./preface.ts";
import type {
  Acceptor,
  Address,
  InternalTransport,
  PeerCertificate,
  ProxiedTls,
  Transport,
  TransportEvents,
} from "./transport.ts";

/** A connection whose proxy has told the addresses of its ends. */
export class ProxiedTransport implements InternalTransport {
  readonly #inner: InternalTransport;
  readonly #introduction: Introduction;

  /**
   * Wraps a connection.
   *
   * @param inner The connection of the proxy.
   * @param introduction What the proxy says about it. What it does not say is that of `inner`.
   */
  constructor(inner: Transport, introduction: Introduction) {
    this.#inner = inner;
    this.#introduction = introduction;
  }

  get events(): TransportEvents {
    return this.#inner.events;
  }

  set events(events: TransportEvents) {
    this.#inner.events = events;
  }

  get transfersChunks(): boolean {
    return this.#inner.transfersChunks === true;
  }

  get bufferedAmount(): number {
    return this.#inner.bufferedAmount;
  }

  get remoteAddress(): Address {
    return this.#introduction.remoteAddress ?? this.#inner.remoteAddress;
  }

  get localAddress(): Address {
    return this.#introduction.localAddress ?? this.#inner.localAddress;
  }

  get secure(): boolean {
    return this.#introduction.secure ?? this.#inner.secure;
  }

  get peerCertificate(): PeerCertificate | undefined {
    return this.#inner.peerCertificate;
  }

  get proxiedTls(): ProxiedTls {
    const { alpn, authority } = this.#introduction;
    return { alpn, authority };
  }

  write(bytes: Uint8Array, stable: boolean): void {
    this.#inner.write(bytes, stable);
  }

  writeStart(bytes: Uint8Array, length: number): void {
    const inner = this.#inner;
    if (inner.writeStart === undefined) inner.write(bytes.subarray(0, length), false);
    else inner.writeStart(bytes, length);
  }

  release(chunk: Uint8Array): void {
    this.#inner.release?.(chunk);
  }

  pause(): void {
    this.#inner.pause();
  }

  resume(): void {
    this.#inner.resume();
  }

  end(): void {
    this.#inner.end();
  }

  destroy(): void {
    this.#inner.destroy();
  }

  setNoDelay(on: boolean): void {
    this.#inner.setNoDelay(on);
  }

  setKeepAlive(on: boolean, delay?: number): void {
    this.#inner.setKeepAlive(on, delay);
  }
}

/** Makes an acceptor that reads the proxy's header first. */
export function acceptProxied(preface: Preface): Acceptor {
  return (transport) => {
    const reader = preface.begin(transport.remoteAddress, () => transport.destroy());
    if (reader === undefined) transport.destroy();
    else transport.events = new PrefaceEvents(transport, reader);
  };
}

/** The events of a connection until its header is complete. */
class PrefaceEvents implements TransportEvents {
  readonly #transport: Transport;
  readonly #reader: PrefaceReader;

  constructor(transport: Transport, reader: PrefaceReader) {
    this.#transport = transport;
    this.#reader = reader;
  }

  data(chunk: Uint8Array): void {
    const introduction = this.#reader.receive(chunk);
    if (introduction === undefined) return;
    const transport = new ProxiedTransport(this.#transport, introduction);
    introduction.accept(transport);
    const { consumed } = introduction;
    if (consumed < chunk.length) transport.events.data(chunk.subarray(consumed));
  }

  drain(): void {}

  end(): void {
    this.#reader.gone();
    this.#transport.destroy();
  }

  closed(): void {
    this.#reader.gone();
  }
}
