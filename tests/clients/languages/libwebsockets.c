/* A client with libwebsockets, without its compression: version 4.1.6 fails its own assertion ("want to
 * trim out length 0"), with any server. It does not tell with which code the server answers its close
 * frame. See clients.ts for the arguments and the output. */
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST 102400

struct message {
  enum lws_write_protocol type;
  size_t size;
  unsigned char *bytes; /* after LWS_PRE bytes for libwebsockets */
};

static struct message messages[7];
static unsigned char received[LARGEST];

/* One connection. */
struct talk {
  int leaves, next, sent, echoes, ended;
  size_t received;
};

static struct message make(enum lws_write_protocol type, const char *bytes, size_t size) {
  struct message made = {type, size, (unsigned char *)malloc(LWS_PRE + LARGEST) + LWS_PRE};
  for (size_t i = 0; i < size; i++) made.bytes[i] = bytes ? bytes[i] : i % 251;
  return made;
}

static void make_messages(void) {
  char *large = malloc(3 * 33334 + 1);
  for (int i = 0; i < 33334; i++) memcpy(large + 3 * i, "語", 3);
  const char *middle = "Ahoj, žluťoučký kůň; 日本語; 👋🏽";
  messages[0] = make(LWS_WRITE_TEXT, "", 0);
  messages[1] = make(LWS_WRITE_TEXT, "Hello", 5);
  messages[2] = make(LWS_WRITE_TEXT, middle, strlen(middle));
  messages[3] = make(LWS_WRITE_TEXT, large, 3 * 33334);
  messages[4] = make(LWS_WRITE_BINARY, NULL, 0);
  messages[5] = make(LWS_WRITE_BINARY, NULL, 126);
  messages[6] = make(LWS_WRITE_BINARY, NULL, LARGEST);
  free(large);
}

static int write_message(struct lws *wsi, struct message message) {
  /* It masks in place. */
  unsigned char *copy = malloc(LWS_PRE + message.size + 1);
  memcpy(copy + LWS_PRE, message.bytes, message.size);
  int written = lws_write(wsi, copy + LWS_PRE, message.size, message.type);
  free(copy);
  return written < (int)message.size ? -1 : 0;
}

static int write_next(struct lws *wsi, struct talk *talk) {
  if (talk->leaves) {
    lws_close_reason(wsi, 4000, (unsigned char *)"done", 4);
    return -1;
  }
  /* It also calls back when the rest of a large message has been written. */
  if (talk->sent > talk->next) return 0;
  talk->sent = talk->next + 1;
  switch (talk->next) {
    case 7: return write_message(wsi, make(LWS_WRITE_PING, "are you there", 13));
    case 8: return write_message(wsi, make(LWS_WRITE_TEXT, "ping me", 7));
    case 9: return write_message(wsi, make(LWS_WRITE_TEXT, "close me", 8));
    default: return talk->next < 7 ? write_message(wsi, messages[talk->next]) : 0;
  }
}

static void receive(struct lws *wsi, struct talk *talk, const char *bytes, size_t size) {
  memcpy(received + talk->received, bytes, size);
  talk->received += size;
  if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi) > 0) return;
  if (talk->next < 7) {
    struct message sent = messages[talk->next];
    talk->echoes += sent.size == talk->received && memcmp(sent.bytes, received, sent.size) == 0 &&
                    lws_frame_is_binary(wsi) == (sent.type == LWS_WRITE_BINARY);
    if (talk->next == 6) printf("echoes %d\n", talk->echoes);
  } else {
    printf("%.*s\n", (int)talk->received, received);
  }
  talk->received = 0;
  talk->next++;
  lws_callback_on_writable(wsi);
}

static void print_header(struct lws *wsi, const char *name, enum lws_token_indexes token) {
  char value[256];
  if (lws_hdr_copy(wsi, value, sizeof value, token) > 0) printf("%s %s\n", name, value);
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t size) {
  struct talk *talk = lws_get_opaque_user_data(wsi);
  (void)user;
  switch (reason) {
    case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
      if (talk->leaves) break;
      print_header(wsi, "subprotocol", WSI_TOKEN_PROTOCOL);
      break;
    case LWS_CALLBACK_CLIENT_ESTABLISHED: lws_callback_on_writable(wsi); break;
    case LWS_CALLBACK_CLIENT_WRITEABLE: return write_next(wsi, talk);
    case LWS_CALLBACK_CLIENT_RECEIVE: receive(wsi, talk, in, size); break;
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
      printf("pong %.*s\n", (int)size, (char *)in);
      talk->next++;
      lws_callback_on_writable(wsi);
      break;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: {
      const unsigned char *code = in;
      printf("closed %d %.*s\n", code[0] << 8 | code[1], (int)size - 2, (char *)in + 2);
      break;
    }
    case LWS_CALLBACK_CLIENT_CLOSED:
      if (talk->leaves) printf("left\n");
      talk->ended = 1;
      break;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
      fprintf(stderr, "Cannot connect: %s\n", in ? (char *)in : "");
      exit(1);
    default: break;
  }
  return 0;
}

static const struct lws_protocols protocols[] = {{"chat", callback, 0, 65536, 0, NULL, 0}, {NULL, NULL, 0, 0, 0, NULL, 0}};

static void run(struct lws_context *context, const char *url, int leaves) {
  char host[64], path[256];
  int port;
  if (sscanf(url, "ws://%63[^:]:%d%255s", host, &port, path) != 3) exit(2);
  struct talk talk = {.leaves = leaves};
  struct lws_client_connect_info info = {
      .context = context, .address = host, .host = host, .origin = host, .port = port,
      .path = path, .protocol = "other, chat", .local_protocol_name = "chat", .opaque_user_data = &talk};
  lws_client_connect_via_info(&info);
  while (!talk.ended && lws_service(context, 0) >= 0) {
  }
}

int main(int count, char **args) {
  setbuf(stdout, NULL);
  lws_set_log_level(LLL_ERR, NULL);
  make_messages();
  struct lws_context_creation_info info = {.port = CONTEXT_PORT_NO_LISTEN, .protocols = protocols};
  struct lws_context *context = lws_create_context(&info);
  for (int i = 2; i + 2 < count; i += 3) {
    printf("connect %s\n", args[i + 2]);
    run(context, args[i + 2], 0);
    run(context, args[i + 2], 1);
    printf("handshakes %s\n", args[i + 1]);
  }
  lws_context_destroy(context);
}
