/**
 * The servers that accept an attachment, checked without the types of Node. Nothing runs.
 *
 * @module
 */
import {
  Application,
  type Attachment,
  type UpgradeRequest,
  type UpgradeServer,
  type UpgradeSocket,
  WebSocketHandler,
} from "../../mod.ts";

const app = new Application([]);

/** The part of an `http.Server` that is used. */
declare const server: UpgradeServer;
declare const request: UpgradeRequest & { session: { user: string } };
declare const socket: UpgradeSocket;

const attachment: Attachment = app.attach(server);
app.attach(server, { passThrough: ({ url = "" }) => url.startsWith("/hmr") });
// A callback's parameter may have the type of a framework.
app.attach(server, { passThrough: ({ session }: typeof request) => session.user === "" });
// @ts-expect-error A promise would count as true.
app.attach(server, { passThrough: () => Promise.resolve(true) });
// @ts-expect-error Not an option.
app.attach(server, { path: "/ws" });
// @ts-expect-error Not a server.
app.attach(8080);

export const held: number = attachment.connections;
export const done: Promise<void> = attachment.shutdown({ timeout: 1000 });
export const isOurs: boolean = app.handleUpgrade(request, socket, new Uint8Array());
// @ts-expect-error The bytes after the request head are needed.
app.handleUpgrade(request, socket);

/** A handler that reads a property that a framework has added. */
export class Reading extends WebSocketHandler {
  override prepare(): void {
    const { session } = this.rawRequest as typeof request;
    session.user.toUpperCase();
  }
  onMessage(): void {}
}
