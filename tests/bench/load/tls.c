#include "tls.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "options.h"

/* The certificate is not checked: it costs the server nothing. */
static SSL_CTX *context(void) {
  static SSL_CTX *shared;
  if (!shared) {
    shared = SSL_CTX_new(TLS_client_method());
    if (!shared) die("cannot start OpenSSL");
    SSL_CTX_set_mode(shared, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                 SSL_MODE_RELEASE_BUFFERS);
  }
  return shared;
}

Tls *tls_start(int fd) {
  SSL *tls = SSL_new(context());
  SSL_set_fd(tls, fd);
  SSL_set_connect_state(tls);
  return tls;
}

void tls_free(Tls *tls) {
  SSL_free(tls);
}

int tls_handshake(Tls *tls) {
  ERR_clear_error();
  int result = SSL_do_handshake(tls);
  if (result == 1) return 1;
  int error = SSL_get_error(tls, result);
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

bool tls_wants_write(const Tls *tls) {
  return SSL_want_write(tls);
}

static ssize_t outcome(Tls *tls, int result) {
  if (result > 0) return result;
  switch (SSL_get_error(tls, result)) {
    case SSL_ERROR_ZERO_RETURN: return 0;
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: errno = EAGAIN; return -1;
    default: errno = ECONNRESET; return -1;
  }
}

ssize_t tls_send(Tls *tls, const void *bytes, size_t length) {
  ERR_clear_error();
  return outcome(tls, SSL_write(tls, bytes, length > INT_MAX ? INT_MAX : (int)length));
}

ssize_t tls_receive(Tls *tls, void *bytes, size_t room) {
  ERR_clear_error();
  return outcome(tls, SSL_read(tls, bytes, room > INT_MAX ? INT_MAX : (int)room));
}
