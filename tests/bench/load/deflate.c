#include "deflate.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "options.h"

/* The end of every message, which is not sent (RFC 7692 section 7.2.1). */
static uint8_t TAIL[] = {0x00, 0x00, 0xff, 0xff};

size_t deflate_message(const uint8_t *message, size_t length, const uint8_t **deflated) {
  static z_stream stream;
  static uint8_t *output;
  size_t room = length + length / 8 + 64;
  if (!output) {
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY)) {
      die("cannot start zlib");
    }
  } else if (!options.takeover) deflateReset(&stream);
  output = realloc(output, room);
  stream.next_in = (Bytef *)message;
  stream.avail_in = (uInt)length;
  stream.next_out = output;
  stream.avail_out = (uInt)room;
  if (deflate(&stream, Z_SYNC_FLUSH) != Z_OK || !stream.avail_out) die("cannot compress");
  *deflated = output;
  return room - stream.avail_out - sizeof TAIL;
}

struct Inflater {
  z_stream stream;
  uint8_t *bytes;
  size_t length, room;
};

Inflater *inflater_new(void) {
  Inflater *inflater = calloc(1, sizeof *inflater);
  if (inflateInit2(&inflater->stream, -15)) die("cannot start zlib");
  return inflater;
}

void inflater_free(Inflater *inflater) {
  inflateEnd(&inflater->stream);
  free(inflater->bytes);
  free(inflater);
}

void inflater_add(Inflater *inflater, const uint8_t *bytes, size_t length) {
  if (inflater->length + length > inflater->room) {
    inflater->room = 2 * (inflater->length + length);
    inflater->bytes = realloc(inflater->bytes, inflater->room);
  }
  memcpy(inflater->bytes + inflater->length, bytes, length);
  inflater->length += length;
}

/* Returns whether all of it was valid. */
static bool inflate_all(z_stream *stream, uint8_t *bytes, size_t length) {
  stream->next_in = bytes;
  stream->avail_in = (uInt)length;
  int result = inflate(stream, Z_SYNC_FLUSH);
  return (result == Z_OK || result == Z_BUF_ERROR) && !stream->avail_in;
}

bool inflater_end(Inflater *inflater, const uint8_t *expected, size_t length) {
  static uint8_t *output;
  static size_t room;
  if (room < length + 1) output = realloc(output, room = length + 1);
  z_stream *stream = &inflater->stream;
  if (!options.takeover) inflateReset(stream);
  stream->next_out = output;
  stream->avail_out = (uInt)(length + 1);
  bool valid = inflate_all(stream, inflater->bytes, inflater->length) &&
               inflate_all(stream, TAIL, sizeof TAIL);
  inflater->length = 0;
  return valid && stream->avail_out == 1 && !memcmp(output, expected, length);
}
