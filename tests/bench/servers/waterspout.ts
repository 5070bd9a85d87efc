/**
 * The server for load generators and test suites: `waterspout.ts PORT [--deflate | --takeover]
 * [--async] [--borrow] [--http2] [--large-heads] [--topics COUNT] [--tls CERT KEY]`. With `--topics`, it has
 * so many more topics with a subscriber. With `--async`, it replies asynchronously.
 *
 * `/` echoes each message in its own type. `/reply` changes its first letter. `/fan` sends each message
 * to all clients on `/fan`. Accepts every version, any origin, and messages up to 64 MiB. Prints `ready`.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { Application, WebSocketHandler } from "../../../mod.ts";

class Echo extends WebSocketHandler {
  override checkOrigin(): boolean {
    return true;
  }
  onMessage(message: string | Uint8Array): void | Promise<void> {
    this.writeMessage(message);
  }
}

/** Answers with another message of the same length: its first letter is in lower case. */
class Reply extends Echo {
  override onMessage(message: string | Uint8Array): void | Promise<void> {
    if (typeof message === "string") {
      this.writeMessage(message.charAt(0).toLowerCase() + message.slice(1));
    } else {
      message[0] = (message[0] ?? 0) | 0x20;
      this.writeMessage(message);
    }
  }
}

/** Replies after it has waited, as for a value in a cache. */
class AsyncReply extends Reply {
  override async onMessage(message: string | Uint8Array): Promise<void> {
    await null;
    super.onMessage(message);
  }
}

class Fan extends Echo {
  override open(): void {
    this.subscribe("fan");
  }
  override onMessage(message: string | Uint8Array): void {
    this.application.publish("fan", message);
  }
}

/** Subscribes to many topics. */
class Reader extends Echo {
  override open(count: string): void {
    for (let i = 0; i < Number(count); i++) void this.subscribe(`topic ${i}`);
  }
}

const [port, ...flags] = process.argv.slice(2);
const app = new Application([
  ["/", Echo],
  ["/reply", flags.includes("--async") ? AsyncReply : Reply],
  ["/fan", Fan],
  ["/topics/:count", Reader],
], {
  versions: ["rfc6455", "hybi-08", "hybi-07", "draft76", "draft75"],
  maxMessageSize: 64 * 1024 * 1024,
  maxBufferedAmount: 256 * 1024 * 1024,
  pingInterval: 0,
  borrowMessages: flags.includes("--borrow"),
  ...(flags.includes("--large-heads") ? { maxHeaderCount: 20_000, maxHeaderSize: 2 ** 20 } : {}),
  compression: flags.includes("--deflate") || flags.includes("--takeover")
    ? { threshold: 0, contextTakeover: flags.includes("--takeover") }
    : undefined,
});
if (flags.includes("--topics")) {
  const count = Number(flags[flags.indexOf("--topics") + 1]);
  const { connect } = await import("../../../src/testing/mod.ts");
  await connect(app, `/topics/${count}`);
}
const [cert, key] = flags.includes("--tls")
  ? flags.slice(flags.indexOf("--tls") + 1).map((path) => readFileSync(path, "utf8"))
  : [];
app.listen({
  port: Number(port),
  hostname: "127.0.0.1",
  onListen: () => console.log("ready"),
  ...(cert !== undefined && key !== undefined
    ? { cert, key, http2: flags.includes("--http2") }
    : {}),
});
