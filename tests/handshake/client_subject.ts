/**
 * A client's handshake under test: its request, and responses that are split in every way a network
 * may split them.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { ProtocolError } from "../../src/errors.ts";
import {
  type Agreement,
  type ClientHandshake,
  type HandshakeOptions,
  makeHandshake,
} from "../../src/handshake/client_handshake.ts";
import type { HeadLimits } from "../../src/handshake/head_reader.ts";
import type { ResponseHead } from "../../src/handshake/response_head.ts";
import { responseReader } from "../../src/handshake/status_line.ts";
import { parseWebSocketUrl } from "../../src/handshake/web_socket_url.ts";
import { withoutStacks } from "../support/rows.ts";
import { bytesOf, goodHead, parseRequest, type SentRequest } from "./good_server.ts";
import { everyWay, LIMITS, textOf } from "./support.ts";

/** The outcome of a response. */
export type Outcome =
  | { readonly head: ResponseHead; readonly agreement: Agreement; readonly rest: string }
  | { readonly error: ProtocolError }
  | "incomplete";

/** A client's handshake. */
export class ClientSubject {
  readonly handshake: ClientHandshake;
  readonly request: SentRequest;
  readonly #options: HandshakeOptions;

  constructor(url: string, options: Partial<HandshakeOptions> = {}) {
    this.#options = {
      version: "rfc6455",
      url: parseWebSocketUrl(url),
      origin: undefined,
      subprotocols: [],
      headers: [],
      deflate: undefined,
      ...options,
    };
    this.handshake = makeHandshake(this.#options);
    this.request = parseRequest(this.handshake.request);
  }

  /** The head of a valid response. */
  get head(): string {
    return goodHead(this.#options.version, this.request);
  }

  /** Feeds the pieces of a response. The memory of each piece is overwritten after the call. */
  feed(pieces: readonly Uint8Array[], limits: HeadLimits = LIMITS): Outcome {
    const reader = responseReader(limits);
    for (const [i, piece] of pieces.entries()) {
      const chunk = piece.slice();
      try {
        let at = 0;
        let head = reader.read(chunk);
        while (head !== undefined && head.status < 200 && head.status !== 101) {
          at += reader.consumed;
          head = reader.read(chunk.subarray(at));
        }
        if (head === undefined) continue;
        const agreement = this.handshake.check(head);
        const rest = [piece.subarray(at + reader.consumed), ...pieces.slice(i + 1)];
        return { head, agreement, rest: rest.map(textOf).join("") };
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        return { error };
      } finally {
        chunk.fill(0x23);
      }
    }
    return "incomplete";
  }

  /** Feeds a response split in every way, and checks that the outcomes are equal. */
  feedEveryWay(response: string, limits: HeadLimits = LIMITS): Outcome {
    const bytes = bytesOf(response);
    const whole = this.feed([bytes], limits);
    const expected = describe(whole);
    withoutStacks(() => {
      for (const pieces of everyWay(bytes)) {
        const found = describe(this.feed(pieces, limits));
        if (found === expected) continue;
        const sizes = pieces.map(({ length }) => length).join("+");
        assertEquals(found, expected, `in pieces of ${sizes}`);
      }
    });
    return whole;
  }

  /** Feeds a response split in every way, and expects a refusal. */
  refuse(response: string, limits: HeadLimits = LIMITS): ProtocolError {
    const outcome = this.feedEveryWay(response, limits);
    assert(outcome !== "incomplete" && "error" in outcome, "it was not refused");
    assertEquals(outcome.error.code, 1002);
    return outcome.error;
  }

  /** Feeds a response split in every way, and expects success. */
  accept(
    response: string,
    limits: HeadLimits = LIMITS,
  ): Exclude<Outcome, string | { error: unknown }> {
    const outcome = this.feedEveryWay(response, limits);
    assert(outcome !== "incomplete" && "head" in outcome, JSON.stringify(outcome));
    return outcome;
  }
}

/** An outcome as text. */
function describe(outcome: Outcome): string {
  if (outcome === "incomplete") return outcome;
  if ("error" in outcome) return outcome.error.message;
  return JSON.stringify([outcome.head.text, outcome.agreement, outcome.rest]);
}
