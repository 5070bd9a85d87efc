/**
 * Routes with options and parameters, single and in lists, and routes that must not compile.
 *
 * @module
 */
import { type AnyRoute, Application, type Route, route, WebSocketHandler } from "../../mod.ts";
import { connect } from "../../src/testing/mod.ts";

/** A user's own type. */
interface Database {
  save(message: string | Uint8Array): Promise<number>;
}

declare const db: Database;

/** Needs no options. */
export class A extends WebSocketHandler {
  /** Does not declare its parameters. */
  onMessage(): void {
    const room: string | undefined = this.params["room"];
    void room;
  }
}

/** Needs options. */
export class B extends WebSocketHandler<{ db: Database }> {
  /** Does nothing. */
  onMessage(): void {}
}

/** The options are optional. */
export class C extends WebSocketHandler<{ names: string[] } | undefined> {
  /** Does nothing. */
  onMessage(): void {}
}

/** Needs a parameter. */
export class Room extends WebSocketHandler<unknown, { room: string }> {
  /** Reads its parameter. */
  onMessage(): void {
    const room: string = this.params.room;
    // @ts-expect-error There is no other parameter.
    const user: string = this.params.user;
    void [room, user];
  }
}

/** An interface, which has no index signature. */
interface Seat {
  readonly room: string;
  readonly seat?: string;
}

/** Needs parameters and options. */
export class Seated extends WebSocketHandler<{ db: Database; sizes: number[] }, Seat> {
  /** Does nothing. */
  onMessage(): void {}
}

/** A parameter is always a string. */
export class Numbered extends WebSocketHandler<unknown, { id: number }> {
  /** Does nothing. */
  onMessage(): void {}
}

/** Not a handler. */
export class Other {
  /** A method of handlers. */
  onMessage(): void {}
}

// --- Lists ---------------------------------------------------------------------------------------

/** A feature module's routes, with options. */
export const routes: AnyRoute[] = [
  ["/a", A],
  ["/b", B, { db }],
  ["/c", C],
  ["/c", C, { names: [] }],
  ["/rooms/:room", Room],
  ["/rooms/:room/:seat", Seated, { db, sizes: [1] }],
  [/\/(?<room>.+)/, Room],
];
/** The same in a readonly list. */
export const fixed: readonly AnyRoute[] = [["/a", A], route("/b", B, { db })];

export const wrong: AnyRoute[] = [
  // @ts-expect-error The handler needs its options.
  ["/b", B],
  // @ts-expect-error A pattern is a string or a RegExp.
  [5, A],
  // @ts-expect-error Not a handler
  ["/", Other],
  // @ts-expect-error Not a class
  ["/", new A(new Application([]), new Request("http://localhost/"), undefined)],
  // @ts-expect-error No handler
  ["/"],
  // @ts-expect-error One too many
  ["/b", B, { db }, 5],
  // @ts-expect-error The options are of another type.
  route("/b", B, { db: 1 }),
  // @ts-expect-error The pattern has another parameter.
  route("/rooms/:id", Room),
];

export const app: Application = new Application([
  ...routes,
  ...fixed,
  ["/more", B, { db }],
  ["/rooms/:room", Room],
]);
new Application(routes);
new Application(fixed, { pingInterval: 0 });
new Application([]);
// @ts-expect-error The options are of another type, also after the routes of another module.
new Application([...routes, ["/more", B, { db: 1 }]]);
connect(app, "/");
connect(new Application([["/b", B, { db }]]), "/");
/** An application's type does not depend on its routes. */
export function serve(application: Application): void {
  application.listen(8888);
}
serve(new Application([["/b", B, { db }]]));

// --- Options -------------------------------------------------------------------------------------

new Application([["/a", A], ["/a", A, 5], ["/b", B, { db }], ["/c", C], ["/c", C, {
  names: ["a"],
}]]);
const options = { names: ["a"] };
new Application([["/c", C, options], ["/c", C, undefined]]);
// @ts-expect-error The handler needs its options.
new Application([["/b", B]]);
// @ts-expect-error The options are of another type.
new Application([["/b", B, { db: 1 }]]);
// @ts-expect-error One of several
new Application([["/a", A], ["/b", B, {}], ["/a", A]]);
// @ts-expect-error An option that the handler does not know
new Application([["/c", C, { name: ["a"] }]]);
// @ts-expect-error Not a handler
new Application([["/", Other]]);
// @ts-expect-error Not a pattern
new Application([[null, A]]);
// @ts-expect-error Not a route
new Application([A]);
// @ts-expect-error Not a list
new Application(["/", A]);

export const one: Route<{ db: Database }> = ["/b", B, { db }];
// @ts-expect-error The handler needs its options.
export const two: Route<{ db: Database }> = ["/b", B];
new Application([one]);

// --- Parameters ----------------------------------------------------------------------------------

new Application([
  ["/rooms/:room", Room],
  ["/:room.:extension", Room],
  ["/:room-:seat?", Seated, { db, sizes: [] }],
  ["/{:room/}?x", Room],
  ["/:room(\\d+)", Room],
  ["/:lobby/:room*", Room],
  ["/rooms/:room", Seated, { db, sizes: [1, 2] }],
  ["/rooms/:room", A],
  ["/", A],
  [/\/(?<room>.+)/, Room],
  ["/".concat(":room"), Room],
]);
// @ts-expect-error The pattern has another parameter.
new Application([["/rooms/:id", Room]]);
// @ts-expect-error The pattern has none.
new Application([["/rooms/room", Room]]);
// @ts-expect-error The pattern's name is longer.
new Application([["/rooms/:rooms", Room]]);
// @ts-expect-error The pattern's name is shorter.
new Application([["/rooms/:roo.m", Room]]);
// @ts-expect-error The colon is escaped.
new Application([["/rooms/\\:room", Room]]);
// @ts-expect-error One of several
new Application([["/rooms/:room", Room], ["/rooms/:id", Room], ["/a", A]]);
// @ts-expect-error With options
new Application([["/rooms/:seat", Seated, { db, sizes: [] }]]);
// @ts-expect-error A parameter is a string.
new Application([["/:id", Numbered]]);

route("/rooms/:room", Room);
route("/rooms/:room", Seated, { db, sizes: [1] });
route("/a", A);
route(/\/(.+)/, Room);
// @ts-expect-error The handler needs its options.
route("/b", B);
// @ts-expect-error A parameter is a string.
route("/:id", Numbered);
// @ts-expect-error Not a handler
route("/", Other);
