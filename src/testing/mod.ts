/**
 * The test kit: a handler is tested in one line, under `deno test`, `bun test` and `node --test`
 * alike. A client is joined to the application in memory, with no port; it speaks any version, its
 * bytes come in pieces of any size, its network stalls at will, and the time is the test's.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Application, WebSocketHandler } from "@waterspout/websocket";
 * import { connect } from "@waterspout/websocket/testing";
 *
 * class Echo extends WebSocketHandler {
 *   onMessage(message: string | Uint8Array): void {
 *     this.writeMessage(message);
 *   }
 * }
 *
 * const client = await connect(new Application([["/echo", Echo]]), "/echo");
 * client.writeMessage("Hello");
 * assertEquals(await client.readMessage(), "Hello");
 * ```
 *
 * @module
 */
export { connect, TestConnection, type TestOptions } from "./memory_connect.ts";
export { FakeClock } from "./fake_clock.ts";
