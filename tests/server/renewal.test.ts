import { assertEquals, assertNotEquals } from "@std/assert";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, test } from "node:test";
import { connect } from "node:tls";
import { selfSigned } from "../../examples/support/certificate.ts";
import { websocketConnect } from "../../src/client/mod.ts";
import { spawnScript } from "../support/spawn.ts";

/** Returns the serial number of the certificate that a server sends. */
function serialOf(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
      const { serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      resolve(serialNumber);
    });
    socket.once("error", reject);
  });
}

describe("a certificate", () => {
  test("is renewed by a second listener on the port; clients of the first one are closed", async () => {
    const folder = mkdtempSync(join(tmpdir(), "waterspout-renewal-"));
    const write = async () => {
      const { cert, key } = await selfSigned("localhost");
      writeFileSync(join(folder, "cert.pem"), cert);
      writeFileSync(join(folder, "key.pem"), key);
    };
    await write();
    // Deno has reusePort only with a flag.
    const child = spawnScript("tests/server/scripts/renew.ts", [folder], {
      denoFlags: ["--unstable-net"],
    });
    try {
      const port = Number((await child.waitFor(/^port (\d+)$/m))[1]);
      const first = await serialOf(port);
      const options = { tls: { insecure: true } };
      const client = await websocketConnect(`wss://127.0.0.1:${port}/`, options);

      // A certificate that does not fit the key changes nothing.
      const { cert } = await selfSigned("localhost");
      writeFileSync(join(folder, "cert.pem"), cert);
      process.kill(child.pid, "SIGHUP");
      await child.waitFor(/^not renewed: Cannot listen with TLS: cert or key is not usable/m);
      assertEquals(await serialOf(port), first);

      await write();
      process.kill(child.pid, "SIGHUP");
      assertEquals(await client.readMessage(), undefined);
      assertEquals([client.closeCode, client.closeReason], [1012, "new certificate"]);
      await child.waitFor(/^renewed$/m);
      assertNotEquals(await serialOf(port), first);
      const again = await websocketConnect(`wss://127.0.0.1:${port}/`, options);
      again.close(1000);
      await again.closed;
    } finally {
      await child.stop();
      rmSync(folder, { recursive: true });
    }
  });
});
