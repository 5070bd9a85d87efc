# A client with the package websocket-client. It has no compression. See clients.ts for the arguments
# and the output.
import struct
import sys

import websocket
from websocket import ABNF

TEXTS = ["", "Hello", "Ahoj, žluťoučký kůň; 日本語; 👋🏽", "語" * 33_334]
BINARIES = [bytes(i % 251 for i in range(size)) for size in (0, 126, 102_400)]


def connect(url):
    return websocket.create_connection(url, subprotocols=["other", "chat"], timeout=20)


def describe(payload):
    return f"{struct.unpack('!H', payload[:2])[0]} {payload[2:].decode()}"


def echo(socket):
    messages = [(ABNF.OPCODE_TEXT, text.encode()) for text in TEXTS]
    messages += [(ABNF.OPCODE_BINARY, data) for data in BINARIES]
    for opcode, data in messages:
        socket.send(data, opcode)
    # `control_frame`: otherwise pongs would be hidden. Pings are answered.
    return sum(socket.recv_data(control_frame=True) == message for message in messages)


def converse(socket):
    print("subprotocol", socket.subprotocol)
    print("echoes", echo(socket))
    socket.ping("are you there")
    _, payload = socket.recv_data(control_frame=True)
    print("pong", payload.decode())
    socket.send("ping me")
    print(socket.recv())
    socket.send("close me")
    # It answers the close frame.
    _, payload = socket.recv_data()
    print("closed", describe(payload))
    socket.close()


def leave(socket):
    socket.send_close(4000, b"done")
    _, payload = socket.recv_data()
    socket.close()
    return describe(payload)


for _, handshakes, url in zip(*[iter(sys.argv[2:])] * 3):
    print("connect", url)
    converse(connect(url))
    print("left", leave(connect(url)))
    print("handshakes", handshakes)
