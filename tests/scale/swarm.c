/*
 * Opens many WebSocket connections and holds them: swarm PORT COUNT FIRST_ADDRESS AT_ONCE
 *
 * The connections speak the five versions in turn and come from addresses of 127.0.0.0/8, 500 from
 * each, since one address has ports for 28,000 connections only. AT_ONCE are opened at a time. Every message has the form
 * "NUMBER TIME", with six digits and the microseconds since 1970 in sixteen digits. Pings are answered.
 *
 * Prints one line of JSON when all connections are open, when a message has reached all of them, when
 * all are closed, and for each line on standard input. Ends when all connections are closed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

enum { PER_ADDRESS = 500, BUFFER = 448, MESSAGES = 64, TEXT = 23 };

typedef enum { RFC6455, HYBI08, HYBI07, DRAFT76, DRAFT75, VERSIONS } Version;
typedef enum { CONNECTING, SHAKING, OPEN, CLOSING, CLOSED } Phase;

typedef struct {
  int fd;
  unsigned char version, phase;
  unsigned short length;  /* of the bytes in `buffer` */
  unsigned short last;    /* the number of the last message */
  char buffer[BUFFER];
} Connection;

/* How far one message has come. */
typedef struct {
  int received;
  double first, last, sent; /* seconds since 1970 */
} Message;

static Connection *connections;
static Message messages[MESSAGES];
static int port, count, first_address, at_once, started, opened, failed, closed, normal, wrong, pings, busy;
static long delivered;
static int poller;
static double began;
static bool told_open;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static void die(const char *what) {
  fprintf(stderr, "swarm: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int request(Version version, char *text, size_t size) {
  static const char *const fields[VERSIONS] = {
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: ",
      "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
      "Sec-WebSocket-Origin: ",
      "Sec-WebSocket-Version: 7\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
      "Sec-WebSocket-Origin: ",
      "Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\nSec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\n"
      "Origin: ",
      "Origin: "};
  return snprintf(text, size,
                  "GET / HTTP/1.1\r\nUpgrade: %s\r\nConnection: Upgrade\r\nHost: 127.0.0.1:%d\r\n"
                  "%shttp://127.0.0.1:%d\r\n\r\n%s",
                  version < DRAFT76 ? "websocket" : "WebSocket", port, fields[version], port,
                  version == DRAFT76 ? "^n:ds[4U" : "");
}

/* What the response must contain, besides "101". */
static const char *const PROOF[VERSIONS] = {
    "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    "8jKS'y:G*Co,Wxa-", "WebSocket-Location: "};

static void watch(Connection *connection, int operation, unsigned events) {
  struct epoll_event event = {.events = events, .data.ptr = connection};
  if (epoll_ctl(poller, operation, connection->fd, &event) < 0) die("epoll_ctl");
}

static void over(Connection *connection) {
  if (connection->phase <= SHAKING) failed++, busy--;
  connection->phase = CLOSED;
  close(connection->fd);
  connection->fd = -1;
  closed++;
}

static void start(void) {
  Connection *connection = &connections[started];
  connection->version = started % VERSIONS;
  int fd = connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (fd < 0) die("socket");
  int on = 1;
  int block = first_address + started / PER_ADDRESS;
  struct sockaddr_in from = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(0x7f010001u + (unsigned)block)};
  struct sockaddr_in to = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  if (bind(fd, (struct sockaddr *)&from, sizeof from) < 0) die("bind");
  if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) die("connect");
  started++;
  busy++;
  watch(connection, EPOLL_CTL_ADD, EPOLLOUT);
}

static void put(Connection *connection, const char *bytes, size_t length) {
  /* A few bytes on an idle connection always fit into the system's buffer. */
  if (write(connection->fd, bytes, length) != (ssize_t)length && errno != EPIPE &&
      errno != ECONNRESET) {
    die("write");
  }
}

static void tell(int number) {
  const Message *message = &messages[number];
  printf("{\"message\":%d,\"received\":%d,\"first\":%.6f,\"last\":%.6f}\n", number,
         message->received, message->first - message->sent, message->last - message->sent);
}

static void receive_message(Connection *connection, const char *text, size_t length, double at) {
  int number = length == TEXT ? atoi(text) : 0;
  /* In order, and none twice. */
  if (number <= connection->last || number >= MESSAGES) wrong++;
  else {
    Message *message = &messages[number];
    delivered++;
    connection->last = number;
    message->sent = strtod(text + 7, NULL) / 1e6;
    if (message->received++ == 0) message->first = at;
    message->last = at;
    if (message->received == opened) tell(number);
  }
}

static void receive_close(Connection *connection, const char *payload, size_t length) {
  if (length == 2 && payload[0] == 3 && payload[1] == (char)0xe9) normal++; /* 1001 */
  /* The reply, masked with zeros. */
  put(connection, "\x88\x82\0\0\0\0\x03\xe9", 8);
  connection->phase = CLOSING;
}

/* Handles one frame. Returns its length, or 0 if it is incomplete. */
static size_t frame(Connection *connection, char *at, size_t length, double time) {
  if (connection->version >= DRAFT76) {
    if (length < 2) return 0;
    if ((unsigned char)at[0] == 0xff && at[1] == 0) {
      put(connection, "\xff\0", 2);
      connection->phase = CLOSING;
      normal++;
      return 2;
    }
    char *end = memchr(at, 0xff, length);
    if (end == NULL) return 0;
    receive_message(connection, at + 1, (size_t)(end - at - 1), time);
    return (size_t)(end - at + 1);
  }
  if (length < 2) return 0;
  size_t size = (unsigned char)at[1];
  if (size > 125) exit(3);
  if (length < 2 + size) return 0;
  int opcode = at[0] & 15;
  if (opcode == 1) receive_message(connection, at + 2, size, time);
  else if (opcode == 8) receive_close(connection, at + 2, size);
  else if (opcode == 9) {
    char pong[131] = {(char)0x8a, (char)(0x80 | size)};
    memcpy(pong + 6, at + 2, size);
    put(connection, pong, 6 + size);
    pings++;
  } else wrong++;
  return 2 + size;
}

/* Checks the response to the handshake. Returns its length, or 0 if it is incomplete. */
static size_t response(Connection *connection) {
  char *text = connection->buffer;
  size_t proof = connection->version == DRAFT76 ? 16 : 0;
  char *end = memmem(text, connection->length, "\r\n\r\n", 4);
  if (end == NULL || (size_t)(end + 4 - text) + proof > connection->length) return 0;
  size_t length = (size_t)(end + 4 - text) + proof;
  const char *expected = PROOF[connection->version];
  bool right = !strncmp(text, "HTTP/1.1 101 ", 13) &&
               memmem(text, length, expected, strlen(expected)) != NULL;
  if (!right) {
    fprintf(stderr, "swarm: refused: %.60s\n", text);
    over(connection);
    return 0;
  }
  connection->phase = OPEN;
  opened++;
  busy--;
  return length;
}

static void readable(Connection *connection) {
  double time = now();
  for (;;) {
    ssize_t got = read(connection->fd, connection->buffer + connection->length,
                       (size_t)(BUFFER - connection->length));
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      if (connection->version == DRAFT75 && connection->phase == OPEN && got == 0) normal++;
      return over(connection);
    }
    connection->length += (unsigned short)got;
    size_t used = 0, step;
    if (connection->phase == SHAKING) used = response(connection);
    while (connection->phase == OPEN && used < connection->length &&
           (step = frame(connection, connection->buffer + used, connection->length - used, time))) {
      used += step;
    }
    if (connection->phase == CLOSED) return;
    connection->length -= (unsigned short)used;
    memmove(connection->buffer, connection->buffer + used, connection->length);
    if (connection->length == BUFFER) exit(4);
  }
}

static void writable(Connection *connection) {
  char text[512];
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return over(connection);
  connection->phase = SHAKING;
  put(connection, text, (size_t)request(connection->version, text, sizeof text));
  watch(connection, EPOLL_CTL_MOD, EPOLLIN);
}

static void report(void) {
  printf("{\"opened\":%d,\"failed\":%d,\"closed\":%d,\"normal\":%d,\"wrong\":%d,\"pings\":%d,"
         "\"delivered\":%ld}\n",
         opened, failed, closed, normal, wrong, pings, delivered);
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: swarm PORT COUNT FIRST_ADDRESS AT_ONCE\n");
    return 2;
  }
  port = atoi(argv[1]);
  count = atoi(argv[2]);
  first_address = atoi(argv[3]);
  at_once = atoi(argv[4]);
  connections = calloc((size_t)count, sizeof *connections);
  poller = epoll_create1(0);
  setvbuf(stdout, NULL, _IOLBF, 0);
  struct epoll_event input = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &input);
  began = now();
  struct epoll_event events[512];
  while (closed < count) {
    while (busy < at_once && started < count) start();
    int ready = epoll_wait(poller, events, 512, -1);
    for (int i = 0; i < ready; i++) {
      Connection *connection = events[i].data.ptr;
      if (connection == NULL) {
        char line[64];
        if (read(STDIN_FILENO, line, sizeof line) <= 0) return 0;
        report();
      } else if (connection->phase == CONNECTING) writable(connection);
      else readable(connection);
    }
    if (!told_open && opened + failed == count) {
      told_open = true;
      printf("{\"all\":%d,\"failed\":%d,\"seconds\":%.3f}\n", opened, failed, now() - began);
    }
  }
  report();
  return 0;
}
