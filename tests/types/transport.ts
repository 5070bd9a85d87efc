/**
 * The members that a user's transport must have, and no others.
 *
 * @module
 */
import { type Address, Application, type Transport, type TransportEvents } from "../../mod.ts";

const address: Address = { transport: "tcp", hostname: "127.0.0.1", port: 1 };

/** The members of a transport, by name. */
type Members =
  | "events"
  | "bufferedAmount"
  | "remoteAddress"
  | "localAddress"
  | "secure"
  | "write"
  | "pause"
  | "resume"
  | "end"
  | "destroy"
  | "setNoDelay"
  | "setKeepAlive";

export const all: Members = "" as keyof Transport;
export const known: keyof Transport = "" as Members;
export const events: "data" | "drain" | "end" | "closed" = "" as keyof TransportEvents;

const transport: Transport = {
  events: { data() {}, drain() {}, end() {}, closed() {} },
  bufferedAmount: 0,
  remoteAddress: address,
  localAddress: address,
  secure: false,
  write() {},
  pause() {},
  resume() {},
  end() {},
  destroy() {},
  setNoDelay() {},
  setKeepAlive() {},
};
new Application([]).accept(transport);

const { write: _, ...mute } = transport;
// @ts-expect-error A transport writes.
new Application([]).accept(mute);
