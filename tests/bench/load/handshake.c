#define _GNU_SOURCE /* memmem */
#include "handshake.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdlib.h>
#include <string.h>

#include "content.h"
#include "md5.h"

enum { LONGEST_RESPONSE = 4096, DIGEST_LENGTH = 16, KEY3_LENGTH = 8 };

/* The nonce of RFC 6455 section 1.3 and what it must be answered with. */
static const char NONCE[] = "dGhlIHNhbXBsZSBub25jZQ==";
static const char ACCEPT[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

static const char BROWSER_HEADERS[] =
    "Pragma: no-cache\r\nCache-Control: no-cache\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/120.0.0.0 Safari/537.36\r\n"
    "Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en-US,en;q=0.9\r\n";

static const char *extensions(void) {
  if (!options.deflate) return "";
  return options.takeover ? "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
                          : "Sec-WebSocket-Extensions: permessage-deflate; "
                            "client_no_context_takeover; server_no_context_takeover\r\n";
}

static const char *more_fields(void) {
  static char *fields;
  if (!fields) {
    char *to = fields = malloc((size_t)options.fields * 40 + 1);
    *to = 0;
    for (int i = 0; i < options.fields; i++) to += sprintf(to, "X-Field-%d: value %d\r\n", i, i);
  }
  return fields;
}

static int put_hybi_request(char *to, size_t room) {
  return snprintf(to, room,
                  "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade\r\n%s"
                  "Upgrade: websocket\r\nOrigin: http://127.0.0.1:%d\r\n"
                  "Sec-WebSocket-Version: 13\r\n%s%sSec-WebSocket-Key: %s\r\n\r\n",
                  options.path, options.port, options.short_request ? "" : BROWSER_HEADERS,
                  options.port, extensions(), more_fields(), NONCE);
}

static void insert(char *text, int *length, int at, char character) {
  memmove(text + at + 1, text + at, (size_t)(*length - at));
  text[at] = character;
  ++*length;
}

/* A key as draft76 section 4.1 steps 16 to 22 makes it: the digits of number * spaces, some noise
   that is neither digit nor space, and the spaces, none of them first or last. */
static uint32_t put_key(char *key) {
  uint32_t spaces = 1 + random_number() % 12;
  uint32_t number = (uint32_t)(((uint64_t)random_number() * (UINT32_MAX / spaces)) >> 32);
  int length = sprintf(key, "%u", number * spaces);
  uint32_t noise = 1 + random_number() % 12;
  while (noise > 0) {
    char character = (char)(0x21 + random_number() % 94);
    if (character >= '0' && character <= '9') continue;
    insert(key, &length, (int)(random_number() % (uint32_t)(length + 1)), character);
    noise--;
  }
  for (uint32_t i = 0; i < spaces; i++) {
    insert(key, &length, 1 + (int)(random_number() % (uint32_t)(length - 1)), ' ');
  }
  key[length] = 0;
  return number;
}

static int put_draft76_request(char *to, size_t room, uint8_t expected_digest[DIGEST_LENGTH]) {
  char key1[64], key2[64];
  uint8_t challenge[16];
  uint32_t number1 = htonl(put_key(key1)), number2 = htonl(put_key(key2));
  memcpy(challenge, &number1, 4);
  memcpy(challenge + 4, &number2, 4);
  for (int i = 8; i < 16; i++) challenge[i] = (uint8_t)random_number();
  md5_of_16(challenge, expected_digest);
  int length = snprintf(to, room,
                        "GET %s HTTP/1.1\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n"
                        "Host: 127.0.0.1:%d\r\nOrigin: http://127.0.0.1:%d\r\n"
                        "%sSec-WebSocket-Key1: %s\r\nSec-WebSocket-Key2: %s\r\n\r\n",
                        options.path, options.port, options.port, more_fields(), key1, key2);
  memcpy(to + length, challenge + 8, KEY3_LENGTH);
  return length + KEY3_LENGTH;
}

static void opened(Connection *connection) {
  connection->state = OPEN;
  counters.connecting--;
  counters.opened++;
  if (hooks.open) hooks.open(connection);
}

void handshake_send(Connection *connection) {
  const size_t room = 2048 + (size_t)options.fields * 40;
  char *request = malloc(room);
  int length = 0;
  switch (connection->format) {
    case FORMAT_HYBI: length = put_hybi_request(request, room); break;
    case FORMAT_DRAFT76:
      length = put_draft76_request(request, room, connection->expected_digest);
      break;
    default: break;
  }
  if (length) connection_send(connection, request, (size_t)length);
  else opened(connection);
  free(request);
}

/* Whether the server has agreed to what was offered: a window, or none, in both directions. */
static bool check_extensions(const char *response, size_t length) {
  if (!options.deflate) return true;
  bool agreed = memmem(response, length, "permessage-deflate", 18);
  bool without = memmem(response, length, "no_context_takeover", 19);
  bool smaller = memmem(response, length, "client_max_window_bits", 22);
  return agreed && without != options.takeover && !smaller;
}

/* The length of a complete response, 0 for an incomplete one, -1 for a wrong one. */
static int check_response(const Connection *connection) {
  const char *response = connection->response;
  size_t length = connection->response_length;
  const char *end = memmem(response, length, "\r\n\r\n", 4);
  if (!end) return length < LONGEST_RESPONSE ? 0 : -1;
  const char *body = end + 4;
  size_t head_length = (size_t)(body - response);
  if (memcmp(response, "HTTP/1.1 101", 12)) return -1;
  if (connection->format == FORMAT_HYBI) {
    bool accepted = memmem(response, head_length, ACCEPT, strlen(ACCEPT));
    return accepted && check_extensions(response, head_length) ? (int)head_length : -1;
  }
  if (length < head_length + DIGEST_LENGTH) return 0;
  if (memcmp(body, connection->expected_digest, DIGEST_LENGTH)) return -1;
  return (int)head_length + DIGEST_LENGTH;
}

size_t handshake_receive(Connection *connection, const uint8_t *bytes, size_t length) {
  if (!connection->response) connection->response = malloc(LONGEST_RESPONSE);
  size_t before = connection->response_length;
  size_t taken = LONGEST_RESPONSE - before < length ? LONGEST_RESPONSE - before : length;
  memcpy(connection->response + before, bytes, taken);
  connection->response_length += taken;

  int response_length = check_response(connection);
  if (response_length == 0) return length;
  if (response_length < 0) {
    if (!counters.bad) fprintf(stderr, "bad handshake: %.60s\n", connection->response);
    counters.bad++;
    connection_close(connection, true);
    return length;
  }
  free(connection->response);
  connection->response = NULL;
  opened(connection);
  return (size_t)response_length - before;
}

void handshake_send_close(Connection *connection) {
  static const uint8_t hybi[] = {0x88, 0x82, 1, 2, 3, 4, 0x03 ^ 1, 0xe8 ^ 2}; /* 1000 */
  static const uint8_t draft76[] = {0xff, 0x00};
  connection->state = CLOSING;
  if (connection->format == FORMAT_HYBI) connection_send(connection, hybi, sizeof hybi);
  else connection_send(connection, draft76, sizeof draft76);
}
