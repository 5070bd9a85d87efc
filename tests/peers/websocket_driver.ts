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

/** The part of a driver that is used. The package has no types. */
interface Driver {
  readonly io: NodeJS.ReadWriteStream;
  start(): boolean;
  text(message: string): boolean;
  binary(message: Uint8Array): boolean;
  close(): boolean;
  on(event: "connect" | "close", listener: () => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  on(event: "message", listener: (event: { readonly data: string | Uint8Array }) => void): void;
}

const { isWebSocket, server } = websocketDriver as {
  isWebSocket(driver: Driver): boolean;
  server(options: { readonly maxLength: number }): Driver;
};

const [, , prefix = ""] = process.argv;

function serve(socket: Socket): void {
  const driver = server({ maxLength: 16 << 20 });
  driver.on("connect", () => {
    if (isWebSocket(driver)) driver.start();
  });
  driver.on("message", ({ data }) => {
    if (data === "close") driver.close();
    else if (typeof data === "string") driver.text(prefix + data);
    else driver.binary(data);
  });
  driver.on("close", () => socket.end());
  driver.on("error", (error) => console.error(error.message));
  socket.on("error", () => socket.destroy());
  socket.pipe(driver.io).pipe(socket);
}

const listener = createServer(serve).listen(0, "127.0.0.1", () => {
  const address = listener.address();
  if (address && typeof address === "object") console.log(`ready ${address.port}`);
});
