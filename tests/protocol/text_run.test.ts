import { assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { Hixie } from "../../src/protocol/hixie.ts";
import { Output } from "../../src/protocol/output.ts";
import type { Protocol, Sink } from "../../src/protocol/protocol.ts";
import { text } from "./hybi_frames.ts";
import { client, LIMITS, recorder, server } from "./hybi_receive.ts";

/** What a client reads of what was written for it. */
function read(output: Output, peer: Protocol = client()): string[] {
  const messages: string[] = [];
  const sink: Sink = { ...recorder([]), text: (message) => messages.push(message) > 0 };
  peer.receive(output.take(), true, sink);
  return messages;
}

function glued(...messages: string[]): Uint8Array {
  return Uint8Array.from(messages.flatMap((message) => [...text(message)]));
}

const TEXTS = ["first", "second", "", "a".repeat(125), "second", "é", "last"];

describe("short texts that one read brings", () => {
  test("are passed on as they came, in every format", () => {
    const peers: [Protocol, Protocol][] = [
      [server(), client()],
      [client(), server()],
      [new Hixie(LIMITS, { version: "draft76" }), new Hixie(LIMITS, { version: "draft76" })],
    ];
    for (const [writer, reader] of peers) {
      const output = new Output();
      server().receive(glued(...TEXTS), false, {
        ...recorder([]),
        text(message) {
          writer.writeText(output, message);
          writer.writeText(output, "something else");
          return true;
        },
      });
      assertEquals(read(output, reader), TEXTS.flatMap((message) => [message, "something else"]));
    }
  });

  test("are passed on while the sink receives others", () => {
    const output = new Output();
    const writer = server();
    const inner = (message: string): void => {
      server().receive(glued(`${message} within`, "more"), false, {
        ...recorder([]),
        text(nested) {
          writer.writeText(output, nested);
          writer.writeText(output, message);
          return true;
        },
      });
    };
    server().receive(glued("first", "2", "third"), false, {
      ...recorder([]),
      text(message) {
        writer.writeText(output, message);
        inner(message);
        writer.writeText(output, message);
        return true;
      },
    });
    assertEquals(
      read(output),
      ["first", "2", "third"].flatMap((
        message,
      ) => [message, `${message} within`, message, "more", message, message]),
    );
  });

  for (const how of ["returned", "stopped", "failed"] as const) {
    test(`do not depend on their bytes once the sink has ${how}`, () => {
      const kept: string[] = [];
      const chunk = glued("one", "two", "three");
      const receive = () =>
        server().receive(chunk, false, {
          ...recorder([]),
          text(message) {
            kept.push(message);
            if (how === "failed") throw new Error("The sink has failed");
            return how === "returned";
          },
        });
      if (how === "failed") assertThrows(receive, Error, "The sink has failed");
      else receive();
      chunk.fill(0xee);
      const output = new Output();
      for (const message of ["", ...kept]) server().writeText(output, message);
      assertEquals(read(output), ["", ...kept]);
    });
  }
});
