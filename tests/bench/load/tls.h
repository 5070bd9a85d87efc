/* TLS over a non-blocking socket. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct ssl_st Tls;

/* Starts a client over a connected socket. */
Tls *tls_start(int fd);

void tls_free(Tls *tls);

/* Goes on with the handshake. Returns 1 if it is complete, 0 if it waits, -1 if it failed. */
int tls_handshake(Tls *tls);

/* Whether the handshake waits until the socket takes bytes, not until some arrive. */
bool tls_wants_write(const Tls *tls);

/* As send and recv: -1 with errno EAGAIN if nothing can be done now. */
ssize_t tls_send(Tls *tls, const void *bytes, size_t length);
ssize_t tls_receive(Tls *tls, void *bytes, size_t room);
