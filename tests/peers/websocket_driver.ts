/**
 * An echo server with npm:websocket-driver, another implementation of draft76. Runs on Node, and prints
 * `ready PORT`. The message `"close"` closes the connection. An optional argument is prepended to each
 * text that it sends back.
 *
 * @module
 */
import { createServer, type Socket } from "node:net";
import process from "node:process";
import websocketDriver from "websocket-driver";
import { messageLimit, reportClose, reportMessage } from "../client/peers/reporter.ts";

/** The code and the reason; `null` in draft75 and draft76. */
interface CloseEvent {
  readonly code: number | null;
  readonly reason: string | null;
}

/** The part of a driver that is used. The package has no types. */
interface Driver {
  readonly io: NodeJS.ReadWriteStream;
  /** The path and query of the handshake, if it has come. */
  readonly url: string | null | undefined;
  start(): boolean;
  text(message: string): boolean;
  binary(message: Uint8Array): boolean;
  close(): boolean;
  on(event: "connect", listener: () => void): void;
  on(event: "close", listener: (event: CloseEvent) => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  on(event: "message", listener: (event: { readonly data: string | Uint8Array }) => void): void;
}

const { isWebSocket, server } = websocketDriver as {
  isWebSocket(driver: Driver): boolean;
  server(options: { readonly maxLength: number }): Driver;
};

const [, , prefix = ""] = process.argv;

function serve(socket: Socket): void {
  const driver = server({ maxLength: messageLimit });
  driver.on("connect", () => {
    if (isWebSocket(driver)) driver.start();
    else socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
  });
  driver.on("message", ({ data }) => {
    reportMessage(driver.url, data);
    if (data === "close") driver.close();
    else if (typeof data === "string") driver.text(prefix + data);
    else driver.binary(data);
  });
  let told = false;
  driver.on("close", ({ code, reason }) => {
    told = true;
    reportClose(driver.url, code ?? 1005, reason ?? "");
    socket.end();
  });
  // The driver does not see the end of the socket.
  socket.on("close", () => {
    if (!told) reportClose(driver.url, 1006);
  });
  driver.on("error", (error) => console.error(error.message));
  socket.on("error", () => socket.destroy());
  socket.pipe(driver.io).pipe(socket);
}

const listener = createServer(serve).listen(0, "127.0.0.1", () => {
  const address = listener.address();
  if (address && typeof address === "object") console.log(`ready ${address.port}`);
});
