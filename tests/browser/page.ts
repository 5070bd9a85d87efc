/**
 * What a page does in a test. The functions run in the browser, which gets their text: they cannot use
 * anything of this module.
 *
 * @module
 */

/** The part of the echo example's page that is used. */
declare const socket: WebSocket;

/** Sends binary messages of these sizes. Resolves to whether each came back unchanged. */
export async function echoBinary(sizes: readonly number[]): Promise<boolean[]> {
  socket.binaryType = "arraybuffer";
  const echo = (bytes: Uint8Array<ArrayBuffer>): Promise<boolean> =>
    new Promise((resolve) => {
      socket.addEventListener("message", ({ data }) => {
        const back = new Uint8Array(data);
        resolve(back.length === bytes.length && back.every((byte, i) => byte === bytes[i]));
      }, { once: true });
      socket.send(bytes);
    });
  const results: boolean[] = [];
  for (const size of sizes) {
    results.push(await echo(Uint8Array.from({ length: size }, (_, i) => i * 7 + (i >> 8))));
  }
  return results;
}

/** Closes one socket with a code and a reason, and has the server close another. */
export async function closeBothWays(): Promise<unknown[]> {
  const end = (begin: (socket: WebSocket) => void): Promise<[number, string]> =>
    new Promise((resolve) => {
      const socket = new WebSocket(`ws://${location.host}/`);
      socket.onopen = () => begin(socket);
      socket.onclose = ({ code, reason }) => resolve([code, reason]);
    });
  const byPage = await end((socket) => socket.close(4000, "that’s all"));
  const byServer = await end((socket) => socket.send("close me"));
  return [byPage[0], ...byServer];
}

/** Has messages echoed over HTTP/2, and closes in both ways. */
export async function echoOverHttp2(): Promise<unknown> {
  const begin = (): Promise<WebSocket> =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`wss://${location.host}/ws`, ["chat"]);
      socket.onopen = () => resolve(socket);
      socket.onerror = () => reject(new Error("no WebSocket"));
    });
  const echo = (socket: WebSocket, text: string): Promise<boolean> =>
    new Promise((resolve) => {
      socket.onmessage = ({ data }) => resolve(data === text);
      socket.send(text);
    });
  const ended = (socket: WebSocket): Promise<unknown> =>
    new Promise((resolve) => {
      socket.onclose = ({ code, reason, wasClean }) => resolve([code, reason, wasClean]);
    });
  const socket = await begin();
  const echoes: boolean[] = [];
  for (const text of ["", "Hello", "語".repeat(200_000)]) echoes.push(await echo(socket, text));
  const { protocol, extensions } = socket;
  const byPage = ended(socket);
  socket.close(4000, "enough");
  const other = await begin();
  const byServer = ended(other);
  other.send("close");
  return [echoes, protocol, extensions.split(";")[0], await byPage, await byServer];
}
