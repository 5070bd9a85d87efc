/**
 * The handlers of Tornado's own `websocket_test` in Waterspout, with the same names as in
 * `tornado_server.py`. Runs in the process of the test.
 *
 * @module
 */
import { Application, type Server, WebSocketHandler } from "../../mod.ts";

/** What a test waits for, by the `id` of its case. */
class Waiting {
  readonly #settled = new Map<string, PromiseWithResolvers<unknown>>();

  of(id: string): PromiseWithResolvers<unknown> {
    let waiting = this.#settled.get(id);
    if (waiting === undefined) this.#settled.set(id, waiting = Promise.withResolvers());
    return waiting;
  }
}

const ends = new Waiting();
const sent = new Waiting();
let errors = 0;

const sleep = (time: number) => new Promise<void>((resolve) => setTimeout(resolve, time));

/** Records how its connection ended. `GET /ended?id=ID` waits for this. */
class Case extends WebSocketHandler<object | undefined> {
  onMessage(message: string | Uint8Array): unknown {
    return this.writeMessage(message);
  }
  override onClose(): void {
    const { closeCode = null, closeReason } = this;
    ends.of(this.getArgument("id", "")).resolve({ code: closeCode, reason: closeReason });
  }
}

class Deflate extends Case {
  override getCompressionOptions() {
    return { threshold: 0, contextTakeover: true };
  }
}

class ErrorInOnMessage extends Case {
  override onMessage(): void {
    throw new Error("boom");
  }
}

class Header extends Case {
  override open(): void {
    try {
      this.setHeader("X-Late", "1");
    } catch {
      this.writeMessage(this.request.headers.get("X-Test") ?? "");
    }
  }
}

class HeaderEcho extends Case {
  override prepare(): void {
    this.setHeader("X-Extra-Response-Header", "Extra-Response-Value");
    this.setHeader("X-Test-Hello", this.request.headers.get("X-Test-Hello") ?? "");
  }
}

class CloseReason extends Case {
  override open(): void {
    this.close(1001, "goodbye");
  }
}

class AsyncPrepare extends Case {
  #prepared = "";
  override async prepare(): Promise<void> {
    await sleep(10);
    this.#prepared = "prepared";
  }
  override onMessage(message: string | Uint8Array): void {
    this.writeMessage(`${this.#prepared} ${message}`);
  }
}

class PathArgs extends Case {
  override open(arg: string): void {
    this.writeMessage(arg);
  }
}

class Coroutine extends Case {
  #sleeping = 0;
  override async onMessage(message: string | Uint8Array): Promise<void> {
    if (this.#sleeping > 0) this.writeMessage("another coroutine is already sleeping");
    this.#sleeping++;
    await sleep(10);
    this.#sleeping--;
    this.writeMessage(message);
  }
}

class RenderMessage extends Case {
  override onMessage(message: string | Uint8Array): void {
    this.writeMessage(`<b>${message}</b>`);
  }
}

class Subprotocol extends Case {
  #asked = 0;
  override selectSubprotocol(offered: readonly string[]): string | undefined {
    this.#asked += offered.length;
    return offered.find((name) => name === "goodproto");
  }
  override open(): void {
    this.writeMessage(`${this.selectedSubprotocol ?? "none"} ${this.#asked}`);
  }
}

class OpenCoroutine extends Case {
  #finished = false;
  override async open(): Promise<void> {
    await sent.of(this.getArgument("id")).promise;
    await sleep(10);
    this.#finished = true;
  }
  override onMessage(): void {
    this.writeMessage(this.#finished ? "ok" : "onMessage before open");
  }
}

class ErrorInOpen extends Case {
  override open(): void {
    throw new Error("boom");
  }
}

class ErrorInAsyncOpen extends Case {
  override async open(): Promise<void> {
    await Promise.resolve();
    throw new Error("boom");
  }
}

class NoDelay extends Case {
  override open(): void {
    this.setNodelay(true);
    this.writeMessage("hello");
  }
}

class Limited extends Case {
  override get maxMessageSize(): number {
    return 1024;
  }
  override onMessage(message: string | Uint8Array): void {
    this.writeMessage(String(message.length));
  }
}

class DeflateLimited extends Limited {
  override getCompressionOptions() {
    return { threshold: 0, contextTakeover: true };
  }
}

class Ping extends Case {
  override get pingInterval(): number {
    return 10;
  }
  override onPong(): void {
    this.writeMessage("got pong");
  }
}

class Pinged extends Case {
  override onPing(payload: Uint8Array): void {
    this.writeMessage(payload);
  }
}

/** The plain HTTP resources. */
async function serve(request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  const id = searchParams.get("id") ?? "";
  switch (pathname) {
    case "/ended":
      return Response.json(await ends.of(id).promise);
    case "/errors": {
      const counted = errors;
      errors = 0;
      return Response.json(counted);
    }
    case "/sent":
      sent.of(id).resolve(true);
      return new Response();
    case "/non_ws":
      return new Response("ok");
    case "/redirect":
      return new Response(null, { status: 302, headers: { Location: "/echo" } });
  }
  return new Response("not found", { status: 404 });
}

/** Starts the application on a free port. */
export function startWaterspout(): Server {
  const app = new Application([
    ["/echo", Case],
    ["/error_in_on_message", ErrorInOnMessage],
    ["/header", Header],
    ["/header_echo", HeaderEcho],
    ["/close_reason", CloseReason],
    ["/async_prepare", AsyncPrepare],
    ["/path_args/(.*)", PathArgs],
    ["/coroutine", Coroutine],
    ["/render", RenderMessage],
    ["/subprotocol", Subprotocol],
    ["/open_coroutine", OpenCoroutine],
    ["/error_in_open", ErrorInOpen],
    ["/error_in_async_open", ErrorInAsyncOpen],
    ["/nodelay", NoDelay],
    ["/limited", Limited],
    ["/deflate", Deflate],
    ["/deflate_limited", DeflateLimited],
    ["/ping", Ping],
    ["/pinged", Pinged],
  ], { fetch: serve, log: () => errors++ });
  return app.listen({ port: 0, hostname: "127.0.0.1" });
}
