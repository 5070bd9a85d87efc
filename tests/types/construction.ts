/**
 * How handlers, servers and connections are constructed, and what must not compile.
 *
 * @module
 */
import {
  Application,
  type ConnectionInfo,
  type HandlerConnection,
  type RequestHandler,
  type Server,
  WebSocketHandler,
} from "../../mod.ts";
import { WebSocketClientConnection } from "../../src/client/mod.ts";
import { TestConnection } from "../../src/testing/mod.ts";

declare const foreign: ConnectionInfo;
declare const connection: HandlerConnection;
declare const something: unknown;
const app = new Application([]);

/** A handler with its own constructor. */
export class Room extends WebSocketHandler<number> {
  /** A field set from the options. */
  readonly size: number;

  /** Passes its arguments to the base class. */
  constructor(application: Application, request: Request | HandlerConnection, options: number) {
    super(application, request, options);
    this.size = 2 * options;
  }

  /** Does nothing. */
  onMessage(): void {}
}

new Application([["/", Room, 5]]);
new Room(app, new Request("http://localhost/"), 5);
new Room(app, connection, 5);
// @ts-expect-error A ConnectionInfo made by a user does not have what a handler needs.
new Room(app, foreign, 5);
/** A handler without its own constructor. */
export class Plain extends WebSocketHandler {
  /** Does nothing. */
  onMessage(): void {}
}

// @ts-expect-error The same without a subclass's constructor.
new Plain(app, foreign, undefined);
// @ts-expect-error Something
new Room(app, something, 5);
// @ts-expect-error Nothing
new Room(app, undefined, 5);
// @ts-expect-error The options of another handler
new Room(app, connection, "5");

/** A constructor that does not pass on what a handler needs. */
export class Narrow extends WebSocketHandler {
  /** Has too few parameters. */
  constructor(application: Application, info: ConnectionInfo) {
    // @ts-expect-error A ConnectionInfo is not enough.
    super(application, info, undefined);
  }

  /** Does nothing. */
  onMessage(): void {}
}

// @ts-expect-error Made by websocketConnect
new WebSocketClientConnection();
// @ts-expect-error Made by websocketConnect
new WebSocketClientConnection(something);
// @ts-expect-error Made by websocketConnect
new WebSocketClientConnection({});
// @ts-expect-error Made by connect
new TestConnection(something, something);
// @ts-expect-error Made by listen. Only the type is exported.
new Server(app, 5);

/** The fallback determines the type of arguments and cookies. */
export function read(handler: RequestHandler): void {
  const required: string = handler.getArgument("a");
  const text: string = handler.getArgument("a", "");
  const optional: string | undefined = handler.getArgument("a", undefined);
  const nullable: string | null = handler.getArgument("a", null);
  const number: string | number = handler.getArgument("a", 5);
  const cookie: string | undefined = handler.getCookie("a");
  const session: string = handler.getCookie("a", "");
  const noSession: string | null = handler.getCookie("a", null);
  // @ts-expect-error It may be undefined.
  const notUndefined: string = handler.getArgument("a", undefined);
  // @ts-expect-error It may be null.
  const notNull: string = handler.getArgument("a", null);
  // @ts-expect-error It may be a number.
  const notNumber: string = handler.getArgument("a", 5);
  // @ts-expect-error It may be missing.
  const notMissing: string = handler.getCookie("a");
  // @ts-expect-error It may be null.
  const neitherNull: string = handler.getCookie("a", null);
  // @ts-expect-error A name is needed.
  handler.getArgument();
  void [required, text, optional, nullable, number, cookie, session, noSession];
  void [notUndefined, notNull, notNumber, notMissing, neitherNull];
}
