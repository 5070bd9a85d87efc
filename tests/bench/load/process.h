/* What the kernel says about a process: CPU time, time spent waiting for a CPU, memory. */
#pragma once

/* Seconds of CPU time of all threads of a process; 0 if it is gone. */
double process_cpu_seconds(int pid);

/* Seconds for which a process's main thread was ready to run and did not get the CPU. A share of
   more than a few percent says that something else ran on the same core. */
double process_waiting_seconds(int pid);

/* A line of /proc/PID/status such as "VmRSS:", in KiB; -1 if it cannot be read. */
long process_memory_kib(int pid, const char *key);
