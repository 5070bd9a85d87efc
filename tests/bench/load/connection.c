#include "connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "content.h"
#include "handshake.h"
#include "receive.h"

Hooks hooks;
Counters counters;

static uint8_t received[1 << 20];

uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000ull + (uint64_t)time.tv_nsec;
}

static int epoll_instance(void) {
  static int instance;
  if (!instance) instance = epoll_create1(0);
  return instance;
}

static void set_interest(Connection *connection, uint32_t interest) {
  if (connection->interest == interest) return;
  connection->interest = interest;
  struct epoll_event event = {.events = interest, .data.ptr = connection};
  epoll_ctl(epoll_instance(), EPOLL_CTL_MOD, connection->fd, &event);
}

static void set_writing(Connection *connection, bool writing) {
  uint32_t without = connection->interest & ~(uint32_t)EPOLLOUT;
  set_interest(connection, without | (writing ? (uint32_t)EPOLLOUT : 0));
}

void connection_set_reading(Connection *connection, bool reading) {
  uint32_t without = connection->interest & ~(uint32_t)EPOLLIN;
  set_interest(connection, without | (reading ? (uint32_t)EPOLLIN : 0));
}

/* One address has 28,000 ports for outgoing connections, and a closed one keeps its port for a
   minute: 100 source addresses give enough. */
static void bind_to_some_address(int fd) {
  static uint32_t next;
  struct sockaddr_in source = {.sin_family = AF_INET};
  source.sin_addr.s_addr = htonl(0x7f000002u + next++ % 100);
  int on = 1;
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  bind(fd, (struct sockaddr *)&source, sizeof source);
}

static int new_socket(void) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (fd < 0) die("socket: %s", strerror(errno));
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (options.reset) {
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  if (!options.one_address) bind_to_some_address(fd);
  return fd;
}

static void forget_progress(Connection *connection) {
  free(connection->response);
  if (connection->inflater) inflater_free(connection->inflater);
  *connection = (Connection){.format = connection->format,
                             .is_sender = connection->is_sender,
                             .sent_at = connection->sent_at};
}

void connection_start(Connection *connection) {
  forget_progress(connection);
  connection->started_at = now_ns();
  connection->fd = new_socket();
  struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port)};
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int result = connect(connection->fd, (struct sockaddr *)&server, sizeof server);
  if (result < 0 && errno != EINPROGRESS) die("connect: %s", strerror(errno));

  connection->state = CONNECTING;
  counters.connecting++;
  connection->interest = EPOLLIN | EPOLLOUT;
  struct epoll_event event = {.events = connection->interest, .data.ptr = connection};
  epoll_ctl(epoll_instance(), EPOLL_CTL_ADD, connection->fd, &event);
}

void connection_close(Connection *connection, bool is_error) {
  if (connection->state == CLOSED) return;
  if (is_error && !counters.stopping) counters.errors++;
  if (connection->state < OPEN) counters.connecting--;
  connection->state = CLOSED;
  if (connection->tls) tls_free(connection->tls);
  connection->tls = NULL;
  close(connection->fd);
  connection->fd = -1;
  counters.closed++;
  if (hooks.closed) hooks.closed(connection);
}

static ssize_t send_some(Connection *connection, const void *bytes, size_t length) {
  if (connection->tls) return tls_send(connection->tls, bytes, length);
  return send(connection->fd, bytes, length, MSG_NOSIGNAL);
}

bool connection_send(Connection *connection, const void *bytes, size_t length) {
  if (send_some(connection, bytes, length) == (ssize_t)length) return true;
  connection_close(connection, true);
  return false;
}

void connection_queue(Connection *connection, int messages, uint64_t now) {
  const Block *row = content_block(connection->format);
  for (int i = 0; i < messages; i++) {
    connection->to_send += row->frame_lengths[connection->queued];
    if (++connection->queued == row->count) connection->queued = row->again;
    connection->sent_at[connection->sent_head] = now;
    if (++connection->sent_head == (uint32_t)options.in_flight) connection->sent_head = 0;
  }
}

uint64_t connection_take_sent_at(Connection *connection) {
  uint64_t sent_at = connection->sent_at[connection->sent_tail];
  if (++connection->sent_tail == (uint32_t)options.in_flight) connection->sent_tail = 0;
  return sent_at;
}

void connection_flush(Connection *connection) {
  const Block *row = content_block(connection->format);
  while (connection->to_send) {
    size_t length = row->length - connection->row_position;
    if (length > connection->to_send) length = connection->to_send;
    ssize_t sent = send_some(connection, row->bytes + connection->row_position, length);
    if (sent < 0) {
      if (errno == EAGAIN) set_writing(connection, true);
      else connection_close(connection, true);
      return;
    }
    connection->to_send -= (size_t)sent;
    connection->row_position += (size_t)sent;
    if (connection->row_position == row->length) connection->row_position = row->again_at;
  }
  set_writing(connection, false);
}

static void go_on_securing(Connection *connection) {
  int result = tls_handshake(connection->tls);
  if (result < 0) {
    connection_close(connection, true);
    return;
  }
  set_writing(connection, !result && tls_wants_write(connection->tls));
  if (!result) return;
  connection->state = HANDSHAKING;
  handshake_send(connection);
}

static void handle_connected(Connection *connection, uint32_t events) {
  if (events & (EPOLLERR | EPOLLHUP)) {
    connection_close(connection, true);
    return;
  }
  set_writing(connection, false);
  if (options.tls) {
    connection->tls = tls_start(connection->fd);
    connection->state = SECURING;
    go_on_securing(connection);
  } else {
    connection->state = HANDSHAKING;
    handshake_send(connection);
  }
}

/* Returns whether there may be more to read. */
static bool read_once(Connection *connection) {
  ssize_t result = connection->tls ? tls_receive(connection->tls, received, sizeof received)
                                   : recv(connection->fd, received, sizeof received, 0);
  if (result < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (result <= 0) {
    connection_close(connection, connection->state != CLOSING);
    return false;
  }
  uint8_t *bytes = received;
  size_t length = (size_t)result;
  if (connection->state == HANDSHAKING) {
    size_t used = handshake_receive(connection, bytes, length);
    bytes += used;
    length -= used;
  }
  if (!length || (connection->state != OPEN && connection->state != CLOSING)) return true;
  uint64_t now = now_ns();
  int messages = receive(connection, bytes, length, now);
  if (messages && hooks.read_done && connection->state == OPEN) {
    hooks.read_done(connection, messages, now);
  }
  return true;
}

/* With TLS, bytes that were read from the socket may wait in OpenSSL, a record for each read. */
static void handle_readable(Connection *connection) {
  const Tls *tls = connection->tls;
  while (read_once(connection) && tls && connection->tls == tls) continue;
}

void poll_once(int milliseconds) {
  struct epoll_event events[256];
  int count = epoll_wait(epoll_instance(), events, 256, milliseconds);
  for (int i = 0; i < count; i++) {
    Connection *connection = events[i].data.ptr;
    uint32_t happened = events[i].events;
    if (connection->state == CLOSED) continue;
    if (connection->state == CONNECTING) {
      if (happened & (EPOLLOUT | EPOLLERR | EPOLLHUP)) handle_connected(connection, happened);
      continue;
    }
    if (connection->state == SECURING) {
      go_on_securing(connection);
      continue;
    }
    if (happened & (EPOLLIN | EPOLLHUP | EPOLLERR)) handle_readable(connection);
    if ((happened & EPOLLOUT) && connection->state == OPEN) connection_flush(connection);
  }
}

void open_connections(Connection *connections, int count) {
  enum { AT_A_TIME = 32, MOST_ERRORS = 100 };
  const uint64_t give_up_at = now_ns() + 60000000000ull;
  const uint64_t goal = counters.opened + (uint64_t)count;
  int started = 0;
  while (counters.opened < goal) {
    while (started < count && counters.connecting < AT_A_TIME) {
      connection_start(&connections[started++]);
    }
    poll_once(10);
    if (counters.errors > MOST_ERRORS || counters.bad > 0 || now_ns() > give_up_at) {
      die("cannot open %d connections: %lu opened, %lu errors, %lu bad", count, counters.opened,
          counters.errors, counters.bad);
    }
  }
}
