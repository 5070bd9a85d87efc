/* Parses what the server sends, and compares all of it with what it must be. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "connection.h"

/* Returns the number of messages that these bytes completed. */
int receive(Connection *connection, const uint8_t *bytes, size_t length, uint64_t now);
