/**
 * Every callback of an application, and everything harmful that it can do. Errors are logged, nothing
 * escapes as an uncaught error, which would fail the test, and other connections are served.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { websocketConnect } from "../../src/client/mod.ts";
import type { ConnectOptions } from "../../src/client/options.ts";
import type { Broker, BrokerEvents, BrokerStatus } from "../../src/pubsub/brokers/broker.ts";
import { natsBroker, type NatsConnection } from "../../src/pubsub/brokers/nats.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import type { ListenOptions } from "../../src/server/server.ts";
import type { Fetch } from "../../src/http/fetch.ts";
import type { Settings } from "../../src/server/settings.ts";
import { connect } from "../../src/testing/mod.ts";
import { type Hostile, hostile } from "../support/hostile.ts";
import { makeOpening } from "../support/memory_client.ts";
import { RawClient } from "../support/raw_client.ts";
import { Rig, settle, untilQuiet } from "../support/rig.ts";
import { checkEach } from "../support/rows.ts";

/** Causes a call of the callback, and resolves to the log at the end. */
type Place = (hostile: Hostile) => Promise<readonly string[]>;

class Echo extends WebSocketHandler {
  onMessage(message: string | Uint8Array): unknown {
    return this.writeMessage(message);
  }
}

/** A handler with one given method. */
function handlerWith(method: string, value: () => unknown): typeof Echo {
  class Odd extends Echo {}
  Object.defineProperty(Odd.prototype, method, { value });
  return Odd;
}

/** An application with a normal handler at `/good`. Its log is kept unread. */
function makeRig(settings: object, served: typeof Echo = Echo): [Rig, string[]] {
  const logged: string[] = [];
  const rig = new Rig([["/", served], ["/good", Echo]], {
    pingInterval: 0,
    log: (message) => void logged.push(message),
    ...settings as Partial<Settings>,
  });
  return [rig, logged];
}

/** Checks that others are served, and that nothing is left open. */
async function check(rig: Rig): Promise<void> {
  await rig.clock.advance(200);
  const client = await rig.open("rfc6455", { path: "/good" });
  client.send("still there");
  await settle();
  assertEquals(client.take(), ["text still there"]);
  client.close(1000);
  await settle();
  await settle();
  assertEquals(rig.app.stats().connections.open, 0);
}

/** A callback of a handler: a client opens, causes the call, and closes. */
const hook = (name: string): Place => async ({ act }) => {
  const [rig, logged] = makeRig({}, handlerWith(name, act));
  const version = name === "allowDraft76" || name === "getWebSocketScheme" ? "draft76" : "rfc6455";
  const { head, key3 } = makeOpening(version, {
    subprotocols: ["chat"],
    fields: ["Sec-WebSocket-Extensions: permessage-deflate"],
  });
  const { client } = rig.join({ capacity: 0 });
  client.write(head);
  client.write(key3);
  await settle();
  if (version === "rfc6455" && client.raw.startsWith("HTTP/1.1 101")) {
    // A ping, a pong, and a text whose echo has to wait.
    client.write(Uint8Array.of(0x89, 0x80, 0, 0, 0, 0, 0x8a, 0x80, 0, 0, 0, 0));
    const text = new Uint8Array(14 + 70_000).fill(0x61);
    text.set([0x81, 0xff, 0, 0, 0, 0, 0, 1, 0x11, 0x70, 0, 0, 0, 0]);
    client.write(text);
    await settle();
  }
  client.end();
  await settle();
  client.reset();
  await settle();
  await check(rig);
  return logged;
};

/** `asyncCallback` of a handler. */
const inMessage =
  (use: (handler: WebSocketHandler, act: () => unknown) => unknown): Place => async ({ act }) => {
    class Using extends Echo {
      override onMessage(): unknown {
        return use(this, act);
      }
    }
    const [rig, logged] = makeRig({}, Using);
    const client = await rig.open("rfc6455");
    client.send("go");
    await settle();
    client.end();
    await settle();
    await check(rig);
    return logged;
  };

/** The setting `accessLog`: a handshake, a close, a refusal and a plain request. */
const accessLog: Place = async ({ act }) => {
  const [rig, logged] = makeRig({ accessLog: act, fetch: () => new Response("") });
  const client = await rig.open("rfc6455");
  client.close(1000);
  await rig.send("no request");
  await rig.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await settle();
  await check(rig);
  return logged;
};

/** The setting `fetch`. The client waits for the response, or closes before. */
const plain =
  (fetch: (act: () => unknown) => unknown, { isGone = false } = {}): Place => async ({ act }) => {
    const [rig, logged] = makeRig({ fetch: (() => fetch(act)) as Fetch });
    const client = await rig.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    if (!isGone) await untilQuiet();
    client.reset();
    await settle();
    await check(rig);
    return logged;
  };

/** A body that fails in one of the methods of its source. */
function bodyWith(method: "start" | "pull" | "cancel", act: () => unknown): Response {
  let pulls = 0;
  const source = {
    // Short enough to arrive completely, and too long for a client that does not read.
    pull: (controller: ReadableStreamDefaultController<Uint8Array>) =>
      ++pulls > 4 ? controller.close() : controller.enqueue(new Uint8Array(100_000)),
    [method]: act,
  };
  return new Response(new ReadableStream(source));
}

/** An object that is not a stream, but has a reader. */
function readerWith(method: "read" | "cancel", act: () => unknown): unknown {
  const reader = { read: () => new Promise(() => {}), cancel() {}, [method]: act };
  return { status: 200, statusText: "", headers: new Headers(), body: { getReader: () => reader } };
}

/** A broker that a test controls. */
class FakeBroker implements Broker {
  readonly name = "Fake";
  readonly status: BrokerStatus = "up";
  events: BrokerEvents | undefined = undefined;
  publish(): void {}
  subscribe(): void {}
  unsubscribe(): void {}
  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** A method of a broker, or the setting that reports it. */
const broker =
  (methods: (act: () => unknown) => object, settings: object = {}): Place => async ({ act }) => {
    const fake = Object.assign(new FakeBroker(), methods(act));
    class Member extends Echo {
      override open(): unknown {
        return this.subscribe("topic");
      }
    }
    const [rig, logged] = makeRig({
      broker: fake,
      ...Object.fromEntries(Object.keys(settings).map((name) => [name, act])),
    }, Member);
    const client = await rig.open("rfc6455");
    rig.app.publish("topic", "message");
    await settle();
    // A failure is logged unless the broker is down a moment later.
    await rig.clock.advance(200);
    fake.events?.status("down");
    fake.events?.status("up");
    client.end();
    await settle();
    await check(rig);
    return logged;
  };

/** Calls that must not return a promise. Its rejection is ignored. */
const quiet = ({ act, rejects = false }: Hostile) => (): unknown => {
  const result = act();
  if (rejects) (result as Promise<unknown>).catch(() => {});
  return result;
};

/** A connection to NATS that a test controls. */
const nats = (methods: (act: () => unknown) => object): Place => async (hostile) => {
  const act = quiet(hostile);
  const connection = {
    publish() {},
    subscribe: () => ({ unsubscribe() {} }),
    flush: () => Promise.resolve(),
    getServer: () => "fake",
    isClosed: () => false,
    closed: () => new Promise(() => {}),
    status: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }),
    ...methods(act),
  };
  const [rig, logged] = makeRig({ broker: await natsBroker(connection as NatsConnection) });
  rig.app.publish("topic", "message");
  await settle();
  await check(rig);
  return logged;
};

const pem = (name: string) =>
  readFileSync(new URL(`../support/tls/${name}.pem`, import.meta.url), "utf8");

/** An option of `listen`. A client of a TLS port sends garbage. */
const listening = (options: (act: () => unknown) => object): Place => async ({ act }) => {
  const [rig, logged] = makeRig({});
  await using server = rig.app.listen({
    port: 0,
    hostname: "127.0.0.1",
    cert: pem("cert"),
    key: pem("key"),
    onListen() {},
    ...options(act),
  } as ListenOptions);
  await server.listening;
  const { port } = server.addr;
  const garbage = await RawClient.connect({ port });
  garbage.write("This is no TLS, whatever it is.\r\n\r\n");
  await garbage.readToEnd();
  await garbage.destroy();
  const client = await websocketConnect(`wss://127.0.0.1:${port}/good`, {
    tls: { insecure: true },
  });
  await client.writeMessage("still there");
  assertEquals(await client.readMessage(), "still there");
  client.abort();
  await client.closed;
  return logged;
};

/** An option of a client, which gets a ping and a pong. An error fails only the client. */
const client = (options: (act: () => unknown) => object): Place => async (hostile) => {
  class Pinging extends Echo {
    override open(): void {
      this.ping();
    }
  }
  const [rig, logged] = makeRig({}, Pinging);
  const connection = await connect(rig.app, "/", options(hostile.act) as ConnectOptions);
  connection.ping();
  await settle();
  if (hostile.fails) {
    const ended = await connection.readMessage().then(() => "well", () => "with an error");
    assertEquals(ended, "with an error");
  }
  connection.abort();
  await connection.closed;
  await check(rig);
  // The client has no log: the reader gets the error.
  return [...logged, "told"];
};

/** The reason with which a signal aborts. Connecting rejects. */
const aborting: Place = async (hostile) => {
  const controller = new AbortController();
  const gone = websocketConnect("ws://127.0.0.1:9/", {
    path: "/nonexistent/socket",
    signal: controller.signal,
  }).then(() => "connected", () => "rejected");
  try {
    controller.abort(quiet(hostile)());
  } catch (thrown) {
    controller.abort(thrown);
  }
  assertEquals(await gone, "rejected");
  return ["told"];
};

/** The handler's own log, for an exception in `onMessage`. */
const reporting: Place = async ({ act }) => {
  class Throwing extends handlerWith("logException", act) {
    override onMessage(): void {
      throw new Error("the first");
    }
  }
  const [rig, logged] = makeRig({}, Throwing);
  const client = await rig.open("rfc6455");
  client.send("go");
  await settle();
  assertEquals(client.take(), ["close 1011 internal error", "FIN"]);
  await check(rig);
  return logged;
};

/** The setting `log`. Its errors go to the console. */
const logging: Place = async ({ act }) => {
  const told: string[] = [];
  const { error } = console;
  console.error = (line: string) => told.push(line);
  try {
    const [rig] = makeRig({ log: act }, handlerWith("onMessage", () => assert(false)));
    const client = await rig.open("rfc6455");
    client.send("go");
    await settle();
    await check(rig);
  } finally {
    console.error = error;
  }
  return told;
};

/** `format` of the setting `history`, for a subscriber and for one that recovers. */
const formatting: Place = async ({ act }) => {
  class Reader extends Echo {
    override open(): void {
      this.subscribe("t");
      this.application.publish("t", "live");
      this.unsubscribe("t");
      this.application.publish("t", "missed");
      void this.application.history("t").then(({ position }) =>
        this.subscribe("t", { since: { ...position, offset: 1 } })
      );
    }
  }
  const [rig, logged] = makeRig({ history: { t: { format: act } } }, Reader);
  const client = await rig.open("rfc6455");
  await settle();
  client.end();
  await settle();
  await check(rig);
  return logged;
};

/** A method of the history of a broker, or `onGap` of a subscription to it. */
const keeping = (name: "append" | "read" | "onGap"): Place => async ({ act }) => {
  const position = { epoch: "x", offset: 1 };
  const fake = Object.assign(new FakeBroker(), {
    history: {
      append: () => Promise.resolve(position),
      read: () => Promise.resolve({ position, complete: false, messages: [] }),
      ...name === "onGap" ? {} : { [name]: act },
    },
  });
  class Member extends Echo {
    override open(): void {
      this.subscribe("topic", { onGap: name === "onGap" ? act : () => {} });
    }
  }
  const [rig, logged] = makeRig({ broker: fake, history: { topic: {} } }, Member);
  const client = await rig.open("rfc6455");
  rig.app.publish("topic", "message");
  await settle();
  fake.events?.missed?.("topic");
  await settle();
  client.end();
  await settle();
  await check(rig);
  return logged;
};

const places: Readonly<Record<string, [place: Place, logged: string]>> = {
  ...Object.fromEntries(
    [
      "initialize",
      "prepare",
      "checkOrigin",
      "selectSubprotocol",
      "getCompressionOptions",
      "getWebSocketScheme",
      "allowDraft76",
      "open",
      "onMessage",
      "onPing",
      "onPong",
      "onDrain",
      "onClose",
    ].map((name) => [`the handler's ${name}()`, [hook(name), "Uncaught exception in "]]),
  ),
  "asyncCallback()": [
    inMessage((handler, act) => void handler.asyncCallback(act)()),
    "Uncaught exception in ",
  ],
  "the handler's logException()": [reporting, "Uncaught exception in logException:"],
  "the setting log": [logging, "Uncaught exception in the setting log:"],
  "format of the setting history": [formatting, "Uncaught exception in format of the setting"],
  "the setting accessLog": [accessLog, "Uncaught exception in accessLog:"],
  "the setting fetch": [plain((act) => act()), "Uncaught exception"],
  "a body's start()": [plain((act) => bodyWith("start", act)), "Uncaught exception"],
  "a body's pull()": [plain((act) => bodyWith("pull", act)), ""],
  "a body's cancel()": [plain((act) => bodyWith("cancel", act), { isGone: true }), ""],
  "a reader's read()": [plain((act) => readerWith("read", act)), "Uncaught exception"],
  "a reader's cancel()": [plain((act) => readerWith("cancel", act), { isGone: true }), ""],
  "the setting onBrokerStatus": [
    broker(() => ({}), { onBrokerStatus: true }),
    "Uncaught exception in onBrokerStatus:",
  ],
  "a broker's publish()": [broker((publish) => ({ publish })), "Fake failed"],
  "a broker's subscribe()": [broker((subscribe) => ({ subscribe })), "Fake failed"],
  "a broker's unsubscribe()": [broker((unsubscribe) => ({ unsubscribe })), "Fake failed"],
  "append() of a broker's history": [keeping("append"), "Fake failed"],
  "read() of a broker's history": [keeping("read"), "Fake failed"],
  "onGap of a subscription": [keeping("onGap"), "Uncaught exception in "],
  "the statuses of NATS": [nats((status) => ({ status })), ""],
  "a status of NATS": [
    nats((next) => ({ status: () => ({ [Symbol.asyncIterator]: () => ({ next }) }) })),
    "",
  ],
  "the end of NATS": [nats((closed) => ({ closed })), ""],
  "listen's onListen": [
    listening((onListen) => ({ onListen })),
    "Uncaught exception in onListen:",
  ],
  "listen's onError": [listening((onError) => ({ onError })), "Uncaught exception in onError:"],
  "a client's onPing": [client((onPing) => ({ onPing })), "told"],
  "a client's onPong": [client((onPong) => ({ onPong })), "told"],
  "the reason of a client's signal": [aborting, "told"],
};

/** Errors that the streams of the runtimes themselves do not catch, before anybody reads from them. */
const beyondStreams = /revoked Proxy|promise whose fields fail/;

for (const [name, [place, line]] of Object.entries(places)) {
  test(`${name} causes no uncaught error, whatever it does`, async () => {
    const ways = Object.entries(hostile)
      .filter(([how]) => !(name.startsWith("a body's") && beyondStreams.test(how)));
    await checkEach(ways, ([how]) => `if it ${how}`, async ([, what]) => {
      const logged = await place(what);
      if (what.fails) assertStringIncludes(logged.join("\n"), line);
    });
  });
}
