/**
 * Shared by tests of the client: responses to its requests, split in every way.
 * cut them.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { ClientOpening } from "../../src/client/client_opening.ts";
import type { HandshakeError } from "../../src/client/handshake_error.ts";
import {
  type ConnectOptions,
  resolveOptions,
  toHandshakeOptions,
} from "../../src/client/options.ts";
import { type ClientHandshake, makeHandshake } from "../../src/handshake/client_handshake.ts";
import type { ResponseHead } from "../../src/handshake/response_head.ts";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import {
  bytesOf,
  goodAnswer,
  goodHead,
  parseRequest,
  type SentRequest,
} from "../handshake/good_server.ts";
import { everyWay, textOf } from "../handshake/support.ts";
import { withoutStacks } from "../support/rows.ts";

/** The result of a response. */
export type Outcome =
  | { readonly head: ResponseHead; readonly subprotocol: string | undefined; readonly rest: string }
  | { readonly error: HandshakeError }
  | "waiting";

/** A handshake under test. */
export class Subject {
  readonly version: WebSocketVersion;
  readonly href: string;
  readonly handshake: ClientHandshake;
  readonly request: SentRequest;
  readonly #options: ConnectOptions;

  constructor(url: string, options: ConnectOptions = {}) {
    const asked = toHandshakeOptions({ url }, options);
    this.version = asked.version;
    this.href = asked.url.href;
    this.handshake = makeHandshake(asked);
    this.request = parseRequest(this.handshake.request);
    this.#options = options;
  }

  /** The head of a correct response. */
  get head(): string {
    return goodHead(this.version, this.request);
  }

  /** A correct response. */
  get answer(): string {
    return goodAnswer(this.version, this.request);
  }

  /** Feeds pieces of a response, and then the end of the connection, if there is one. */
  feed(pieces: readonly Uint8Array[], ends: boolean): Outcome {
    let outcome: Outcome = "waiting";
    let behind = "";
    const opening = new ClientOpening(this.href, this.handshake, {
      limits: resolveOptions(this.#options),
      events: {
        opened: ({ head, agreement: { subprotocol }, rest }) =>
          outcome = { head, subprotocol, rest: textOf(rest) },
        refused: (error) => outcome = { error },
      },
    });
    for (const piece of pieces) {
      if (outcome !== "waiting") behind += textOf(piece);
      else {
        const chunk = piece.slice();
        opening.data(chunk);
        chunk.fill(0x23); // A chunk is valid only during the call.
      }
    }
    if (ends && outcome === "waiting") opening.end();
    const final = outcome as Outcome;
    return final !== "waiting" && "rest" in final ? { ...final, rest: final.rest + behind } : final;
  }

  /** Feeds a response in every way, checks that all results are equal, and returns the result. */
  feedEveryWay(answer: string, { ends = false } = {}): Outcome {
    const bytes = bytesOf(answer);
    const whole = this.feed([bytes], ends);
    const expected = describe(whole);
    withoutStacks(() => {
      for (const pieces of everyWay(bytes)) {
        const found = describe(this.feed(pieces, ends));
        if (found === expected) continue;
        const sizes = pieces.map(({ length }) => length).join("+");
        assertEquals(found, expected, `in pieces of ${sizes}`);
      }
    });
    return whole;
  }
}

/** Formats an outcome. */
function describe(outcome: Outcome): string {
  if (outcome === "waiting") return outcome;
  if ("error" in outcome) {
    const { message, status, body } = outcome.error;
    return JSON.stringify([message, status, body]);
  }
  return JSON.stringify([outcome.head.text, outcome.subprotocol, outcome.rest]);
}
