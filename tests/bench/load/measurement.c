#include "measurement.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "connection.h"
#include "content.h"
#include "histogram.h"
#include "options.h"
#include "process.h"

enum { MOST_ERRORS = 100 };

/* A server without a message for so long is taken for hung. */
static const uint64_t SILENCE_NS = 5000000000;

typedef struct {
  uint64_t at;
  double server_cpu, server_waiting, client_cpu, client_waiting;
} Snapshot;

Measurement measurement;
static Snapshot before, after;

static double own_cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static Snapshot take_snapshot(void) {
  Snapshot snapshot = {.at = now_ns(),
                       .client_cpu = own_cpu_seconds(),
                       .client_waiting = process_waiting_seconds(getpid())};
  if (options.pid) {
    snapshot.server_cpu = process_cpu_seconds(options.pid);
    snapshot.server_waiting = process_waiting_seconds(options.pid);
  }
  return snapshot;
}

void count_message(void) {
  measurement.messages++;
}

void count_duration(uint64_t nanoseconds) {
  histogram_add(nanoseconds);
}

static void start(void) {
  measurement = (Measurement){.running = true};
  histogram_reset();
  before = take_snapshot();
}

/* Just-in-time compilers count calls, not seconds: a slow start is given up to three times as long. */
static bool is_warm(uint64_t since, uint64_t now) {
  enum { WARM_AFTER_MESSAGES = 30000 };
  double seconds = (double)(now - since) / 1e9;
  if (seconds < options.warm_up) return false;
  return measurement.messages >= WARM_AFTER_MESSAGES || seconds >= 3 * options.warm_up;
}

void measure(void (*after_poll)(uint64_t now)) {
  const uint64_t began_at = now_ns();
  uint64_t ends_at = UINT64_MAX;
  uint64_t last_count = 0, last_progress = began_at;
  for (;;) {
    poll_once(20);
    uint64_t now = now_ns();
    if (!measurement.running && is_warm(began_at, now)) {
      start();
      ends_at = now + (uint64_t)(options.seconds * 1e9);
    }
    if (after_poll) after_poll(now);
    if (counters.closed && options.mode != MODE_HANDSHAKE) break;
    if (counters.errors > MOST_ERRORS) break;
    if (measurement.messages != last_count) {
      last_count = measurement.messages;
      last_progress = now;
    } else if (now > last_progress + SILENCE_NS) {
      counters.errors++;
      break;
    }
    if (now >= ends_at) break;
  }
  if (!measurement.running) start();
  if (!measurement.messages) counters.errors++;
  after = take_snapshot();
  counters.stopping = true;
}

static void print_server_use(double seconds) {
  double cpu = after.server_cpu - before.server_cpu;
  double waiting = after.server_waiting - before.server_waiting;
  double messages = (double)measurement.messages;
  printf("\"srv_cpu_pct\":%.0f,\"srv_us_per_msg\":%.4f,\"srv_wait_pct\":%.0f,\"rss_kb\":%ld,",
         cpu / seconds * 100, messages > 0 ? cpu * 1e6 / messages : 0, waiting / seconds * 100,
         process_memory_kib(options.pid, "VmRSS:"));
}

void print_measurement(void) {
  double seconds = (double)(after.at - before.at) / 1e9;
  double messages = (double)measurement.messages;
  printf("{\"mode\":\"%s\",\"label\":\"%s\",\"proto\":\"%s\",\"conns\":%d,\"inflight\":%d,"
         "\"size\":%zu,\"type\":\"%s\",\"secs\":%.2f,",
         options.mode_name, options.label, format_name(), options.connections, options.in_flight,
         options.size, options.binary ? "binary" : "text", seconds);
  printf("\"msgs\":%lu,\"msgs_s\":%.0f,\"MB_s\":%.1f,", measurement.messages,
         messages / seconds, messages * (double)content_length(options.format) / seconds / 1e6);
  printf("\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.0f,",
         histogram_percentile(.5), histogram_percentile(.99), histogram_percentile(.999),
         histogram_maximum());
  if (measurement.deflated_bytes) {
    printf("\"deflated\":%.1f,", (double)measurement.deflated_bytes / messages);
  }
  if (measurement.rounds) printf("\"rounds\":%lu,", measurement.rounds);
  if (measurement.queued) {
    printf("\"queued\":%.0f,", (double)measurement.queued / (double)measurement.rounds);
  }
  if (options.pid) print_server_use(seconds);
  printf("\"cli_cpu_pct\":%.0f,\"cli_wait_pct\":%.0f,\"errors\":%lu,\"bad\":%lu,\"lost\":%lu}\n",
         (after.client_cpu - before.client_cpu) / seconds * 100,
         (after.client_waiting - before.client_waiting) / seconds * 100, counters.errors,
         counters.bad, options.mode == MODE_HANDSHAKE ? 0 : counters.closed);
}
