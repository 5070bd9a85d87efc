"""The handlers of Tornado's own websocket_test, on a real Tornado. Prints its port."""

import asyncio
import json
import logging

from tornado import httpserver, netutil
from tornado.template import DictLoader
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketClosedError, WebSocketHandler

errors = []
ends = {}
sent = {}


def end_of(key):
    return ends.setdefault(key, asyncio.get_running_loop().create_future())


class LogCounter(logging.Handler):
    def emit(self, record):
        if record.levelno >= logging.ERROR:
            errors.append(record.getMessage())


class Case(WebSocketHandler):
    """Records how its connection ended. GET /ended?id=ID waits for this."""

    compression = None

    def initialize(self, compression=None):
        self.compression = compression

    def get_compression_options(self):
        return self.compression

    async def on_message(self, message):
        try:
            await self.write_message(message, isinstance(message, bytes))
        except WebSocketClosedError:
            pass

    def on_close(self):
        end = end_of(self.get_argument("id", ""))
        if not end.done():
            end.set_result({"code": self.close_code, "reason": self.close_reason or ""})


class ErrorInOnMessage(Case):
    def on_message(self, message):
        raise Exception("boom")


class Header(Case):
    def open(self):
        try:
            self.set_header("X-Late", "1")
        except RuntimeError:
            self.write_message(self.request.headers.get("X-Test", ""))


class HeaderEcho(Case):
    def prepare(self):
        self.set_header("X-Extra-Response-Header", "Extra-Response-Value")
        self.set_header("X-Test-Hello", self.request.headers["X-Test-Hello"])


class CloseReason(Case):
    def open(self):
        self.close(1001, "goodbye")


class AsyncPrepare(Case):
    async def prepare(self):
        await asyncio.sleep(0.01)
        self.prepared = "prepared"

    def on_message(self, message):
        self.write_message("%s %s" % (self.prepared, message))


class PathArgs(Case):
    def open(self, arg):
        self.write_message(arg)


class Coroutine(Case):
    sleeping = 0

    async def on_message(self, message):
        if self.sleeping > 0:
            self.write_message("another coroutine is already sleeping")
        self.sleeping += 1
        await asyncio.sleep(0.01)
        self.sleeping -= 1
        self.write_message(message)


class RenderMessage(Case):
    def on_message(self, message):
        self.write_message(self.render_string("message.html", message=message))


class Subprotocol(Case):
    asked = 0

    def select_subprotocol(self, subprotocols):
        self.asked += len(subprotocols)
        return "goodproto" if "goodproto" in subprotocols else None

    def open(self):
        self.write_message("%s %d" % (self.selected_subprotocol or "none", self.asked))


class OpenCoroutine(Case):
    finished = False

    async def open(self):
        await sent.setdefault(self.get_argument("id"), asyncio.Event()).wait()
        await asyncio.sleep(0.01)
        self.finished = True

    def on_message(self, message):
        self.write_message("ok" if self.finished else "on_message before open")


class ErrorInOpen(Case):
    def open(self):
        raise Exception("boom")


class ErrorInAsyncOpen(Case):
    async def open(self):
        await asyncio.sleep(0)
        raise Exception("boom")


class NoDelay(Case):
    def open(self):
        self.set_nodelay(True)
        self.write_message("hello")


class Limited(Case):
    @property
    def max_message_size(self):
        return 1024

    def on_message(self, message):
        self.write_message(str(len(message)))


class Ping(Case):
    @property
    def ping_interval(self):
        return 0.01

    def on_pong(self, data):
        self.write_message("got pong")


class Pinged(Case):
    def on_ping(self, data):
        self.write_message(data, binary=isinstance(data, bytes))


class Ended(RequestHandler):
    async def get(self):
        self.write(await end_of(self.get_argument("id")))


class Errors(RequestHandler):
    def get(self):
        self.write(json.dumps(len(errors)))
        errors.clear()


class Sent(RequestHandler):
    def get(self):
        sent.setdefault(self.get_argument("id"), asyncio.Event()).set()


class NonWebSocket(RequestHandler):
    def get(self):
        self.write("ok")


class Redirect(RequestHandler):
    def get(self):
        self.redirect("/echo")


async def main():
    logging.getLogger().addHandler(LogCounter())
    app = Application(
        [
            ("/echo", Case),
            ("/error_in_on_message", ErrorInOnMessage),
            ("/header", Header),
            ("/header_echo", HeaderEcho),
            ("/close_reason", CloseReason),
            ("/async_prepare", AsyncPrepare),
            ("/path_args/(.*)", PathArgs),
            ("/coroutine", Coroutine),
            ("/render", RenderMessage),
            ("/subprotocol", Subprotocol),
            ("/open_coroutine", OpenCoroutine),
            ("/error_in_open", ErrorInOpen),
            ("/error_in_async_open", ErrorInAsyncOpen),
            ("/nodelay", NoDelay),
            ("/limited", Limited),
            ("/deflate", Case, dict(compression={})),
            ("/deflate_limited", Limited, dict(compression={})),
            ("/ping", Ping),
            ("/pinged", Pinged),
            ("/ended", Ended),
            ("/errors", Errors),
            ("/sent", Sent),
            ("/non_ws", NonWebSocket),
            ("/redirect", Redirect),
        ],
        template_loader=DictLoader({"message.html": "<b>{{ message }}</b>"}),
    )
    sockets = netutil.bind_sockets(0, "127.0.0.1")
    httpserver.HTTPServer(app).add_sockets(sockets)
    print("port", sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
