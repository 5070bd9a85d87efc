#include "histogram.h"

#include <string.h>

enum { SUB_BUCKETS = 64, SUB_BUCKET_BITS = 6 };

static uint64_t counts[64 * SUB_BUCKETS];
static uint64_t total;
static uint64_t maximum;

static int bucket_of(uint64_t value) {
  if (value < SUB_BUCKETS) return (int)value;
  int exponent = 63 - __builtin_clzll(value);
  int sub_bucket = (int)(value >> (exponent - SUB_BUCKET_BITS)) & (SUB_BUCKETS - 1);
  return (exponent - SUB_BUCKET_BITS + 1) * SUB_BUCKETS + sub_bucket;
}

static uint64_t lower_bound_of(int bucket) {
  if (bucket < SUB_BUCKETS) return (uint64_t)bucket;
  int shift = bucket / SUB_BUCKETS - 1;
  return (uint64_t)(SUB_BUCKETS + bucket % SUB_BUCKETS) << shift;
}

void histogram_reset(void) {
  memset(counts, 0, sizeof counts);
  total = 0;
  maximum = 0;
}

void histogram_add(uint64_t nanoseconds) {
  counts[bucket_of(nanoseconds)]++;
  total++;
  if (nanoseconds > maximum) maximum = nanoseconds;
}

double histogram_percentile(double share) {
  uint64_t rank = (uint64_t)((double)total * share);
  uint64_t seen = 0;
  for (int bucket = 0; bucket < 64 * SUB_BUCKETS; bucket++) {
    seen += counts[bucket];
    if (seen > rank) return (double)lower_bound_of(bucket) / 1000;
  }
  return histogram_maximum();
}

double histogram_maximum(void) {
  return (double)maximum / 1000;
}
