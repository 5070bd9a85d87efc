/**
 * The states of an established connection, and what each event does in each of them: the whole
 * table, for servers and clients alike.
 *
 * @module
 */

/**
 * - `open`: messages pass in both directions;
 * - `closing`: our closing frame is out (in draft75, our FIN), and the peer's is awaited. What it
 *   still sends is delivered;
 * - `lost`: the socket is gone, and what arrived before is still being delivered;
 * - `closed`: nothing is delivered any more.
 */
export type State = "open" | "closing" | "lost" | "closed";

/**
 * What the peer has done:
 *
 * - `sending`: it may send more;
 * - `ended`: it has sent FIN;
 * - `gone`: the socket is gone.
 */
export type PeerState = "sending" | "ended" | "gone";

/**
 * - `close`: the application closes the connection, or an idle timeout does;
 * - `peerClose`: the peer's closing frame, after everything before it was delivered;
 * - `fail`: the peer broke a rule, too much output waits, or the application threw an exception;
 * - `peerEnd`: everything was delivered that arrived before the peer's FIN or the loss of the socket;
 * - `gone`: the socket is gone;
 * - `abort`: the connection is cut off: by the application, or because the peer is dead or late.
 */
export type ConnectionEvent = "close" | "peerClose" | "fail" | "peerEnd" | "gone" | "abort";

/** What an event does. */
export interface Transition {
  /** The state that follows. */
  readonly next: State;
  /** Whether a closing frame is sent: one of our own, or the answer to the peer's. */
  readonly sendsClose: boolean;
  /** Whether the socket is destroyed instead of ended in good order. */
  readonly destroys: boolean;
}

const STAY = (next: State): Transition => ({ next, sendsClose: false, destroys: false });
const FINISH: Transition = { next: "closed", sendsClose: false, destroys: false };
const DESTROY: Transition = { next: "closed", sendsClose: false, destroys: true };

/** What each event does in each state. A row that stays in its state does nothing. */
export const TRANSITIONS: Readonly<Record<State, Readonly<Record<ConnectionEvent, Transition>>>> = {
  open: {
    close: { next: "closing", sendsClose: true, destroys: false },
    // "the endpoint MUST send a Close frame in response" (RFC 6455 §5.5.1).
    peerClose: { next: "closed", sendsClose: true, destroys: false },
    fail: { next: "closed", sendsClose: true, destroys: false },
    peerEnd: FINISH,
    gone: STAY("lost"),
    abort: DESTROY,
  },
  closing: {
    close: STAY("closing"),
    peerClose: FINISH,
    // "an endpoint MUST NOT send any more data frames after sending a Close frame" (§5.5.1).
    fail: FINISH,
    peerEnd: FINISH,
    gone: STAY("lost"),
    abort: DESTROY,
  },
  lost: {
    // There is nobody to close: what arrived before is still delivered.
    close: STAY("lost"),
    peerClose: FINISH,
    fail: FINISH,
    peerEnd: FINISH,
    gone: STAY("lost"),
    abort: FINISH,
  },
  closed: {
    close: STAY("closed"),
    peerClose: STAY("closed"),
    fail: STAY("closed"),
    peerEnd: STAY("closed"),
    gone: STAY("closed"),
    abort: STAY("closed"),
  },
};
