/**
 * A process that publishes until it is killed: `appender.ts PORT CLIENT TOPIC`. It prints each
 * position that it is told.
 *
 * @module
 */
import process from "node:process";
import { Peer, STREAMS } from "./stored.ts";

const [port, client = "", topic = ""] = process.argv.slice(2);
const make = STREAMS[client];
if (make === undefined) throw new Error(`There is no client ${client}`);
const peer = new Peer(await make(Number(port)));

/** Keeps one message on its way. */
async function publish(): Promise<never> {
  for (let number = 1;; number++) {
    const { offset } = await peer.append(topic, `${process.pid} ${number}`);
    console.log(`${process.pid} ${number} at ${offset}`);
  }
}

// Several messages are on their way when the process is killed.
for (let lane = 0; lane < 4; lane++) void publish();
