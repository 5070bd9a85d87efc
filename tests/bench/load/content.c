#include "content.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deflate.h"

/* A row of compressed messages is longer than a window, so that the second time is like all later ones. */
enum { LARGEST_ROW = 512 * 1024, DEFLATED_ROW = 64 * 1024 };

int content_count;
static uint8_t *payloads, *replies;
static Block blocks[FORMATS];

uint32_t random_number(void) {
  static uint64_t state = 88172645463325252ull;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)(state >> 16);
}

static size_t hybi_header_length(size_t size) {
  return 2 + (size < 126 ? 0 : size < 65536 ? 2 : 8) + 4;
}

static size_t frame_length(Format format) {
  /* A raw message is as long as a frame, so that the floor moves the same bytes. */
  if (format == FORMAT_DRAFT76) return options.size + 2;
  return options.size + hybi_header_length(options.size);
}

static void fill_binary(uint8_t *to, size_t length) {
  for (size_t i = 0; i < length; i++) to[i] = (uint8_t)(i * 7 + 13 + (i >> 8));
}

static void fill_text(uint8_t *to, size_t length) {
  static const char ascii[] = "{\"id\":12345,\"type\":\"message\",\"body\":\"The quick brown fox\"},";
  static const char any[] =
      "h\xc3\xa9llo w\xc3\xb6rld \xe2\x98\x83 \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80 ";
  const char *pattern = options.utf8 ? any : ascii;
  size_t pattern_length = strlen(pattern);
  size_t at = 0;
  for (; at + pattern_length <= length; at += pattern_length) memcpy(to + at, pattern, pattern_length);
  /* A pattern cut short could end within a character. */
  memset(to + at, 'x', length - at);
}

/* Messages that differ as those of a chat do. */
static void fill_json(uint8_t *to, size_t length) {
  static const char *const words[] = {"the", "quick", "brown", "fox", "jumps", "over", "lazy", "dogs",
                                      "while", "seven", "wizards", "watch", "quietly", "from", "afar", "again"};
  size_t at = 0;
  while (at < length) {
    char record[512];
    int size = sprintf(record, "{\"id\":%u,\"type\":\"message\",\"from\":\"user-%u\",\"body\":\"",
                       random_number(), random_number() % 1000);
    for (int i = 0; i < 12; i++) {
      size += sprintf(record + size, "%s ", words[random_number() % (sizeof words / sizeof *words)]);
    }
    size += sprintf(record + size, "%u\",\"read\":%s},", random_number() % 100000,
                    random_number() % 2 ? "true" : "false");
    size_t part = length - at < (size_t)size ? length - at : (size_t)size;
    memcpy(to + at, record, part);
    at += part;
  }
}

static uint8_t *put_hybi_frame(uint8_t *to, uint8_t first_byte, const uint8_t *payload, size_t length) {
  *to++ = first_byte;
  int length_bytes = length < 126 ? 0 : length < 65536 ? 2 : 8;
  *to++ = (uint8_t)(0x80 | (length_bytes == 0 ? length : length_bytes == 2 ? 126 : 127));
  for (int i = length_bytes - 1; i >= 0; i--) *to++ = (uint8_t)((uint64_t)length >> (8 * i));
  uint8_t masking_key[4];
  for (int i = 0; i < 4; i++) *to++ = masking_key[i] = (uint8_t)(1 + random_number() % 255);
  for (size_t i = 0; i < length; i++) *to++ = payload[i] ^ masking_key[i & 3];
  return to;
}

/* Divides a message into fragments. */
static uint8_t *put_hybi_message(uint8_t *to, const uint8_t *payload, size_t length) {
  int count = options.fragments;
  size_t at = 0;
  for (int i = 0; i < count; i++) {
    size_t part = (length - at) / (size_t)(count - i);
    int opcode = i > 0 ? 0 : options.binary ? 2 : 1;
    int bits = (i == count - 1 ? 0x80 : 0) | (options.deflate && i == 0 ? 0x40 : 0);
    to = put_hybi_frame(to, (uint8_t)(bits | opcode), payload + at, part);
    at += part;
  }
  return to;
}

static uint8_t *put_draft76_frame(uint8_t *to, const uint8_t *payload, size_t length) {
  *to++ = 0x00;
  memcpy(to, payload, length);
  to[length] = 0xff;
  return to + length + 1;
}

static uint8_t *put_message(uint8_t *to, Format format, const uint8_t *payload) {
  if (format == FORMAT_DRAFT76) return put_draft76_frame(to, payload, options.size);
  if (format == FORMAT_HYBI && options.deflate) {
    const uint8_t *deflated;
    size_t length = deflate_message(payload, options.size, &deflated);
    return put_hybi_message(to, deflated, length);
  }
  if (format == FORMAT_HYBI) return put_hybi_message(to, payload, options.size);
  memcpy(to, payload, content_length(FORMAT_RAW));
  return to + content_length(FORMAT_RAW);
}

static void prepare_block(Format format) {
  Block *block = &blocks[format];
  block->again = options.takeover ? (uint32_t)content_count : 0;
  block->count = block->again + (uint32_t)content_count;
  block->frame_lengths = malloc(block->count * sizeof *block->frame_lengths);
  /* Compressed, a message may be longer by a few bytes. */
  uint8_t *to = block->bytes = malloc((frame_length(format) + 64 + 14 * (size_t)options.fragments) * block->count);
  for (uint32_t i = 0; i < block->count; i++) {
    if (i == block->again) block->again_at = (size_t)(to - block->bytes);
    uint8_t *end = put_message(to, format, content_payload(format, i % (uint32_t)content_count));
    block->frame_lengths[i] = (size_t)(end - to);
    to = end;
  }
  block->length = (size_t)(to - block->bytes);
}

void content_prepare(void) {
  size_t count = LARGEST_ROW / frame_length(FORMAT_HYBI);
  if (options.deflate) count = 1 + DEFLATED_ROW / options.size;
  else if (count > (size_t)options.in_flight) count = (size_t)options.in_flight;
  content_count = count < 1 ? 1 : (int)count;

  size_t length = content_length(options.format);
  payloads = malloc(length * (size_t)content_count);
  for (int i = 0; i < content_count; i++) {
    uint8_t *payload = payloads + (size_t)i * length;
    if (options.deflate) fill_json(payload, length);
    else if (options.binary || options.format == FORMAT_RAW) fill_binary(payload, length);
    else fill_text(payload, length);
    payload[0] = (uint8_t)('A' + i % 26); /* every pattern starts with one ASCII byte */
  }
  replies = payloads;
  if (options.mode == MODE_REPLY && options.format != FORMAT_RAW) {
    replies = malloc(length * (size_t)content_count);
    memcpy(replies, payloads, length * (size_t)content_count);
    for (int i = 0; i < content_count; i++) replies[(size_t)i * length] |= 0x20;
  }
  prepare_block(options.format);
  if (options.mixed) prepare_block(FORMAT_DRAFT76);
}

const Block *content_block(Format format) {
  return &blocks[format];
}

size_t content_length(Format format) {
  return format == FORMAT_RAW ? frame_length(FORMAT_RAW) : options.size;
}

const uint8_t *content_payload(Format format, uint32_t index) {
  return payloads + (size_t)index * content_length(format);
}

const uint8_t *content_reply(Format format, uint32_t index) {
  return replies + (size_t)index * content_length(format);
}
