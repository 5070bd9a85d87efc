/* Compressed messages (RFC 7692), with or without the window of earlier messages. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Compresses the next message of a row. Returns its size; the bytes are valid until the next call. */
size_t deflate_message(const uint8_t *message, size_t length, const uint8_t **deflated);

/* What a connection has received of a compressed message, and its window. */
typedef struct Inflater Inflater;

Inflater *inflater_new(void);
void inflater_free(Inflater *inflater);

/* Adds a part of a message. */
void inflater_add(Inflater *inflater, const uint8_t *bytes, size_t length);

/* Ends the message. Returns whether it is exactly these bytes. */
bool inflater_end(Inflater *inflater, const uint8_t *expected, size_t length);
