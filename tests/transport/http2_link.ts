/**
 * Links of the conformance suite whose connections are streams of one HTTP/2 session.
 *
 * @module
 */
import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  createServer,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { Http2Transport } from "../../src/transport/http2_stream.ts";
import { type Connection, type Link, Peer } from "./links.ts";
import { Recorder } from "./recorder.ts";

type Stream = ServerHttp2Stream | ClientHttp2Stream;

class StreamPeer extends Peer {
  readonly #stream: Stream;

  constructor(stream: Stream) {
    super();
    this.#stream = stream;
    stream.on("data", (chunk: Uint8Array) => this.data(chunk));
    stream.on("drain", () => this.changed());
    stream.on("error", () => {});
    stream.on("end", () => {
      this.ended = true;
      this.changed();
    });
    stream.on("close", () => {
      this.gone = true;
      this.changed();
    });
  }

  get bufferedAmount(): number {
    return this.#stream.writableLength;
  }
  write(bytes: Uint8Array): void {
    this.#stream.write(bytes);
  }
  end(): void {
    this.#stream.end();
  }
  pause(): void {
    this.#stream.pause();
  }
  resume(): void {
    this.#stream.resume();
  }
  reset(): void {
    this.#stream.close(8);
  }
  destroy(): void {
    this.#stream.destroy();
  }
}

/** Makes streams of one session; the transport under test is the end of `role`. */
export function http2Link(role: "server" | "client"): Link {
  const recorders: Recorder[] = [];
  const server = createServer({ settings: { enableConnectProtocol: true } });
  let session: ClientHttp2Session | undefined;
  const connectSession = async (): Promise<ClientHttp2Session> => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const opened = connect(`http://127.0.0.1:${port}`);
    opened.on("error", () => {});
    await once(opened, "remoteSettings");
    return opened;
  };
  const link: Link = {
    secure: false,
    kind: "tcp",
    resets: true,
    holdsAfterFin: true,
    connect: async (): Promise<Connection> => {
      session ??= await connectSession();
      const arrived = once(server, "stream");
      const near = session.request({
        ":method": "CONNECT",
        ":protocol": "websocket",
        ":path": "/",
        ":authority": "localhost",
      });
      const answered = once(near, "response");
      const [far] = await arrived as unknown as [ServerHttp2Stream];
      far.respond({ ":status": 200 });
      const [ours, theirs] = role === "server" ? [far, near] : [near, far];
      const peer = new StreamPeer(theirs);
      await answered;
      const recorder = new Recorder(new Http2Transport(ours));
      recorders.push(recorder);
      return { recorder, peer };
    },
    close: async () => {
      for (const recorder of recorders) {
        recorder.transport.destroy();
        await recorder.until(() => recorder.gone, "closed");
      }
      session?.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return link;
}
