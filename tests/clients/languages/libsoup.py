# A client with libsoup, the HTTP library of GNOME, through its bindings for Python. See clients.ts for
# the arguments and the output.
import sys

import gi

gi.require_version("Soup", "3.0")
from gi.repository import GLib, Soup  # noqa: E402

TEXT, BINARY = Soup.WebsocketDataType.TEXT, Soup.WebsocketDataType.BINARY
TEXTS = ["", "Hello", "Ahoj, žluťoučký kůň; 日本語; 👋🏽", "語" * 33_334]
BINARIES = [bytes(i % 251 for i in range(size)) for size in (0, 126, 102_400)]
MESSAGES = [(TEXT, text.encode()) for text in TEXTS] + [(BINARY, data) for data in BINARIES]

loop = GLib.MainLoop()
# It sends pings only by itself, and does not show pongs.
session = Soup.Session()
session.add_feature_by_type(Soup.WebsocketExtensionManager)


def run(url, opened):
    """Calls back with a connection, and goes on when it has ended."""
    request = Soup.Message.new("GET", url)

    def connected(_, result):
        socket = session.websocket_connect_finish(result)
        socket.set_max_incoming_payload_size(1_000_000)
        socket.connect("closed", lambda _: loop.quit())
        opened(socket, request.get_response_headers())

    session.websocket_connect_async(request, None, ["other", "chat"], 0, None, connected)
    loop.run()


def converse(socket, headers):
    print("subprotocol", socket.get_protocol())
    extensions = headers.get_one("Sec-WebSocket-Extensions")
    if extensions:
        print("extensions", extensions)
    received = []

    def on_message(_, kind, data):
        received.append((kind, data.get_data() or b""))
        if len(received) == len(MESSAGES):
            print("echoes", sum(map(lambda pair: pair[0] == pair[1], zip(received, MESSAGES))))
            socket.send_text("ping me")
        elif len(received) > len(MESSAGES):
            print(received[-1][1].decode())
            socket.send_text("close me")

    def on_closed(_):
        print("closed", socket.get_close_code(), socket.get_close_data())

    socket.connect("message", on_message)
    socket.connect("closed", on_closed)
    for kind, data in MESSAGES:
        socket.send_message(kind, GLib.Bytes.new(data))


def leave(socket, _):
    socket.connect(
        "closed", lambda _: print("left", socket.get_close_code(), socket.get_close_data())
    )
    socket.close(4000, "done")


for _, handshakes, url in zip(*[iter(sys.argv[2:])] * 3):
    print("connect", url)
    run(url, converse)
    run(url, leave)
    print("handshakes", handshakes)
