# A client with aiohttp. See clients.ts for the arguments and the output.
import asyncio
import sys

import aiohttp

TEXTS = ["", "Hello", "Ahoj, žluťoučký kůň; 日本語; 👋🏽", "語" * 33_334]
BINARIES = [bytes(i % 251 for i in range(size)) for size in (0, 126, 102_400)]


def connect(session, url):
    # `autoping` would answer pings, and hide pongs.
    return session.ws_connect(url, protocols=["other", "chat"], compress=15, autoping=False)


async def echo(socket):
    echoes = 0
    for message in TEXTS + BINARIES:
        is_text = isinstance(message, str)
        await (socket.send_str(message) if is_text else socket.send_bytes(message))
    for message in TEXTS + BINARIES:
        received = await socket.receive()
        is_type = received.type == (
            aiohttp.WSMsgType.TEXT if isinstance(message, str) else aiohttp.WSMsgType.BINARY
        )
        echoes += is_type and received.data == message
    return echoes


async def converse(session, url):
    async with connect(session, url) as socket:
        print("subprotocol", socket.protocol)
        extensions = socket._response.headers.get("Sec-WebSocket-Extensions")
        if extensions:
            print("extensions", extensions)
        print("echoes", await echo(socket))
        await socket.ping(b"are you there")
        pong = await socket.receive()
        print("pong", pong.data.decode())
        await socket.send_str("ping me")
        ping = await socket.receive()
        await socket.pong(ping.data)
        print((await socket.receive()).data)
        await socket.send_str("close me")
        closed = await socket.receive()
        print("closed", closed.data, closed.extra)


async def leave(session, url):
    async with connect(session, url) as socket:
        await socket.close(code=4000, message=b"done")
        print("left", socket.close_code)


async def main(targets):
    async with aiohttp.ClientSession() as session:
        for _, handshakes, url in zip(*[iter(targets)] * 3):
            print("connect", url)
            await converse(session, url)
            await leave(session, url)
            print("handshakes", handshakes)


asyncio.run(main(sys.argv[2:]))
