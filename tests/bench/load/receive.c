#include "receive.h"

#include <string.h>

#include "content.h"
#include "measurement.h"

/* False once the connection is closed, or closed and connecting again. */
static bool is_receiving(const Connection *connection) {
  return connection->state == OPEN || connection->state == CLOSING;
}

/* Compares a part of a message with what must come. */
static void check_payload(Connection *connection, const uint8_t *bytes, size_t length) {
  if (connection->compressed) {
    connection->message_length += length;
    inflater_add(connection->inflater, bytes, length);
    return;
  }
  uint64_t offset = connection->message_length;
  const uint8_t *expected = content_reply(connection->format, connection->sequence) + offset;
  bool fits = offset + length <= content_length(connection->format);
  if (!fits || memcmp(bytes, expected, length)) counters.bad++;
  connection->message_length += length;
}

static void end_message(Connection *connection, uint64_t now) {
  const size_t length = content_length(connection->format);
  if (connection->compressed) {
    const uint8_t *expected = content_reply(connection->format, connection->sequence);
    measurement.deflated_bytes += connection->message_length;
    if (!inflater_end(connection->inflater, expected, length)) counters.bad++;
  } else if (connection->message_length != length) counters.bad++;
  connection->message_length = 0;
  if (++connection->sequence == (uint32_t)content_count) connection->sequence = 0;
  hooks.message(connection, now);
}

static size_t hybi_header_length(const Connection *connection) {
  if (connection->header_length < 2) return 2;
  int length = connection->header[1] & 0x7f;
  return length == 126 ? 4 : length == 127 ? 10 : 2;
}

static uint64_t hybi_payload_length(const uint8_t *header) {
  int length_bytes = header[1] == 126 ? 2 : header[1] == 127 ? 8 : 0;
  if (!length_bytes) return header[1];
  uint64_t length = 0;
  for (int i = 0; i < length_bytes; i++) length = length << 8 | header[2 + i];
  return length;
}

static void start_hybi_frame(Connection *connection) {
  const uint8_t *header = connection->header;
  connection->opcode = header[0] & 0x0f;
  connection->final = header[0] & 0x80;
  connection->remaining = hybi_payload_length(header);
  connection->in_payload = true;
  connection->header_length = 0;

  bool masked = header[1] & 0x80, reserved_bits = header[0] & (options.deflate ? 0x30 : 0x70);
  bool is_control = connection->opcode >= 8;
  bool continues = connection->message_length > 0;
  if (!is_control && !continues) {
    connection->compressed = header[0] & 0x40;
    if (connection->compressed && !connection->inflater) connection->inflater = inflater_new();
  }
  bool right_opcode = connection->opcode == (continues ? 0 : options.binary ? 2 : 1);
  if (masked || reserved_bits || (!is_control && !right_opcode)) counters.bad++;
}

/* Returns whether the frame completed a message. */
static bool end_hybi_frame(Connection *connection, uint64_t now) {
  static const uint8_t pong[] = {0x8a, 0x80, 1, 2, 3, 4};
  connection->in_payload = false;
  if (connection->opcode == 8) {
    connection_close(connection, connection->state != CLOSING);
  } else if (connection->opcode == 9 && !connection->to_send) {
    connection_send(connection, pong, sizeof pong);
  } else if (connection->opcode < 8 && connection->final) {
    end_message(connection, now);
    return true;
  }
  return false;
}

static int receive_hybi(Connection *connection, const uint8_t *bytes, size_t length, uint64_t now) {
  int messages = 0;
  while (length && is_receiving(connection)) {
    if (!connection->in_payload) {
      connection->header[connection->header_length++] = *bytes++;
      length--;
      if (connection->header_length < hybi_header_length(connection)) continue;
      start_hybi_frame(connection);
    }
    size_t part = connection->remaining < length ? (size_t)connection->remaining : length;
    if (connection->opcode < 8) check_payload(connection, bytes, part);
    bytes += part;
    length -= part;
    connection->remaining -= part;
    if (!connection->remaining) messages += end_hybi_frame(connection, now);
  }
  return messages;
}

/* Before a message: its first byte, or the closing handshake's FF 00. */
static void start_draft76_frame(Connection *connection, uint8_t byte) {
  if (connection->header_length) connection_close(connection, connection->state != CLOSING);
  else if (byte == 0xff) connection->header_length = 1;
  else if (byte == 0x00) connection->in_payload = true;
  else counters.bad++;
}

static int receive_draft76(Connection *connection, const uint8_t *bytes, size_t length,
                           uint64_t now) {
  int messages = 0;
  const uint8_t *end = bytes + length;
  while (bytes < end && is_receiving(connection)) {
    if (!connection->in_payload) {
      start_draft76_frame(connection, *bytes++);
      continue;
    }
    const uint8_t *terminator = memchr(bytes, 0xff, (size_t)(end - bytes));
    check_payload(connection, bytes, (size_t)((terminator ? terminator : end) - bytes));
    if (!terminator) break;
    bytes = terminator + 1;
    connection->in_payload = false;
    end_message(connection, now);
    messages++;
  }
  return messages;
}

static int receive_raw(Connection *connection, const uint8_t *bytes, size_t length, uint64_t now) {
  int messages = 0;
  const size_t message_length = content_length(FORMAT_RAW);
  while (length && is_receiving(connection)) {
    size_t part = message_length - (size_t)connection->message_length;
    if (part > length) part = length;
    check_payload(connection, bytes, part);
    bytes += part;
    length -= part;
    if (connection->message_length < message_length) continue;
    end_message(connection, now);
    messages++;
  }
  return messages;
}

int receive(Connection *connection, const uint8_t *bytes, size_t length, uint64_t now) {
  switch (connection->format) {
    case FORMAT_HYBI: return receive_hybi(connection, bytes, length, now);
    case FORMAT_DRAFT76: return receive_draft76(connection, bytes, length, now);
    default: return receive_raw(connection, bytes, length, now);
  }
}
