/*
 * wsload: a single-threaded load generator for WebSocket servers (RFC 6455 and draft76) and for
 * servers that echo raw TCP. It compares every byte that comes back, and prints one line of JSON.
 *
 *   cc -O2 -o wsload *.c -lssl -lcrypto -lz && ./wsload echo -p 8080 -n 64 -P 32 --pid 1234
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connection.h"
#include "content.h"
#include "handshake.h"
#include "measurement.h"
#include "options.h"
#include "process.h"

static Connection *connections;
static int connection_count;

static void poll_for(double seconds) {
  uint64_t until = now_ns() + (uint64_t)(seconds * 1e9);
  while (now_ns() < until) poll_once(20);
}

/* ---- echo: a closed loop, each reply is followed by the next message ---- */

static void echo_message(Connection *connection, uint64_t now) {
  count_message();
  count_duration(now - connection_take_sent_at(connection));
}

static void echo_read_done(Connection *connection, int messages, uint64_t now) {
  connection_queue(connection, messages, now);
  connection_flush(connection);
}

static void run_echo(void) {
  hooks = (Hooks){.message = echo_message, .read_done = echo_read_done};
  open_connections(connections, connection_count);
  for (int i = 0; i < connection_count; i++) {
    connection_queue(&connections[i], options.in_flight, now_ns());
    connection_flush(&connections[i]);
  }
  measure(NULL);
}

/* ---- burst: everything is sent before anything is read, so replies queue up in the server ---- */

static struct {
  bool sending;
  size_t unsent;           /* bytes, over all connections, at the last look */
  uint64_t last_progress;
  uint64_t started_at;
  int to_receive;          /* replies still to come */
} burst;

static size_t burst_unsent(void) {
  size_t unsent = 0;
  for (int i = 0; i < connection_count; i++) unsent += connections[i].to_send;
  return unsent;
}

static void burst_start(uint64_t now) {
  burst.sending = true;
  burst.started_at = burst.last_progress = now;
  burst.to_receive = options.in_flight * connection_count;
  for (int i = 0; i < connection_count; i++) {
    connection_set_reading(&connections[i], false);
    connection_queue(&connections[i], options.in_flight, now);
    connection_flush(&connections[i]);
  }
  burst.unsent = burst_unsent();
}

static void burst_message(Connection *connection, uint64_t now) {
  count_message();
  count_duration(now - connection_take_sent_at(connection));
  burst.to_receive--;
}

/* Goes over to reading when all is sent and the server has had time to answer it, or when it takes
   no more because nobody reads what it says. */
static void burst_after_poll(uint64_t now) {
  enum { TIME_TO_ANSWER_NS = 20000000 };
  if (burst.sending) {
    size_t unsent = burst_unsent();
    if (unsent != burst.unsent) burst.last_progress = now;
    burst.unsent = unsent;
    if (now < burst.last_progress + TIME_TO_ANSWER_NS) return;
    size_t frame_length = content_block(options.format)->frame_lengths[0];
    size_t all = (size_t)options.in_flight * (size_t)connection_count;
    measurement.queued += all - unsent / frame_length;
    measurement.rounds++;
    burst.sending = false;
    for (int i = 0; i < connection_count; i++) connection_set_reading(&connections[i], true);
  } else if (burst.to_receive == 0) {
    burst_start(now);
  }
}

static void run_burst(void) {
  hooks = (Hooks){.message = burst_message};
  open_connections(connections, connection_count);
  burst_start(now_ns());
  measure(burst_after_poll);
}

/* ---- fanout: the last connection sends, each other one must receive ---- */

static int fanout_received;

static Connection *fanout_sender(void) {
  return &connections[connection_count - 1];
}

static void fanout_message(Connection *connection, uint64_t now) {
  (void)now;
  if (connection->is_sender) return;
  fanout_received++;
  count_message();
}

static void fanout_after_poll(uint64_t now) {
  while (fanout_received >= options.connections) {
    fanout_received -= options.connections;
    count_duration(now - connection_take_sent_at(fanout_sender()));
    measurement.rounds++;
    connection_queue(fanout_sender(), 1, now);
    connection_flush(fanout_sender());
  }
}

static void run_fanout(void) {
  hooks = (Hooks){.message = fanout_message};
  fanout_sender()->is_sender = true;
  open_connections(connections, connection_count);
  poll_for(.2); /* the last handshakes are answered before the server has made them members */
  connection_queue(fanout_sender(), options.in_flight, now_ns());
  connection_flush(fanout_sender());
  measure(fanout_after_poll);
}

/* ---- handshake: connect, open, close, again ---- */

static void handshake_open(Connection *connection) {
  if (connection->format == FORMAT_RAW) {
    connection_send(connection, content_payload(FORMAT_RAW, 0), content_length(FORMAT_RAW));
    return;
  }
  count_message();
  count_duration(now_ns() - connection->started_at);
  if (options.reset) connection_close(connection, false);
  else handshake_send_close(connection);
}

static void handshake_message(Connection *connection, uint64_t now) {
  if (connection->format != FORMAT_RAW) return;
  count_message();
  count_duration(now - connection->started_at);
  connection_close(connection, false);
}

static void handshake_closed(Connection *connection) {
  if (!counters.stopping) connection_start(connection);
}

static void run_handshake(void) {
  hooks = (Hooks){
      .open = handshake_open, .message = handshake_message, .closed = handshake_closed};
  for (int i = 0; i < connection_count; i++) connection_start(&connections[i]);
  measure(NULL);
}

/* ---- idle: what an open connection costs in memory ---- */

static void ignore_message(Connection *connection, uint64_t now) {
  (void)connection, (void)now;
}

static int exchanged;

static void exchange_message(Connection *connection, uint64_t now) {
  (void)now;
  connection_take_sent_at(connection);
  exchanged++;
}

/* Compressed messages fill the windows. */
static void exchange(Connection *first, int count) {
  if (!options.deflate) return;
  hooks.message = exchange_message;
  uint64_t give_up_at = now_ns() + 60000000000ull;
  exchanged = 0;
  for (int i = 0; i < count; i++) {
    connection_queue(&first[i], options.in_flight, now_ns());
    connection_flush(&first[i]);
  }
  while (exchanged < count * options.in_flight && !counters.closed && now_ns() < give_up_at) poll_once(20);
  if (exchanged < count * options.in_flight) counters.errors++;
}

static double bytes_each(long kib_after, long kib_before, int count) {
  return (double)(kib_after - kib_before) * 1024 / count;
}

static void run_idle(void) {
  /* The first connections warm the server up; they are not counted. */
  const int first = options.connections > 100 ? 100 : 0;
  const int counted = options.connections - first;
  hooks = (Hooks){.message = ignore_message};
  open_connections(connections, first);
  exchange(connections, first);
  poll_for(.7);
  long rss_before = process_memory_kib(options.pid, "VmRSS:");
  long anonymous_before = process_memory_kib(options.pid, "RssAnon:");
  uint64_t started_at = now_ns();
  open_connections(connections + first, counted);
  exchange(connections + first, counted);
  double open_seconds = (double)(now_ns() - started_at) / 1e9;
  long rss_open = process_memory_kib(options.pid, "VmRSS:");
  poll_for(options.seconds);
  long rss = process_memory_kib(options.pid, "VmRSS:");
  long anonymous = process_memory_kib(options.pid, "RssAnon:");
  counters.stopping = true;
  printf("{\"mode\":\"idle\",\"label\":\"%s\",\"proto\":\"%s\",\"conns\":%d,\"rss0_kb\":%ld,"
         "\"rss_kb\":%ld,\"bytes_per_conn\":%.0f,\"anon_bytes_per_conn\":%.0f,"
         "\"bytes_per_conn_at_open\":%.0f,\"open_s\":%.2f,\"errors\":%lu,\"bad\":%lu,"
         "\"lost\":%lu}\n",
         options.label, format_name(), options.connections, rss_before, rss,
         bytes_each(rss, rss_before, counted), bytes_each(anonymous, anonymous_before, counted),
         bytes_each(rss_open, rss_before, counted), open_seconds, counters.errors, counters.bad,
         counters.closed);
}

/* ---- */

static void make_connections(void) {
  connection_count = options.connections + (options.mode == MODE_FANOUT ? 1 : 0);
  connections = calloc((size_t)connection_count, sizeof *connections);
  for (int i = 0; i < connection_count; i++) {
    Connection *connection = &connections[i];
    connection->fd = -1;
    connection->format = options.mixed && i % 2 == 0 ? FORMAT_DRAFT76 : options.format;
    if ((options.mode == MODE_IDLE && !options.deflate) || options.mode == MODE_HANDSHAKE) continue;
    connection->sent_at = calloc((size_t)options.in_flight, sizeof *connection->sent_at);
  }
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  parse_options(argc, argv);
  if (options.mode == MODE_HANDSHAKE && options.format == FORMAT_RAW) options.size = 500;
  content_prepare();
  make_connections();
  switch (options.mode) {
    case MODE_ECHO: case MODE_REPLY: run_echo(); break;
    case MODE_BURST: run_burst(); break;
    case MODE_FANOUT: run_fanout(); break;
    case MODE_HANDSHAKE: run_handshake(); break;
    case MODE_IDLE: run_idle(); break;
  }
  if (options.mode != MODE_IDLE) print_measurement();
  fflush(stdout);
  bool lost = options.mode != MODE_HANDSHAKE && counters.closed > 0;
  /* No tidying up: closing 10,000 sockets is the kernel's work. */
  _exit(counters.errors || counters.bad || lost ? 1 : 0);
}
