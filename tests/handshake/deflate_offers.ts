/**
 * Clients' offers in `Sec-WebSocket-Extensions`, and the server's responses (RFC 7692 §7.1).
 *
 * @module
 */

/**
 * An offer, and the response parameters of a server with context takeover and of one without;
 * `undefined` if the offer is declined.
 */
export type DeflateOfferCase = readonly [
  offer: string,
  keep: string | undefined,
  forget: string | undefined,
];

const BOTH = "server_no_context_takeover; client_no_context_takeover";

/** Every row. */
export const DEFLATE_OFFERS: readonly DeflateOfferCase[] = [
  ["permessage-deflate", "", BOTH],
  ["permessage-deflate; client_max_window_bits", "", BOTH],
  [
    "permessage-deflate; client_max_window_bits=10",
    "client_max_window_bits=10",
    `${BOTH}; client_max_window_bits=10`,
  ],
  [
    "permessage-deflate; client_max_window_bits=8",
    "client_max_window_bits=8",
    `${BOTH}; client_max_window_bits=8`,
  ],
  ["permessage-deflate; client_max_window_bits=15", "", BOTH],
  [
    "permessage-deflate; server_max_window_bits=10",
    "server_max_window_bits=10",
    `${BOTH}; server_max_window_bits=10`,
  ],
  [
    'permessage-deflate; server_max_window_bits="9"',
    "server_max_window_bits=9",
    `${BOTH}; server_max_window_bits=9`,
  ],
  [
    "permessage-deflate; server_max_window_bits=15",
    "server_max_window_bits=15",
    `${BOTH}; server_max_window_bits=15`,
  ],
  ["permessage-deflate; server_no_context_takeover", "server_no_context_takeover", BOTH],
  ["permessage-deflate; client_no_context_takeover", "client_no_context_takeover", BOTH],
  [
    "permessage-deflate; client_max_window_bits=11; server_max_window_bits=12; " +
    "client_no_context_takeover; server_no_context_takeover",
    `${BOTH}; server_max_window_bits=12; client_max_window_bits=11`,
    `${BOTH}; server_max_window_bits=12; client_max_window_bits=11`,
  ],
  ["x-webkit-deflate-frame", undefined, undefined],
  ["deflate-stream, Permessage-Deflate", undefined, undefined],
  [
    "foo, permessage-deflate; server_no_context_takeover, bar",
    "server_no_context_takeover",
    BOTH,
  ],
  [
    "permessage-deflate; server_max_window_bits=9, permessage-deflate",
    "server_max_window_bits=9",
    `${BOTH}; server_max_window_bits=9`,
  ],
  ["permessage-deflate; server_max_window_bits=8, permessage-deflate", "", BOTH],
  [
    "permessage-deflate; unknown, permessage-deflate; client_max_window_bits=9, permessage-deflate",
    "client_max_window_bits=9",
    `${BOTH}; client_max_window_bits=9`,
  ],
  // A single offer, which is declined.
  ...[
    "unknown",
    "unknown=1",
    "server_no_context_takeover; server_no_context_takeover",
    "client_no_context_takeover; client_no_context_takeover",
    "server_max_window_bits=10; server_max_window_bits=10",
    "client_max_window_bits; client_max_window_bits=10",
    "server_no_context_takeover=1",
    "server_no_context_takeover=true",
    'client_no_context_takeover="1"',
    "server_max_window_bits",
    ...["0", "7", "8", "16", "-9", "09", "9.0", "1e1", "x", "0x9", "99999999999999999999"].map(
      (bits) => `server_max_window_bits=${bits}`,
    ),
    ...["0", "7", "16", "-9", "08", "10.", "x"].map((bits) => `client_max_window_bits=${bits}`),
  ].map((parameters): [string, undefined, undefined] => [
    `permessage-deflate; ${parameters}`,
    undefined,
    undefined,
  ]),
];
