// The floor of Deno: echoes bytes without any protocol. With "fan", it sends the bytes of each
// connection to all. With "idle", it reads into small buffers. Usage:
// deno run -A raw_deno.ts PORT [MODE] [--tls CERT KEY]

const [port, mode, , cert, key] = Deno.args;

/** A connection with or without TLS. */
type Connection = Deno.TcpConn | Deno.TlsConn;

const members = new Set<Connection>();

async function write(connection: Connection, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.length) written += await connection.write(bytes.subarray(written));
}

const ignore = () => {};

/**
 * Waits for every sixteenth write only. This keeps few writes pending, which halves the cost of one.
 * The system accepts a few bytes whole. A read detects a closed connection.
 */
async function writeToAll(bytes: Uint8Array): Promise<void> {
  let count = 0;
  for (const member of members) {
    const written = member.write(bytes).catch(ignore);
    if (++count % 16 === 0) await written;
  }
}

async function serve(connection: Connection): Promise<void> {
  if ("setNoDelay" in connection) connection.setNoDelay(true);
  if (mode === "fan") members.add(connection);
  const buffer = new Uint8Array(mode === "idle" ? 512 : 64 * 1024);
  try {
    for (;;) {
      const length = await connection.read(buffer);
      if (length === null) break;
      const bytes = buffer.subarray(0, length);
      if (mode === "fan") await writeToAll(bytes.slice());
      else await write(connection, bytes);
    }
  } catch {
    // A client has reset its connection: the benchmark no longer needs it.
  }
  members.delete(connection);
  connection.close();
}

const address = { hostname: "127.0.0.1", port: Number(port) };
const listener = cert !== undefined && key !== undefined
  ? Deno.listenTls({
    ...address,
    cert: Deno.readTextFileSync(cert),
    key: Deno.readTextFileSync(key),
  })
  : Deno.listen(address);
console.log("ready");
for await (const connection of listener) serve(connection);
