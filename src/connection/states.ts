/**
 * The table of states and events of an established connection, for servers and clients.
 *
 * @module
 */

/**
 * - `open`: messages pass in both directions;
 * - `closing`: we have sent a close frame (in draft75, FIN) and wait for the peer's. Messages that
 *   still arrive are delivered;
 * - `lost`: the socket is closed. Messages that arrived before are still delivered;
 * - `closed`: no messages are delivered any more.
 */
export type State = "open" | "closing" | "lost" | "closed";

/**
 * The state of the peer:
 *
 * - `sending`: the peer may send more;
 * - `ended`: the peer has sent FIN;
 * - `gone`: the socket is closed.
 */
export type PeerState = "sending" | "ended" | "gone";

/**
 * - `close`: the application closes the connection, or an idle timeout does;
 * - `peerClose`: the peer's close frame, after all messages before it were delivered;
 * - `fail`: the peer broke a rule, too much output waits, or the application threw an exception;
 * - `peerEnd`: all messages before the peer's FIN, or before the socket closed, were delivered;
 * - `gone`: the socket is closed;
 * - `abort`: the application aborts the connection, or a timeout does.
 */
export type ConnectionEvent = "close" | "peerClose" | "fail" | "peerEnd" | "gone" | "abort";

/** The effect of an event. */
export interface Transition {
  /** The next state. */
  readonly next: State;
  /** Whether a close frame is sent. */
  readonly sendsClose: boolean;
  /** Whether the socket is destroyed instead of closed with FIN. */
  readonly destroys: boolean;
}

const STAY = (next: State): Transition => ({ next, sendsClose: false, destroys: false });
const FINISH: Transition = { next: "closed", sendsClose: false, destroys: false };
const DESTROY: Transition = { next: "closed", sendsClose: false, destroys: true };

/** The effect of each event in each state. An event that does not change the state does nothing. */
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
    // The socket is closed already. Messages that arrived before are still delivered.
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
