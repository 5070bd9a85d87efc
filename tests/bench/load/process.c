#define _POSIX_C_SOURCE 200809L /* clock_getcpuclockid */
#include "process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double process_cpu_seconds(int pid) {
  clockid_t clock;
  struct timespec time;
  if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &time)) return 0;
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

double process_waiting_seconds(int pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/schedstat", pid);
  FILE *file = fopen(path, "r");
  if (!file) return 0;
  unsigned long running = 0, waiting = 0;
  if (fscanf(file, "%lu %lu", &running, &waiting) != 2) waiting = 0;
  fclose(file);
  return (double)waiting / 1e9;
}

long process_memory_kib(int pid, const char *key) {
  char path[64], line[256];
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  FILE *file = fopen(path, "r");
  if (!file) return -1;
  long kib = -1;
  while (fgets(line, sizeof line, file)) {
    if (!strncmp(line, key, strlen(key))) {
      kib = atol(line + strlen(key));
      break;
    }
  }
  fclose(file);
  return kib;
}
