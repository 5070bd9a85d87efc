import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { assertEquals } from "@std/assert";
import { Recording } from "../support/recording.ts";
import { Rig, settle, untilQuiet } from "../support/rig.ts";
import { makeOpening, type MemoryClient } from "../support/memory_client.ts";

interface Row {
  readonly key1: string;
  readonly key2: string;
  readonly key3_hex: string;
  readonly response_hex?: string;
  readonly reason?: string;
  readonly source?: string;
}

function readRows(name: string): Row[] {
  const file = new URL(`../vectors/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")) as Row[];
}

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function toHex(latin1: string): string {
  return [...latin1].map((c) => c.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}

function headWith(keys: { key1: string; key2: string }, fields: readonly string[] = []): string {
  return [
    "GET /?a=b HTTP/1.1",
    "Upgrade: WebSocket",
    "Connection: Upgrade",
    "Host: localhost",
    "Origin: http://localhost",
    `Sec-WebSocket-Key1: ${keys.key1}`,
    `Sec-WebSocket-Key2: ${keys.key2}`,
    ...fields,
    "",
    "",
  ].join("\r\n");
}

const CLOSE = Uint8Array.of(0xff, 0x00);
/** The draft's own example (draft76, "Opening handshake"). */
const EXAMPLE = {
  key1: "18x 6]8vM;54 *(5:  {   U1]8  z [  8",
  key2: "1_ tx7X d  <  nw  334J702) 7]o}` 0",
};
const EXAMPLE_KEY3 = "Tm[K T2u";
const EXAMPLE_ANSWER = "fQJ,fN/4F4!~K~MH";

function concat(...parts: readonly (Uint8Array | string)[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === "string" ? [...part].map((c) => c.charCodeAt(0)) : [...part]
    ),
  );
}

/** An application with a recording handler, and its records. */
function makeRig(settings = {}): { rig: Rig; events: string[] } {
  const events: string[] = [];
  return { rig: new Rig([["/", Recording, events]], settings), events };
}

/** Opens with the example of the draft. */
async function openExample(rig: Rig): Promise<MemoryClient> {
  const client = await rig.send(headWith(EXAMPLE) + EXAMPLE_KEY3);
  client.begin("draft76", concat(EXAMPLE_ANSWER));
  return client;
}

describe("the handshake of draft76", () => {
  test("sends the 101 before key3 has arrived, and the 16 bytes after it", async () => {
    const { rig, events } = makeRig();
    const client = await rig.send(headWith(EXAMPLE));
    assertEquals(
      client.raw,
      "HTTP/1.1 101 WebSocket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n" +
        "Sec-WebSocket-Origin: http://localhost\r\n" +
        "Sec-WebSocket-Location: ws://localhost/?a=b\r\n\r\n",
    );
    assertEquals(events, []);
    client.write(EXAMPLE_KEY3);
    await settle();
    assertEquals([client.parseAnswer().body, events], [EXAMPLE_ANSWER, ["open"]]);
  });

  for (const name of ["draft76_vectors", "draft76_vectors_generated"]) {
    test(`answers each row of ${name}`, async () => {
      const rows = readRows(name);
      for (const row of rows) {
        const { rig } = makeRig();
        const client = await rig.send(headWith(row));
        client.write(fromHex(row.key3_hex));
        await settle();
        assertEquals(toHex(client.parseAnswer().body), row.response_hex);
      }
      assertEquals(rows.length > 5, true);
    });
  }

  for (const row of readRows("draft76_reject")) {
    const tail = row.key3_hex.length < 16 ? " and EOF" : "";
    test(`closes for ${row.reason}${tail}`, async () => {
      const { rig, events } = makeRig();
      const client = await rig.send(concat(headWith(row), fromHex(row.key3_hex)));
      if (tail !== "") {
        assertEquals([client.parseAnswer().status, client.parseAnswer().body], [101, ""]);
        client.end();
        await settle();
      } else assertEquals(client.raw, "");
      assertEquals([client.take(), events], [["reset"], []]);
      assertEquals(rig.logged.length, tail === "" ? 1 : 0);
    });
  }

  test("without a response writes the reason to the log, once per interval", async () => {
    const { rig } = makeRig({ handshakeTimeout: 1000 });
    const bad = headWith(EXAMPLE).replace("Connection: Upgrade", "Connection: close");
    const spaceless = headWith({ key1: "1\x7f", key2: "1 0" });
    await rig.send(bad + EXAMPLE_KEY3);
    await rig.send(spaceless);
    await rig.send(bad);
    const line = 'Ended a draft76 handshake for "/" without a response: ';
    assertEquals(rig.logged.splice(0), [
      `${line}Connection must include Upgrade (draft76 §5.1)`,
    ]);
    await rig.clock.advance(10_000);
    await rig.send(spaceless);
    assertEquals(rig.logged.splice(0), [
      `${line}the key "1\x7f" is refused: it has no space (draft76 §5.2) (2 similar lines suppressed)`,
    ]);
    // A proxy that does not know draft76 may drop key3.
    await rig.clock.advance(10_000);
    await rig.send(headWith(EXAMPLE));
    await rig.clock.advance(1100);
    assertEquals(rig.logged, [
      `${line}key3 must arrive within handshakeTimeout; a proxy may have dropped it`,
    ]);
  });

  test("reads key3 in any pieces, followed by the first frames", async () => {
    const key3s = ["Tm[K T2u", "\r\n\r\n\r\n\r\n", "\x00\xff\x00\xff\xff\x00\x00\x00", "GET / HT"];
    for (const key3 of key3s) {
      const bytes = concat(headWith(EXAMPLE), key3, Uint8Array.of(0x00, 0x61, 0xff), CLOSE);
      const start = headWith(EXAMPLE).length;
      for (let cut = start - 4; cut < bytes.length; cut++) {
        const { rig, events } = makeRig();
        const client = await rig.send(bytes.subarray(0, cut));
        client.write(bytes.subarray(cut));
        await settle();
        assertEquals(events, ["open", "text a", "close"]);
        assertEquals(toHex(client.parseAnswer().body).slice(32), "ff00");
      }
    }
  });

  test("reads key3 byte by byte, from memory that is reused", async () => {
    const { rig, events } = makeRig();
    const { client } = rig.join({ split: 1, transfersChunks: false });
    client.write(concat(headWith(EXAMPLE), EXAMPLE_KEY3, Uint8Array.of(0x00, 0x61, 0xff)));
    await untilQuiet();
    assertEquals([client.parseAnswer().body, events], [EXAMPLE_ANSWER, ["open", "text a"]]);
  });

  test("accepts a Content-Length of 8 or 0, and no other body", async () => {
    const { rig } = makeRig();
    for (const length of [8, 0]) {
      const field = `Content-Length: ${length}`;
      const good = await rig.send(headWith(EXAMPLE, [field]) + EXAMPLE_KEY3);
      assertEquals(good.parseAnswer().body, EXAMPLE_ANSWER);
    }
    for (
      const field of [
        "Content-Length: 1",
        "Content-Length: 9",
        "Content-Length: 8\r\nContent-Length: 8",
        "Transfer-Encoding: chunked",
      ]
    ) {
      const bad = await rig.send(headWith(EXAMPLE, [field]) + EXAMPLE_KEY3);
      assertEquals([field, bad.raw, bad.take()], [field, "", ["reset"]]);
    }
  });

  test("closes without a response if a rule of the request is broken", async () => {
    const good = headWith(EXAMPLE);
    const bad: [string, string][] = [
      ["Upgrade: WebSocket", "Upgrade: WebSocket, h2c"],
      ["Connection: Upgrade", "Connection: keep-alive"],
      ["Connection: Upgrade\r\n", ""],
      ["Sec-WebSocket-Key2: ", "X-Key2: "],
      ["Sec-WebSocket-Key1: ", "X-Key1: "],
      ["Origin: http://localhost", "Origin: http://localhost\r\nSec-WebSocket-Protocol: "],
    ];
    for (const [from, to] of bad) {
      const { rig, events } = makeRig();
      const client = await rig.send(good.replace(from, to) + EXAMPLE_KEY3);
      assertEquals([to, client.raw, client.take(), events], [to, "", ["reset"], []]);
    }
  });

  test("holds written messages until the 16 bytes were sent", async () => {
    const handlers: Writing[] = [];
    class Writing extends Recording {
      override prepare(): void {
        handlers.push(this);
        this.writeMessage("one");
      }
    }
    const rig = new Rig([["/", Writing, []]]);
    const client = await rig.send(headWith(EXAMPLE));
    handlers[0]?.writeMessage("two");
    await settle();
    assertEquals(client.parseAnswer().body, "");
    client.write(EXAMPLE_KEY3);
    await settle();
    assertEquals(client.parseAnswer().body, `${EXAMPLE_ANSWER}\x00one\xff\x00two\xff`);
  });

  test("cannot be refused, and has no more fields, after the 101", async () => {
    let late: unknown;
    const handlers: Kept[] = [];
    class Kept extends Recording {
      override prepare(): void {
        handlers.push(this);
      }
    }
    const rig = new Rig([["/", Kept, []]]);
    const client = await rig.send(headWith(EXAMPLE));
    try {
      handlers[0]?.setHeader("X", "y");
    } catch (error) {
      late = error;
    }
    assertEquals(`${late}`, "TypeError: Cannot set header X: the response was already sent");
    handlers[0]?.abort();
    await settle();
    assertEquals(client.take(), ["reset"]);
  });
});

describe("an incomplete handshake of draft76", () => {
  const { head, key3 } = makeOpening("draft76");
  const whole = concat(head, key3);

  test("is closed without a response at FIN, wherever it ends", async () => {
    for (let cut = 0; cut < whole.length; cut++) {
      const { rig, events } = makeRig();
      const client = await rig.send(whole.subarray(0, cut));
      client.end();
      await settle();
      const status = cut < head.length ? 0 : 101;
      assertEquals([client.parseAnswer().status, client.parseAnswer().body], [status, ""]);
      assertEquals([client.take(), events, rig.clock.pending], [["reset"], [], 0]);
    }
  });

  test("is closed after handshakeTimeout, wherever it stalls", async () => {
    for (let cut = 0; cut < whole.length; cut += cut < head.length - 4 ? 13 : 1) {
      const { rig, events } = makeRig({ handshakeTimeout: 1000 });
      const client = await rig.send(whole.subarray(0, cut));
      await rig.clock.advance(990);
      assertEquals(client.take(), []);
      await rig.clock.advance(60);
      const status = cut === 0 ? 0 : cut < head.length ? 408 : 101;
      assertEquals(client.parseAnswer().status, status);
      client.end();
      await settle();
      assertEquals([events, rig.clock.pending], [[], 0]);
      assertEquals(["gone", "reset"].includes(client.take().at(-1) ?? ""), true);
    }
  });
});

describe("the closing handshake of draft76", () => {
  test("by the client: FF 00 is sent back, and later bytes are discarded", async () => {
    const { rig, events } = makeRig();
    const client = await openExample(rig);
    client.write(
      concat(Uint8Array.of(0x00, 0x61, 0xff), CLOSE, Uint8Array.of(0x00, 0x62, 0xff), CLOSE),
    );
    await settle();
    assertEquals(events, ["open", "text a", "close"]);
    client.write(new Uint8Array(100_000));
    await settle();
    client.end();
    await settle();
    assertEquals(client.take(), ["close", "FIN", "gone"]);
  });

  test("by the server: nothing follows FF 00, and TCP closes at the client's FF 00", async () => {
    class Closing extends Recording {
      override onMessage(message: string): void {
        super.onMessage(message);
        this.writeMessage("before");
        this.close();
        this.writeMessage("after");
        this.close();
      }
    }
    const events: string[] = [];
    const rig = new Rig([["/", Closing, events]]);
    const client = await openExample(rig);
    client.send("a");
    client.send("b");
    await settle();
    assertEquals([client.take(), events], [["text before", "close"], ["open", "text a", "text b"]]);
    await rig.clock.advance(4900);
    client.close();
    await settle();
    assertEquals([client.take(), events], [["FIN"], ["open", "text a", "text b", "close"]]);
  });
});

describe("invalid input after the handshake of draft76", () => {
  test("frames of every other type are skipped, whole and byte by byte", async () => {
    for (const split of [Infinity, 1]) {
      const { rig, events } = makeRig();
      const { client } = rig.join({ split });
      await client.open("draft76");
      for (let type = 0x01; type <= 0x7f; type++) client.write(Uint8Array.of(type, 0x61, 0xff));
      for (let type = 0x80; type <= 0xff; type++) client.write(Uint8Array.of(type, 2, 0xff, 0x00));
      for (let type = 0x80; type <= 0xfe; type++) client.write(Uint8Array.of(type, 0));
      client.send("still there");
      await untilQuiet();
      assertEquals([events, client.take()], [["open", "text still there"], []]);
    }
  });

  test("a length of a gigabyte or more closes the connection at once", async () => {
    const lengths = [
      [0x84, 0x80, 0x80, 0x80, 0x00],
      [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
      Array(12).fill(0x80),
    ];
    for (const length of lengths) {
      for (const type of [0x80, 0xff]) {
        const { rig, events } = makeRig();
        const client = await openExample(rig);
        client.write(Uint8Array.of(type, ...length));
        await settle();
        assertEquals([client.take(), events], [["FIN"], ["open", "close"]]);
      }
    }
  });

  test("a text without an end may have maxMessageSize bytes", async () => {
    const { rig, events } = makeRig({ maxMessageSize: 100_000 });
    const client = await openExample(rig);
    client.write(Uint8Array.of(0x00));
    for (let sent = 0; sent < 100_000; sent += 1000) client.write(new Uint8Array(1000).fill(0x61));
    await settle();
    assertEquals([client.take(), events], [[], ["open"]]);
    client.write(Uint8Array.of(0x61));
    await settle();
    assertEquals([client.take(), events], [["FIN"], ["open", "close"]]);
  });

  test("random bytes do not affect other connections", async () => {
    const { rig, events } = makeRig({ maxMessageSize: 10_000 });
    const bystander = await openExample(rig);
    let seed = 1;
    const random = (): number => seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    for (let run = 0; run < 300; run++) {
      const bytes = Uint8Array.from({ length: random() % 500 }, () => random() >>> 16);
      const opened = run % 2 === 0 ? headWith(EXAMPLE) + EXAMPLE_KEY3 : "";
      const { client } = rig.join({ split: 1 + random() % 20 });
      client.write(concat(opened, bytes));
      await settle();
      client.end();
      await settle();
    }
    bystander.send("still there");
    await settle();
    assertEquals(events.at(-1), "text still there");
    assertEquals(events.filter((event) => event === "close").length, 150);
    assertEquals(rig.logged, []);
  });
});
