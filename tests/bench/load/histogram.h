/* A log-linear histogram of durations: 64 buckets for each power of two, so within 1.6 %. */
#pragma once
#include <stdint.h>

void histogram_reset(void);
void histogram_add(uint64_t nanoseconds);

/* The given share (0 to 1) of the durations was not longer than this many microseconds. */
double histogram_percentile(double share);

/* The longest duration, in microseconds. */
double histogram_maximum(void);
