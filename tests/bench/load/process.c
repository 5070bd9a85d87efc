#include "process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

double process_cpu_seconds(int pid) {
  char path[64], line[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  FILE *file = fopen(path, "r");
  if (!file) return 0;
  size_t length = fread(line, 1, sizeof line - 1, file);
  fclose(file);
  line[length] = 0;

  /* The name in parentheses may hold anything; the numbers start after the last one. */
  char *after_name = strrchr(line, ')');
  if (!after_name) return 0;
  unsigned long user = 0, system = 0;
  sscanf(after_name + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
  return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
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
