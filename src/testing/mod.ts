/**
 * Tests handlers in memory, without a port, with `deno test`, `bun test` and `node --test`. The test
 * client supports every version of the protocol. A test can split its data, stall its network, and
 * control the time.
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
