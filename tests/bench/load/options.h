/* The command line. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

typedef enum { MODE_ECHO, MODE_REPLY, MODE_BURST, MODE_FANOUT, MODE_HANDSHAKE, MODE_IDLE } Mode;

/* How messages are framed: RFC 6455, draft76, or not at all (the floor of the runtime). */
typedef enum { FORMAT_HYBI, FORMAT_DRAFT76, FORMAT_RAW, FORMATS } Format;

typedef struct {
  Mode mode;
  const char *mode_name;
  const char *label;     /* repeated in the output */
  Format format;
  bool mixed;            /* every other connection speaks draft76 */
  int port;
  const char *path;
  int connections;
  int in_flight;         /* messages of one connection on their way at any time */
  size_t size;           /* bytes of payload */
  bool binary;
  bool utf8;             /* text with characters of one to four bytes, instead of ASCII */
  double seconds;        /* measured time */
  double warm_up;        /* seconds before it */
  int pid;               /* the server's, for its CPU time and memory; 0 for unknown */
  bool tls;
  int fragments;         /* of a message */
  int fields;            /* added to each request */
  bool deflate;          /* permessage-deflate */
  bool takeover;         /* the same, and messages build on those before */
  bool reset;            /* handshake: end with RST instead of a closing handshake */
  bool short_request;    /* without the headers that browsers add */
  bool one_address;      /* connect from 127.0.0.1 only, instead of from 100 addresses */
} Options;

extern Options options;

const char *format_name(void);
void parse_options(int argc, char **argv);

/* Ends the program with a message and status 2. */
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
