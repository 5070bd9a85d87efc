/**
 * Sends requests by undici's pool: `undici_pool.ts PORT`. It prints how many were answered as they
 * should be, and by how many connections.
 */
import process from "node:process";
import { Readable } from "node:stream";
import { Pool } from "undici";

const REQUESTS = 400;

const pool = new Pool(`http://127.0.0.1:${process.argv[2]}`, { connections: 4, pipelining: 8 });
let connections = 0;
pool.on("connect", () => connections++);

/** Pieces of a body whose length is not announced. */
function streamOf(text: string): Readable {
  return Readable.from([text.slice(0, 3), text.slice(3)].filter((piece) => piece !== ""));
}

/** Whether one request is answered as it should be. */
async function ask(i: number): Promise<boolean> {
  const text = "x".repeat(i * 97 % 50_000 + 1);
  // No HEAD: undici ends the connection after each.
  const kind = i % 4;
  if (kind === 0) {
    const { statusCode, body } = await pool.request({ path: `/hello?${i}`, method: "GET" });
    return statusCode === 200 && await body.text() === `/hello?${i}`;
  }
  if (kind === 1) {
    const { statusCode, body } = await pool.request({ path: "/none", method: "GET" });
    return statusCode === 204 && await body.text() === "";
  }
  const { body } = await pool.request({
    path: "/echo",
    method: "POST",
    body: kind === 2 ? text : streamOf(text),
  });
  return await body.text() === text;
}

const answers = await Promise.all(Array.from({ length: REQUESTS }, (_, i) => ask(i)));
await pool.close();
console.log(`${answers.filter(Boolean).length} of ${REQUESTS} by ${connections} connections`);
