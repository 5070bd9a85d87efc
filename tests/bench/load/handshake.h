/* The client's side of the opening and closing handshakes. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "connection.h"

/* Sends the request; a raw connection is open at once. */
void handshake_send(Connection *connection);

/* Takes bytes of the response, and opens the connection when it is complete and right. Returns how
   many bytes belonged to it. */
size_t handshake_receive(Connection *connection, const uint8_t *bytes, size_t length);

/* Starts the closing handshake. */
void handshake_send_close(Connection *connection);
