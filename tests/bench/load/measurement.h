/* The measured time: what is counted in it, and the line of JSON that says so. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

typedef struct {
  bool running;            /* the warm-up is over */
  uint64_t messages;
  uint64_t rounds;         /* fanout and burst: messages sent to all, bursts */
  uint64_t deflated_bytes; /* of compressed messages, without their frames */
  uint64_t queued;         /* burst: messages sent before the first reply was read, summed up */
} Measurement;

extern Measurement measurement;

/* Counts one message or one handshake. What comes before the measured time is forgotten. */
void count_message(void);

/* Enters a duration into the percentiles. */
void count_duration(uint64_t nanoseconds);

/* Handles events until the measured time is over, calling a function after each poll. Stops early,
   with an error counted, if the server closes a connection or goes silent. Without a single message
   there is an error too. */
void measure(void (*after_poll)(uint64_t now));

/* Prints the result. */
void print_measurement(void);
