# A client with the package websockets. See clients.ts for the arguments and the output.
import asyncio
import sys

import websockets

TEXTS = ["", "Hello", "Ahoj, žluťoučký kůň; 日本語; 👋🏽", "語" * 33_334]
BINARIES = [bytes(i % 251 for i in range(size)) for size in (0, 126, 102_400)]


def connect(url):
    return websockets.connect(url, subprotocols=["other", "chat"])


async def converse(url):
    async with connect(url) as socket:
        print("subprotocol", socket.subprotocol)
        extensions = socket.response_headers.get("Sec-WebSocket-Extensions")
        if extensions:
            print("extensions", extensions)
        messages = TEXTS + BINARIES
        for message in messages:
            await socket.send(message)
        print("echoes", sum([await socket.recv() == message for message in messages]))
        # The result is complete when the pong with this payload is there.
        await (await socket.ping("are you there"))
        print("pong are you there")
        await socket.send("ping me")
        print(await socket.recv())
        await socket.send("close me")
        await socket.wait_closed()
        print("closed", socket.close_code, socket.close_reason)


async def leave(url):
    async with connect(url) as socket:
        await socket.close(4000, "done")
        print("left", socket.close_code, socket.close_reason)


async def main(targets):
    for _, handshakes, url in zip(*[iter(targets)] * 3):
        print("connect", url)
        await converse(url)
        await leave(url)
        print("handshakes", handshakes)


asyncio.run(main(sys.argv[2:]))
