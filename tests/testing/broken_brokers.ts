/**
 * Brokers with one fault each, and the case of the conformance kit that must find it.
 *
 * @module
 */
import type { Position, PresenceEntry } from "../../src/pubsub/brokers/broker.ts";
import { type MemoryBroker, MemoryServer } from "./memory_broker.ts";

/** A fault. */
export interface Fault {
  /** What is wrong. */
  readonly name: string;
  /** The case that finds it. */
  readonly foundBy: string;
  /** A part of the message of its error. */
  readonly says: RegExp;
  /** Makes a server whose brokers have the fault. */
  readonly make: () => MemoryServer;
}

type Found = readonly [foundBy: string, says: RegExp];

/** A fault of each broker. */
function ofBroker(
  name: string,
  [foundBy, says]: Found,
  breakIt: (broker: MemoryBroker, server: MemoryServer) => void,
): Fault {
  const make = () => {
    const server = new MemoryServer();
    const connect = server.connect.bind(server);
    server.connect = (options) => {
      const broker = connect(options);
      breakIt(broker, server);
      return broker;
    };
    return server;
  };
  return { name, foundBy, says, make };
}

/** A fault of the server. */
function ofServer(
  name: string,
  [foundBy, says]: Found,
  breakIt: (server: MemoryServer) => void,
): Fault {
  const make = () => {
    const server = new MemoryServer();
    breakIt(server);
    return server;
  };
  return { name, foundBy, says, make };
}

/** A fault of what a broker publishes. */
function ofPublish(
  name: string,
  found: Found,
  change: (message: Uint8Array, publish: (message: Uint8Array, topic?: string) => void) => void,
): Fault {
  return ofBroker(name, found, (broker) => {
    const publish = broker.publish.bind(broker);
    broker.publish = (topic, message) =>
      change(message, (changed, other = topic) => publish(other, changed));
  });
}

const ONCE = "a message arrives once at each process that subscribes";
const ORDER = "messages of one publisher arrive in order";
const BYTES = "a message has any bytes and any size";
const SAME_BYTES = "the bytes of a message do not change, here or there";
const ACTIVE = "a subscription is active when subscribe settles";
const TOPICS = "similar topics are different";
const CLOSE = "close can be called again, ends all events, and harms no other broker";

const ofMessages: readonly Fault[] = [
  ofBroker("has no name", ["a new broker is up, has a name, and has what the setup says", /name/], (
    broker,
  ) => (broker as { name: string }).name = ""),
  ofPublish("sends twice", [ONCE, /expected 2, got|number 2/], (message, publish) => {
    publish(message);
    publish(message);
  }),
  ofBroker("drops one message in fifty", [ORDER, /is missing|expected "m/], (broker) => {
    let count = 0;
    const publish = broker.publish.bind(broker);
    broker.publish = (topic, message) => ++count % 50 === 0 ? undefined : publish(topic, message);
  }),
  ofBroker("swaps two messages", [ORDER, /expected "m 6", got "m 7"/], (broker) => {
    const publish = broker.publish.bind(broker);
    let count = 0;
    let held: Uint8Array | undefined;
    broker.publish = (topic, message) => {
      count++;
      if (count === 7) held = message;
      else publish(topic, message);
      if (count === 8 && held !== undefined) publish(topic, held);
    };
  }),
  ofBroker("keeps the order of small messages only", [ORDER, /number 10/], (broker) => {
    const publish = broker.publish.bind(broker);
    broker.publish = (topic, message) => {
      if (message.length < 1000) publish(topic, message);
      else setTimeout(() => publish(topic, message), 0);
    };
  }),
  ofBroker("starves a second publisher", [
    "messages of several publishers arrive in the order of each",
    /publisher 2/,
  ], (broker, server) => {
    const publish = broker.publish.bind(broker);
    let count = 0;
    broker.publish = (topic, message) => {
      if ([...server.brokers].indexOf(broker) !== 2 || ++count !== 25) publish(topic, message);
    };
  }),
  ofPublish(
    "cuts long messages",
    [BYTES, /The size of a message of 8001 bytes/],
    (message, publish) => publish(message.subarray(0, 8000)),
  ),
  ofPublish(
    "drops empty messages",
    [BYTES, /Not within .* a message of 0 bytes/],
    (message, publish) => message.length > 0 ? publish(message) : undefined,
  ),
  ofPublish(
    "takes bytes for text",
    [BYTES, /of 255 bytes/],
    (message, publish) => publish(new TextEncoder().encode(new TextDecoder().decode(message))),
  ),
  ofPublish(
    "sends the whole buffer",
    [BYTES, /The size of a message of 0 bytes/],
    (message, publish) => publish(new Uint8Array(message.buffer)),
  ),
  ofPublish("drops messages that are too large, silently", [
    "a message that is too large is an error, and the next one arrives",
    /Not within .* or publish throws/,
  ], (message, publish) => message.length <= 1_000_000 ? publish(message) : undefined),
  ofPublish(
    "detaches the bytes",
    [SAME_BYTES, /has changed or detached/],
    (message, publish) =>
      publish(structuredClone(message, { transfer: [message.buffer as ArrayBuffer] })),
  ),
  ofServer("uses its buffer for the next message again", [SAME_BYTES, /has changed after/], (
    server,
  ) => {
    const buffer = new Uint8Array(100_000);
    server.deliver = (topic, message) => {
      buffer.set(message);
      for (const { active, events } of server.brokers) {
        if (active.has(topic)) events?.message(buffer.subarray(0, message.length));
      }
    };
  }),
  ofServer("passes text instead of bytes", [ONCE, /expected a Uint8Array|Not within/], (server) => {
    server.deliver = (topic, message) => {
      const text = new TextDecoder().decode(message);
      for (const { active, events } of server.brokers) if (active.has(topic)) events?.message(text);
    };
  }),
  ofServer("stops at a broker without events", [
    "without events, messages are dropped",
    /Not within/,
  ], (
    server,
  ) => {
    server.deliver = (topic, message) => {
      for (const { active, events } of server.brokers) {
        if (!active.has(topic)) continue;
        if (events === undefined) return;
        events.message(message.slice());
      }
    };
  }),
  ofBroker("cannot be closed twice", [CLOSE, /closed already/], (broker) => {
    const close = broker.close.bind(broker);
    let closed = false;
    broker.close = () => {
      if (closed) return Promise.reject(new Error("closed already"));
      closed = true;
      return close();
    };
  }),
  ofBroker("delivers after close", [CLOSE, /messages after close/], (broker) => {
    broker.close = () => Promise.resolve();
  }),
  ofBroker("makes no other broker once it is closed", [
    "a new broker works as soon as another one is closed",
    /all are closed/,
  ], (broker, server) => {
    const { close } = broker;
    broker.close = () => {
      server.connect = () => {
        throw new Error("all are closed");
      };
      return close.call(broker);
    };
  }),
  ofBroker("closes all brokers", [CLOSE, /Not within/], (broker, server) => {
    broker.close = () => {
      server.brokers.clear();
      return Promise.resolve();
    };
  }),
];

const ofTopics: readonly Fault[] = [
  ofBroker("settles subscribe too early", [
    ACTIVE,
    /published when subscribe had settled|Not within/,
  ], (
    broker,
  ) => {
    broker.subscribe = (topic) => {
      setTimeout(() => broker.active.add(topic), 5);
    };
  }),
  ofBroker("never settles subscribe", [ACTIVE, /Not within 3000 ms: subscribe\(".*"\) settles/], (
    broker,
  ) => broker.subscribe = () => new Promise(() => {})),
  ofServer("sends every message to everybody", [
    "nothing arrives of topics without a subscription",
    /topics without a subscription/,
  ], (server) => {
    server.deliver = (_topic, message) => {
      for (const { events } of server.brokers) events?.message(message.slice());
    };
  }),
  ofBroker("ignores unsubscribe", ["nothing arrives after unsubscribe", /after unsubscribe/], (
    broker,
  ) => broker.unsubscribe = () => {}),
  ofBroker("unsubscribes from the topic for good", [
    "a topic can be subscribed to again",
    /Not within/,
  ], (broker) => {
    const subscribe = broker.subscribe.bind(broker);
    const seen = new Set<string>();
    broker.subscribe = (topic) => {
      if (seen.has(topic)) return;
      seen.add(topic);
      return subscribe(topic);
    };
  }),
  ofBroker("ends all subscriptions with one", [
    "many subscriptions change at the same time",
    /Not within/,
  ], (broker) => broker.unsubscribe = () => broker.active.clear()),
  ofBroker("refuses spaces in topics", ["a topic has any characters", /no spaces/], (broker) => {
    const { subscribe } = broker;
    broker.subscribe = (topic) => {
      if (topic.includes(" ")) throw new Error("no spaces");
      return subscribe.call(broker, topic);
    };
  }),
  ofPublishTopic("takes no notice of case", (topic) => topic.toLowerCase()),
  ofPublishTopic("cuts topics after 255 characters", (topic) => topic.slice(0, 255)),
  ofPublishTopic("trims topics", (topic) => topic.trim()),
  ofPublishTopic("decodes percent signs", (topic) => topic.replaceAll("%41", "A")),
  ofPublishTopic("normalizes Unicode", (topic) => topic.normalize("NFC")),
  ofServer("takes * for a pattern", [TOPICS, /Messages of process/], (server) => {
    server.deliver = (topic, message) => {
      for (const { active, events } of server.brokers) {
        for (const name of active) {
          const matches = name.endsWith("*") && topic.startsWith(name.slice(0, -1));
          if (name === topic || matches) events?.message(message.slice());
        }
      }
    };
  }),
];

/** A broker that takes different topics for the same. */
function ofPublishTopic(name: string, change: (topic: string) => string): Fault {
  const found = [TOPICS, /Messages of topic|Messages of process|Not within/] as const;
  return ofBroker(name, found, (broker) => {
    const { publish, subscribe, unsubscribe } = broker;
    broker.publish = (topic, message) => publish.call(broker, change(topic), message);
    broker.subscribe = (topic) => subscribe.call(broker, change(topic));
    broker.unsubscribe = (topic) => unsubscribe.call(broker, change(topic));
  });
}

const STATUS = "down and up are reported once each";
const DROPS = "messages are dropped while it is down";
const SURVIVE = "subscriptions survive a restart";
const HANGS = "while the server hangs, what waits is limited, and the rest is dropped";

const ofServers: readonly Fault[] = [
  ofBroker(
    "never reports that it is down",
    [STATUS, /Not within .* the status "down"/],
    (broker) => broker.lost = () => {},
  ),
  ofBroker("reports down twice", [STATUS, /The reported statuses/], (broker) => {
    const { lost } = broker;
    broker.lost = () => {
      lost.call(broker);
      broker.events?.status("down");
    };
  }),
  ofBroker("reports before it changes its status", [STATUS, /the status was/], (broker) => {
    broker.lost = () => {
      broker.events?.status("down");
      broker.status = "down";
    };
  }),
  ofBroker(
    "does not come back",
    [STATUS, /Not within .* the status "up"/],
    (broker) => broker.found = () => {},
  ),
  ofBroker("keeps messages while it is down", [DROPS, /published while it was down/], (broker) => {
    const { publish, found } = broker;
    const kept: [string, Uint8Array][] = [];
    broker.publish = (topic, message) => {
      if (broker.status === "down") kept.push([topic, message]);
      else publish.call(broker, topic, message);
    };
    broker.found = () => {
      found.call(broker);
      for (const [topic, message] of kept) publish.call(broker, topic, message);
    };
  }),
  ofBroker("throws while it is down", [DROPS, /must drop the message, threw/], (broker) => {
    const { publish } = broker;
    broker.publish = (topic, message) => {
      if (broker.status === "down") throw new Error("not connected");
      publish.call(broker, topic, message);
    };
  }),
  ofBroker("loses its subscriptions", [SURVIVE, /Not within/], (broker) => {
    broker.found = () => broker.look();
  }),
  ofBroker("reports up before its subscriptions are active", [
    SURVIVE,
    /after a restart|Not within/,
  ], (
    broker,
  ) => {
    const { found } = broker;
    broker.found = () => {
      broker.look();
      setTimeout(() => found.call(broker), 20);
    };
  }),
  ofBroker("subscribes twice after a restart", [SURVIVE, /after a restart/], (broker) => {
    const { found } = broker;
    broker.found = () => {
      found.call(broker);
      const { events } = broker;
      if (events === undefined) return;
      const message = events.message.bind(events);
      events.message = (data) => {
        message(data);
        message(data);
      };
    };
  }),
  ofBroker("subscribes to ended topics after a restart", [
    "ended subscriptions stay ended after a restart",
    /left before the restart/,
  ], (broker) => {
    broker.unsubscribe = (topic) => void broker.active.delete(topic);
  }),
  ofBroker("subscribes no more after a restart", [
    "new subscriptions work after a restart",
    /Not within/,
  ], (broker) => {
    const { found } = broker;
    broker.found = () => {
      found.call(broker);
      broker.subscribe = () => {};
    };
  }),
  ofBroker("sends its last messages again after a restart", [
    "messages across a restart arrive at most once and in order",
    /at most once/,
  ], (broker) => {
    const { publish, found } = broker;
    let last: [string, Uint8Array] | undefined;
    broker.publish = (topic, message) => {
      last = [topic, message];
      publish.call(broker, topic, message);
    };
    broker.found = () => {
      found.call(broker);
      if (last !== undefined) publish.call(broker, ...last);
    };
  }),
  ofBroker("cannot be closed while it is down", [
    "close works while it is down",
    /Not within .* close\(\) settles/,
  ], (broker) => {
    const { close } = broker;
    broker.close = () => broker.status === "down" ? new Promise(() => {}) : close.call(broker);
  }),
  ofBroker(
    "has no limit",
    [HANGS, /expected the status "slow"/],
    (broker) => broker.backlog.admits = () => true,
  ),
  ofBroker(
    "reports late that it is slow",
    [HANGS, /accepted before it was slow|number/],
    (broker) => {
      const { look } = broker;
      broker.look = () => void Promise.resolve().then(() => look.call(broker));
    },
  ),
  ofBroker(
    "stays slow",
    [HANGS, /Not within .* the status "up"/],
    (broker) => broker.backlog.remove = () => {},
  ),
  ofBroker("loses binary messages of applications", [
    "applications: clients of every version exchange text and bytes, once and in order",
    /Not within/,
  ], (broker) => {
    const { publish } = broker;
    broker.publish = (topic, message) => {
      if (message[12] !== 1) publish.call(broker, topic, message);
    };
  }),
];

const history = (name: string) => `history: ${name}`;
const SIZE = history("size limits the kept messages");
const FOREIGN = history("a foreign or future position is not complete");
const RESTART = history("positions survive a restart or are refused");
const TTL = history("messages are kept for their ttl");

/** Changes the position that `append` returns. */
function ofAppend(name: string, found: Found, change: (position: Position) => Position): Fault {
  return ofServer(name, found, (server) => {
    const append = server.append.bind(server);
    server.append = (topic, message, limits) => change(append(topic, message, limits));
  });
}

const ofHistory: readonly Fault[] = [
  ofAppend("counts from 0", [history("offsets count the messages of an epoch"), /positions/], (
    { epoch, offset },
  ) => ({ epoch, offset: offset - 1 })),
  ofAppend("has no epoch", [history("offsets count the messages of an epoch"), /1 to 64/], (
    { offset },
  ) => ({ epoch: "", offset })),
  ofServer("delivers the position of the message before", [
    history("stored messages arrive with their positions"),
    /stored of message 1/,
  ], (server) => {
    const deliver = server.deliver.bind(server);
    server.deliver = (topic, message, stored) =>
      deliver(topic, message, stored && { ...stored, offset: stored.offset - 1 });
  }),
  ofServer("does not deliver what it stores", [
    history("stored messages arrive with their positions"),
    /Not within .* three stored messages/,
  ], (server) => server.deliver = () => {}),
  ofServer("gives an offset twice", [
    history("positions are the same for all processes"),
    /The offsets of two processes/,
  ], (server) => {
    const append = server.append.bind(server);
    let count = 0;
    server.append = (topic, message, limits) => {
      const { epoch, offset } = append(topic, message, limits);
      return { epoch, offset: ++count === 30 ? offset - 1 : offset };
    };
  }),
  ofServer("reads the position itself again", [
    history("a read since a position returns what was missed"),
    /without a gap/,
  ], (server) => {
    const read = server.read.bind(server);
    server.read = (topic, since) => {
      const page = read(topic, since && { ...since, offset: Math.max(0, since.offset - 1) });
      return page;
    };
  }),
  ofServer("accepts positions in the future", [FOREIGN, /The last offset of a page/], (server) => {
    server.leadsTo = ({ epoch }, log) => epoch === log.epoch;
  }),
  ofServer("accepts positions of other epochs", [FOREIGN, /of another epoch/], (server) => {
    server.leadsTo = ({ offset }, log) => offset <= log.offset;
  }),
  ofServer(
    "keeps one message too many",
    [SIZE, /complete since offset 3|The messages/],
    (server) => {
      const { trim } = server;
      server.trim = (log) => {
        log.limits = { ...log.limits, size: log.limits.size + 1 };
        trim.call(server, log);
        log.limits = { ...log.limits, size: log.limits.size - 1 };
      };
    },
  ),
  ofServer("says complete when messages are gone", [SIZE, /without a gap|complete since offset/], (
    server,
  ) => {
    server.leadsTo = ({ epoch, offset }, log) => epoch === log.epoch && offset <= log.offset;
  }),
  ofServer("says incomplete at the edge", [SIZE, /complete since offset 4/], (server) => {
    server.leadsTo = ({ epoch, offset }, log) =>
      epoch === log.epoch && offset <= log.offset && offset >= (log.kept[0]?.offset ?? 0);
  }),
  ofServer("ignores maxBytes", [history("maxBytes limits the kept messages"), /Three messages/], (
    server,
  ) => {
    const { trim } = server;
    server.trim = (log) => {
      log.limits = { ...log.limits, maxBytes: Infinity };
      trim.call(server, log);
    };
  }),
  ofServer("ignores the ttl", [TTL, /Not within .* no longer read/], (server) => {
    const { trim } = server;
    server.trim = (log) => {
      log.limits = { ...log.limits, ttl: 0 };
      trim.call(server, log);
    };
  }),
  ofServer("ends the ttl early", [TTL, /were gone after|before their ttl/], (server) => {
    const { trim } = server;
    server.trim = (log) => {
      log.limits = { ...log.limits, ttl: log.limits.ttl / 2 };
      trim.call(server, log);
      log.limits = { ...log.limits, ttl: log.limits.ttl * 2 };
    };
  }),
  ofServer("forgets the epoch of a topic without messages", [TTL, /complete since|position/], (
    server,
  ) => {
    const { read } = server;
    server.read = (topic, since) => {
      const page = read.call(server, topic, since);
      if (page.messages.length === 0) server.logs.delete(topic);
      return page;
    };
  }),
  ofServer("keeps text instead of bytes", [
    history("kept messages have any bytes"),
    /was kept with other bytes/,
  ], (server) => {
    const { append } = server;
    server.append = (topic, message, limits) =>
      append.call(
        server,
        topic,
        new TextEncoder().encode(new TextDecoder().decode(message)),
        limits,
      );
  }),
  ofServer("has one history for all topics", [
    history("topics with any characters have separate histories"),
    /The history of topic/,
  ], (server) => {
    const { log } = server;
    server.log = () => log.call(server, "all");
  }),
  ofServer(
    "uses offsets again after a crash",
    [RESTART, /was used for two messages|complete page/],
    (
      server,
    ) => {
      const { start } = server;
      server.start = () => {
        for (const log of server.logs.values()) log.kept = log.kept.slice(0, log.offset = 2);
        start.call(server);
      };
    },
  ),
  ofBroker("stores messages while it is down", [RESTART, /expected an error/], (broker, server) => {
    const { request } = broker;
    broker.request = (task) =>
      server.running ? request.call(broker, task) as Promise<never> : Promise.resolve(task());
  }),
  ofServer("gives positions twice in traffic", [
    history("no position is used twice across a restart"),
    /was returned for two messages/,
  ], (server) => {
    const { start } = server;
    server.start = () => {
      for (const log of server.logs.values()) log.offset -= 3;
      start.call(server);
    };
  }),
  ofServer("keeps the epoch when data are lost", [
    history("lost data are told by another epoch"),
    /complete after all data were lost|The epoch after/,
  ], (server) => {
    const { log } = server;
    server.log = (topic) => {
      const found = log.call(server, topic);
      found.epoch = "always the same";
      return found;
    };
  }),
  ofBroker("waits for a server that hangs", [
    history("append and read of a server that hangs reject"),
    /Not within .* server that hangs/,
  ], (broker, server) => {
    broker.request = (task) => new Promise((resolve) => server.queue.add(() => resolve(task())));
  }),
];

const ofApplications: readonly Fault[] = [
  ofServer("skips the message after a position", [
    "applications: a client that returns gets what it missed, from any process",
    /What a client had missed|Not within/,
  ], (server) => {
    const { read } = server;
    server.read = (topic, since) => {
      const page = read.call(server, topic, since);
      return { ...page, messages: page.messages.filter(({ offset }) => offset !== 2) };
    };
    const { deliver } = server;
    server.deliver = (topic, message, stored) => {
      if (stored?.offset !== 2) deliver.call(server, topic, message, stored);
    };
  }),
  ofServer("loses a message in a crash and gives its offset to another", [
    "applications: after a restart, a client that returns has no silent hole",
    /What a client had missed before a restart/,
  ], (server) => {
    const { start } = server;
    server.start = () => {
      for (const log of server.logs.values()) log.kept = log.kept.slice(0, log.offset = 1);
      start.call(server);
    };
  }),
  ofServer("lists nobody", [
    "applications: presence is told once, and listed by all processes",
    /Not within .* a client is present/,
  ], (server) => {
    server.list = () => [];
  }),
];

const presence = (name: string) => `presence: ${name}`;
const HOLDERS = presence("an id that two processes hold is present until both have left");
const CHANGES = presence("each change is told once");
const EXPIRY = presence("entries that are not renewed expire, and that is told once");

const ofPresence: readonly Fault[] = [
  ofServer("lists all topics", [
    presence("enter, leave and list work across processes"),
    /The list of another topic/,
  ], (server) => {
    const { list } = server;
    server.list = () => [...server.present.keys()].flatMap((topic) => list.call(server, topic));
  }),
  ofServer("keeps the old info", [
    presence("a renewal is no change, and replaces the info"),
    /with the new info/,
  ], (server) => {
    const { enter } = server;
    server.enter = (by, topic, { entries, ttl }) => {
      const known = server.list(topic);
      const old = (entry: PresenceEntry) => known.find(({ id }) => id === entry.id) ?? entry;
      return enter.call(server, by, topic, { entries: entries.map(old), ttl });
    };
  }),
  ofServer("tells a join at each renewal", [
    presence("a renewal is no change, and replaces the info"),
    /The change of a renewal/,
  ], (server) => {
    const { enter } = server;
    server.enter = (by, topic, more) => {
      const { left } = enter.call(server, by, topic, more);
      return { joined: more.entries, left };
    };
  }),
  ofServer("counts one holder for each id", [HOLDERS, /left while another holds it/], (server) => {
    const { release } = server;
    server.release = (topic, id, by) => {
      const holders = server.present.get(topic)?.get(id);
      for (const other of holders?.keys() ?? []) if (other !== by) holders?.delete(other);
      return release.call(server, topic, id, by);
    };
  }),
  ofServer("lists an id once for each holder", [HOLDERS, /with one entry for the id/], (server) => {
    server.list = (topic) =>
      [...server.present.get(topic)?.values() ?? []].flatMap((holders) =>
        [...holders.values()].map(({ entry }) => entry)
      );
  }),
  ofServer("tells a leave twice", [CHANGES, /left of three processes/], (server) => {
    const { leave } = server;
    let last: PresenceEntry[] = [];
    server.leave = (by, topic, ids) => {
      const { joined, left } = leave.call(server, by, topic, ids);
      const both = [...left, ...last];
      last = [...left];
      return { joined, left: both };
    };
  }),
  ofServer("tells a join to each process", [CHANGES, /joined of three processes/], (server) => {
    const { enter } = server;
    server.enter = (by, topic, more) => {
      const isNew = ![...server.present.get(topic)?.values() ?? []].some((ids) => ids.has(by));
      const change = enter.call(server, by, topic, more);
      return isNew ? { ...change, joined: more.entries } : change;
    };
  }),
  ofServer("never forgets an entry", [EXPIRY, /Not within .* no longer listed/], (server) => {
    const { enter } = server;
    server.enter = (by, topic, { entries }) =>
      enter.call(server, by, topic, { entries, ttl: Infinity });
  }),
  ofServer(
    "tells nobody that an entry has expired",
    [EXPIRY, /Not within .* has left/],
    (server) => {
      const { expire } = server;
      server.expire = (topic) => {
        expire.call(server, topic);
        return [];
      };
    },
  ),
  ofServer(
    "tells everybody that an entry has expired",
    [EXPIRY, /left of all renewals/],
    (server) => {
      const { expire } = server;
      const expired: PresenceEntry[] = [];
      server.expire = (topic) => {
        expired.push(...expire.call(server, topic));
        return [...expired];
      };
    },
  ),
  ofServer("does not renew", [
    presence("entries that are renewed stay"),
    /joined of a renewal in time|The list while/,
  ], (server) => {
    const { enter } = server;
    server.enter = (by, topic, { entries, ttl }) => {
      const holders = server.present.get(topic)?.get(entries[0]?.id ?? "");
      const held = holders?.get(by);
      const change = enter.call(server, by, topic, { entries, ttl });
      if (held !== undefined && held.expires > performance.now()) holders?.set(by, held);
      return change;
    };
  }),
  ofServer("cuts long ids", [presence("ids and infos have any characters"), /any characters/], (
    server,
  ) => {
    const { enter } = server;
    server.enter = (by, topic, { entries, ttl }) => {
      const cut = entries.map(({ id, info }) => ({ id: id.slice(0, 255), info }));
      return enter.call(server, by, topic, { entries: cut, ttl });
    };
  }),
  ofServer("takes a hundred entries at most", [
    presence("a thousand entries enter at once"),
    /a thousand entries/,
  ], (server) => {
    const { enter } = server;
    server.enter = (by, topic, { entries, ttl }) =>
      enter.call(server, by, topic, { entries: entries.slice(0, 100), ttl });
  }),
  ofBroker("answers while it is down", [
    presence("entries return after a restart"),
    /while the server is down/,
  ], (broker) => {
    broker.enter = () => Promise.resolve({ joined: [], left: [] });
  }),
  ofBroker("waits for a list of a server that hangs", [
    presence("calls to a server that hangs reject"),
    /Not within .* settle/,
  ], (broker) => broker.list = () => new Promise(() => {})),
];

/** All faults. */
export const faults: readonly Fault[] = [
  ...ofMessages,
  ...ofTopics,
  ...ofServers,
  ...ofHistory,
  ...ofApplications,
  ...ofPresence,
];
