#include "options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Options options = {
    .label = "", .path = "/", .connections = 64, .in_flight = 1, .size = 32, .fragments = 1, .seconds = 3, .warm_up = 1};

static const char USAGE[] =
    "usage: wsload MODE -p PORT [options]\n"
    "\n"
    "modes\n"
    "  echo        every connection keeps IN_FLIGHT messages on their way\n"
    "  reply       the same, but the first byte of each reply is in lower case\n"
    "  burst       sends IN_FLIGHT messages without reading, then reads all the replies\n"
    "  fanout      one connection sends, all the others must receive each message\n"
    "  handshake   connects, shakes hands, closes, all over again\n"
    "  idle        opens the connections, holds them, measures the server's memory\n"
    "\n"
    "options\n"
    "  -p PORT     of the server on 127.0.0.1\n"
    "  -u PATH     of the request (default /, for fanout /fan, for reply /reply)\n"
    "  -n COUNT    connections; for handshake, those open at a time (default 64)\n"
    "  -P COUNT    messages in flight on each connection (default 1)\n"
    "  -s BYTES    of payload (default 32)\n"
    "  -b          binary messages\n"
    "  -F COUNT    fragments of a message (default 1)\n"
    "  -H COUNT    header fields to add to each request (default 0)\n"
    "  --utf8      text with characters of one to four bytes\n"
    "  --draft76   speak draft76 instead of RFC 6455\n"
    "  --mixed     every other connection speaks draft76\n"
    "  --raw       no protocol: the server echoes bytes\n"
    "  -t SECONDS  to measure (default 3)\n"
    "  -w SECONDS  to warm up (default 1); up to three times as long, until 30,000 messages\n"
    "  --tls       over TLS; the certificate is not checked\n"
    "  --deflate   compressed messages of JSON, each on its own; idle exchanges IN_FLIGHT of them first\n"
    "  --takeover  the same, but messages build on those before\n"
    "  --pid PID   of the server, to measure its CPU time and memory\n"
    "  --rst       handshake: reset instead of closing\n"
    "  --minhdr    only the headers that the handshake needs\n"
    "  --nosrc     connect from one address only\n"
    "  --label L   repeated in the output\n";

void die(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "wsload: ");
  vfprintf(stderr, format, arguments);
  fprintf(stderr, "\n");
  va_end(arguments);
  exit(2);
}

const char *format_name(void) {
  if (options.mixed) return "mixed";
  static const char *const names[FORMATS] = {"hybi", "draft76", "raw"};
  return names[options.format];
}

static Mode mode_named(const char *name) {
  static const struct { const char *name; Mode mode; } modes[] = {
      {"echo", MODE_ECHO}, {"reply", MODE_REPLY}, {"burst", MODE_BURST}, {"fanout", MODE_FANOUT},
      {"handshake", MODE_HANDSHAKE}, {"idle", MODE_IDLE}};
  for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
    if (!strcmp(name, modes[i].name)) return modes[i].mode;
  }
  die("unknown mode %s\n%s", name, USAGE);
}

enum { DRAFT76 = 256, MIXED, RAW, UTF8, TLS, DEFLATE, TAKEOVER, PID, RST, MINHDR, NOSRC, LABEL };

static const struct option LONG_OPTIONS[] = {
    {"draft76", no_argument, 0, DRAFT76}, {"mixed", no_argument, 0, MIXED},
    {"raw", no_argument, 0, RAW},         {"utf8", no_argument, 0, UTF8},
    {"deflate", no_argument, 0, DEFLATE}, {"takeover", no_argument, 0, TAKEOVER},
    {"tls", no_argument, 0, TLS},         {"pid", required_argument, 0, PID},
    {"rst", no_argument, 0, RST},         {"minhdr", no_argument, 0, MINHDR},
    {"nosrc", no_argument, 0, NOSRC},     {"label", required_argument, 0, LABEL},
    {0}};

static void set_option(int option, const char *value) {
  switch (option) {
    case 'p': options.port = atoi(value); break;
    case 'u': options.path = value; break;
    case 'n': options.connections = atoi(value); break;
    case 'P': options.in_flight = atoi(value); break;
    case 's': options.size = (size_t)atol(value); break;
    case 'b': options.binary = true; break;
    case 'F': options.fragments = atoi(value); break;
    case 'H': options.fields = atoi(value); break;
    case 't': options.seconds = atof(value); break;
    case 'w': options.warm_up = atof(value); break;
    case DRAFT76: options.format = FORMAT_DRAFT76; break;
    case MIXED: options.mixed = true; break;
    case RAW: options.format = FORMAT_RAW; break;
    case TLS: options.tls = true; break;
    case TAKEOVER: options.takeover = options.deflate = true; break;
    case DEFLATE: options.deflate = true; break;
    case UTF8: options.utf8 = true; break;
    case PID: options.pid = atoi(value); break;
    case RST: options.reset = true; break;
    case MINHDR: options.short_request = true; break;
    case NOSRC: options.one_address = true; break;
    case LABEL: options.label = value; break;
    default: die("see above\n%s", USAGE);
  }
}

void parse_options(int argc, char **argv) {
  if (argc < 2) die("no mode given\n%s", USAGE);
  options.mode_name = argv[1];
  options.mode = mode_named(argv[1]);
  if (options.mode == MODE_FANOUT) options.path = "/fan";
  if (options.mode == MODE_REPLY) options.path = "/reply";
  optind = 2;
  int option;
  while ((option = getopt_long(argc, argv, "p:u:n:P:s:bF:H:t:w:", LONG_OPTIONS, NULL)) != -1) {
    set_option(option, optarg);
  }
  if (!options.port) die("no port given\n%s", USAGE);
  if (options.fragments < 1 || (size_t)options.fragments > options.size || options.fields < 0) {
    die("-F takes 1 to the size, -H a number");
  }
  if (options.connections < 1 || options.in_flight < 1 || options.size < 1) {
    die("-n, -P and -s take numbers above 0");
  }
  if (options.deflate && (options.mixed || options.binary || options.format != FORMAT_HYBI)) {
    die("compressed messages are text of RFC 6455");
  }
  if (options.binary && (options.mixed || options.format == FORMAT_DRAFT76)) {
    die("draft76 has no binary messages");
  }
}
