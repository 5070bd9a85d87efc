/**
 * Several processes or threads on one port. A message to one of them reaches the clients of all.
 *
 *     deno run -A --unstable-net examples/cluster.ts [port [count [broker]]]
 *     bun run examples/cluster.ts [port [count [broker]]]
 *     node examples/cluster.ts [port [count [broker]]]
 *
 * With a broker (`redis://localhost:6379` or `nats://localhost:4222`), this starts `count`
 * processes and restarts one that ends. You can start more on other machines. The broker's client
 * comes from npm: `redis` or `@nats-io/transport-node`. Without a broker, this starts `count`
 * threads, connected by a BroadcastChannel.
 */
import { type ChildProcess, fork } from "node:child_process";
import { availableParallelism } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, threadId, Worker, workerData } from "node:worker_threads";
import { Application, type Broker, type Server, WebSocketHandler } from "@waterspout/websocket";
import { broadcastChannelBroker } from "@waterspout/websocket/brokers/broadcast_channel";
import { natsBroker } from "@waterspout/websocket/brokers/nats";
import { redisBroker } from "@waterspout/websocket/brokers/redis";

/** The options of a process or thread. */
interface Task {
  readonly port: number;
  readonly broker: string;
}

// --- In each process or thread
// --------------------------------------------------------------------

/** The name of this process or thread, for clients. */
const name = isMainThread ? `process ${process.pid}` : `thread ${threadId} of ${process.pid}`;

class Everyone extends WebSocketHandler {
  override async open(): Promise<void> {
    await this.subscribe("everyone");
    this.writeMessage(`You are served by ${name}.`);
  }
  onMessage(message: string | Uint8Array): void {
    this.application.publish("everyone", `${name}: ${message}`);
  }
}

const page = `<!DOCTYPE html>
<meta charset="utf-8">
<title>Cluster</title>
<style>body { font: 16px/1.5 sans-serif; max-width: 40em; margin: 2em auto; padding: 0 1em; }</style>
<h1>Cluster</h1>
<form><input autofocus size="40"> <button>Say it to everyone</button></form>
<pre></pre>
<script>
const socket = new WebSocket(location.href.replace("http", "ws") + "websocket");
const [form, input, log] = ["form", "input", "pre"].map((name) => document.querySelector(name));
socket.onmessage = ({ data }) => log.textContent += data + "\\n";
socket.onclose = () => log.textContent += "Not connected; reload the page.\\n";
form.onsubmit = () => { socket.send(input.value); input.value = ""; return false; };
</script>
`;

/** A broker, and a function that closes its connection. */
interface Joined {
  readonly broker: Broker;
  readonly leave: () => Promise<void>;
}

async function join(url: string): Promise<Joined> {
  if (url === "") {
    const broker = broadcastChannelBroker("cluster");
    return { broker, leave: () => broker.close() };
  }
  if (url.startsWith("redis")) {
    const { createClient } = await import("redis");
    const broker = await redisBroker(createClient({ url }));
    return { broker, leave: () => broker.close() };
  }
  const { connect } = await import("@nats-io/transport-node");
  const connection = await connect({ servers: url, maxReconnectAttempts: -1 }).catch((cause) => {
    throw new Error(`Cannot reach NATS at ${url}: ${cause.message}`, { cause });
  });
  return { broker: await natsBroker(connection), leave: () => connection.close() };
}

async function serve(
  { port, broker: url }: Task,
): Promise<{ port: number; stop(): Promise<void> }> {
  const { broker, leave } = await join(url);
  const app = new Application([["/websocket", Everyone]], {
    broker,
    fetch: () => new Response(page, { headers: { "content-type": "text/html; charset=utf-8" } }),
  });
  const server: Server = app.listen({ port, reusePort: true });
  await server.listening;
  const stop = async () => {
    await server.shutdown();
    await leave();
  };
  return { port: server.addr.port, stop };
}

async function work(task: Task, tell: (message: { port: number }) => void): Promise<void> {
  const { port, stop } = await serve(task);
  if (isMainThread) {
    process.on("SIGINT", () => {}); // Ctrl-C reaches every process. The first one stops the others.
    process.once("disconnect", stop);
    process.once("message", async () => {
      await stop();
      process.disconnect?.();
    });
  } else {
    parentPort?.once("message", async () => {
      await stop();
      parentPort?.close();
    });
  }
  tell({ port });
}

// --- In the first process
// ---------------------------------------------------------------------------

const script = new URL(import.meta.url);
const running: Set<ChildProcess | Worker> = new Set();
let stopping = false;

/** Starts a process or a thread. Resolves to its port when it listens. */
function start(task: Task): Promise<number> {
  const child = task.broker === ""
    ? new Worker(script, { workerData: task })
    : fork(fileURLToPath(script), ["work", JSON.stringify(task)]);
  running.add(child);
  return new Promise((resolve, reject) => {
    let port = 0;
    child.once("message", (message: { port: number }) => resolve(port = message.port));
    child.once("error", reject);
    child.once("exit", (code: number | null) => {
      running.delete(child);
      if (port === 0) {
        return reject(new Error(`Cannot start a process: it exited with code ${code}`));
      }
      if (!stopping) setTimeout(() => void start({ ...task, port }).catch(console.error), 1000);
    });
  });
}

function stop(): void {
  stopping = true;
  for (const child of running) "send" in child ? child.send("stop") : child.postMessage("stop");
}

async function main(args: readonly string[]): Promise<void> {
  const [wanted = "8888", count = String(availableParallelism()), broker = ""] = args;
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  // If the port is 0, the first process chooses it.
  const port = await start({ port: Number(wanted), broker });
  for (let number = 1; number < Number(count); number++) await start({ port, broker });
  console.log(
    `http://localhost:${port}/ (${running.size} ${broker === "" ? "threads" : "processes"})`,
  );
}

const [role, task] = process.argv.slice(2);
try {
  if (!isMainThread) await work(workerData, (message) => parentPort?.postMessage(message));
  else if (role === "work") {
    await work(JSON.parse(task ?? ""), (message) => process.send?.(message));
  } else await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
