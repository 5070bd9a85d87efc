/* What is sent, and what must therefore come back. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "options.h"

/* A row of framed messages that each connection sends again and again. */
typedef struct {
  uint8_t *bytes;
  size_t length;          /* of the whole row */
  uint32_t count;         /* of the messages */
  size_t *frame_lengths;  /* of each message with its framing */
  /* From where the row is sent again. With a window that messages share, this is the second half: the
     same messages, compressed after themselves. */
  uint32_t again;
  size_t again_at;
} Block;

/* The messages differ in their first byte, so that replies out of order are found out. */
extern int content_count;

void content_prepare(void);
const Block *content_block(Format format);

/* How many bytes of payload a message has. */
size_t content_length(Format format);

/* The payload of the message at a place in the row (0 to content_count - 1). */
const uint8_t *content_payload(Format format, uint32_t index);

/* What must come back for it: the same, or for MODE_REPLY the same with its first byte in lower case.
   So no server can send back the bytes that it has received. */
const uint8_t *content_reply(Format format, uint32_t index);

/* xorshift64: fast, and the same in every run. */
uint32_t random_number(void);
