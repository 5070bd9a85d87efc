/**
 * A process that publishes until it is killed: `appender.ts PORT CLIENT TOPIC`. With the client
 * `app`, an application publishes. It prints each position that it is told.
 *
 * @module
 */
import process from "node:process";
import type { Position } from "../../src/pubsub/brokers/broker.ts";
import { Process } from "./faults.ts";
import { Peer, STREAMS } from "./stored.ts";

const [port, client = "", topic = ""] = process.argv.slice(2);
const make = STREAMS[client === "app" ? "npm:redis" : client];
if (make === undefined) throw new Error(`There is no client ${client}`);
const broker = await make(Number(port));

/** Returns a function that stores a text. */
function appender(): (text: string) => Promise<Position> {
  if (client !== "app") {
    const peer = new Peer(broker);
    return (text) => peer.append(topic, text);
  }
  const { app } = new Process(broker);
  return (text) => app.publish(topic, text).position;
}
const append = appender();

/** How many messages at most a lane sends: fewer than a history keeps, if the process is killed late. */
const MOST = 1000;

/** Keeps one message on its way. */
async function publish(lane: number): Promise<void> {
  for (let number = 1; number <= MOST; number++) {
    const { offset } = await append(`${process.pid} ${number}${lane}`);
    console.log(`${process.pid} ${number}${lane} at ${offset}`);
  }
}

// Several messages are on their way when the process is killed.
for (let lane = 0; lane < 4; lane++) void publish(lane);
