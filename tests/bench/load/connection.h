/* Non-blocking connections on one epoll instance. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deflate.h"
#include "options.h"
#include "tls.h"

typedef enum { NEW, CONNECTING, SECURING, HANDSHAKING, OPEN, CLOSING, CLOSED } State;

typedef struct {
  int fd;
  Tls *tls;               /* NULL without TLS */
  Inflater *inflater;     /* NULL without a compressed message so far */
  State state;
  Format format;
  bool is_sender;         /* fanout: sends, and does not count what it receives */
  uint32_t interest;      /* the epoll events asked for */
  uint64_t started_at;

  char *response;         /* the response head, while it is incomplete */
  size_t response_length;
  uint8_t expected_digest[16];

  uint8_t header[10];     /* the frame header, while it is incomplete */
  size_t header_length;
  bool in_payload;
  bool final;
  bool compressed;
  uint8_t opcode;
  uint64_t remaining;       /* bytes of payload still to come of this frame */
  uint64_t message_length;  /* bytes of payload received of this message */
  uint32_t sequence;        /* which message of the row comes next */

  uint32_t queued;          /* which message of the row is queued next */
  size_t to_send;           /* bytes */
  size_t row_position;      /* where in the row the next byte comes from */
  uint64_t *sent_at;        /* a ring of options.in_flight times */
  uint32_t sent_head, sent_tail;
} Connection;

/* What a mode does with what happens. */
typedef struct {
  void (*open)(Connection *);
  void (*message)(Connection *, uint64_t now);
  void (*read_done)(Connection *, int messages, uint64_t now);  /* after a read with messages */
  void (*closed)(Connection *);
} Hooks;

typedef struct {
  uint64_t opened, closed;
  uint64_t errors;  /* connections refused, reset or closed by the server */
  uint64_t bad;     /* messages, frames or handshakes with the wrong content */
  int connecting;   /* connections on their way to being open */
  bool stopping;    /* the measurement is over: closed connections are no errors any more */
} Counters;

extern Hooks hooks;
extern Counters counters;

uint64_t now_ns(void);

/* Connects, or connects again. */
void connection_start(Connection *connection);

/* Closes the socket; says so to the mode. */
void connection_close(Connection *connection, bool is_error);

/* Puts the next messages of the row behind what waits to be sent. */
void connection_queue(Connection *connection, int messages, uint64_t now);

/* Sends what is queued, as far as the system takes it. */
void connection_flush(Connection *connection);

/* Sends a few bytes that surely fit. */
bool connection_send(Connection *connection, const void *bytes, size_t length);

/* Whether to be told of arriving bytes. */
void connection_set_reading(Connection *connection, bool reading);

/* The time at which the oldest message in flight was sent; it is in flight no more. */
uint64_t connection_take_sent_at(Connection *connection);

/* Waits for events, up to so many milliseconds, and handles them. */
void poll_once(int milliseconds);

/* Opens some connections, 32 at a time, and waits until all are open. */
void open_connections(Connection *connections, int count);
