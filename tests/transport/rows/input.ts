/**
 * What every transport must do when it reads.
 *
 * @module
 */
import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { Pattern } from "../pattern.ts";
import type { Rows } from "../conformance.ts";
import { MIB, Sender, TOO_MUCH } from "../sender.ts";

/** Pauses, calls from inside `data`, and addresses. */
export const input: Rows = {
  "delivers nothing more once destroyed from inside data": async ({ recorder, peer }) => {
    recorder.onData = () => recorder.act((transport) => transport.destroy());
    peer.write(new Pattern().take(500_000));
    await recorder.until(() => recorder.gone, "closed");
    await recorder.settle();
    assertEquals(recorder.sizes.length, 1);
    assertEquals(recorder.drains, 0);
  },

  "delivers nothing while paused, and loses nothing": async ({ recorder, peer }) => {
    const theirs = new Pattern();
    peer.write(theirs.take(100));
    await recorder.until(() => recorder.received === 100, "the first bytes");
    for (let i = 0; i < 3; i++) {
      recorder.act((transport) => transport.pause());
      const before = recorder.received;
      peer.write(theirs.take(300_000));
      await recorder.settle();
      assertEquals(recorder.received, before);
      recorder.act((transport) => transport.resume());
      await recorder.until(() => recorder.received === theirs.position, "the bytes held back");
    }
  },

  "can be paused and resumed from inside data": async ({ recorder, peer }) => {
    const theirs = new Pattern();
    recorder.onData = () => {
      recorder.act((transport) => transport.pause());
      const before = recorder.received;
      setTimeout(() => {
        if (recorder.received !== before) recorder.problems.push("data while paused");
        recorder.act((transport) => {
          transport.resume();
          transport.pause();
          transport.resume();
        });
      }, 1);
    };
    peer.write(theirs.take(400_000));
    await recorder.until(() => recorder.received === 400_000, "all bytes");
    recorder.onData = () => {
      recorder.act((transport) => {
        transport.pause();
        transport.resume();
      });
    };
    peer.write(theirs.take(400_000));
    await recorder.until(() => recorder.received === 800_000, "all bytes");
  },

  "stops the peer while paused": async ({ recorder, peer }) => {
    const theirs = new Pattern();
    recorder.act((transport) => transport.pause());
    // Until the system's buffers are full.
    while (peer.bufferedAmount === 0) {
      assertLess(theirs.position, TOO_MUCH);
      peer.write(theirs.take(2 * MIB));
      await recorder.settle();
    }
    assertEquals(recorder.received, 0);
    recorder.act((transport) => transport.resume());
    await recorder.until(() => recorder.received === theirs.position, "all bytes");
  },

  "can be paused from inside data while more bytes and FIN follow": async ({ recorder, peer }) => {
    let paused = false;
    recorder.onData = () => {
      if (recorder.sizes.length > 50) return;
      if (paused) recorder.problems.push("data while paused");
      paused = true;
      recorder.act((transport) => transport.pause());
      setTimeout(() => {
        if (recorder.ended) recorder.problems.push("end while paused");
        paused = false;
        recorder.act((transport) => transport.resume());
      }, 1);
    };
    peer.write(new Pattern().take(2_000_000));
    peer.end();
    await recorder.until(() => recorder.ended, "end");
    assertEquals(recorder.received, 2_000_000);
  },

  "loses nothing while paused when both ends have sent FIN": async (
    { recorder, peer },
    { holdsAfterFin },
  ) => {
    recorder.act((transport) => {
      transport.pause();
      transport.end();
    });
    await peer.until(() => peer.ended, "FIN at the peer");
    peer.write(new Pattern().take(100_000));
    peer.end();
    if (holdsAfterFin) {
      await recorder.settle();
      assertEquals([recorder.received, recorder.gone], [0, false]);
    }
    recorder.act((transport) => transport.resume());
    await recorder.until(() => recorder.gone, "closed");
    if (holdsAfterFin) assertEquals(recorder.received, 100_000);
    assertEquals(recorder.error, undefined);
  },

  "holds FIN back while paused": async ({ recorder, peer }) => {
    recorder.act((transport) => transport.pause());
    peer.write(new Pattern().take(100_000));
    peer.end();
    await recorder.settle();
    assertEquals([recorder.received, recorder.ended], [0, false]);
    recorder.act((transport) => transport.resume());
    await recorder.until(() => recorder.ended, "end");
    assertEquals(recorder.received, 100_000);
  },

  "echoes from inside data": async ({ recorder, peer }) => {
    const theirs = new Pattern();
    recorder.onData = (chunk) => {
      const bytes = recorder.transport.transfersChunks ? chunk : chunk.slice();
      recorder.act((transport) => transport.write(bytes, true));
    };
    for (let i = 0; i < 300; i++) {
      peer.write(theirs.take(1 + i * 37 % 3000));
      await peer.until(() => peer.received === theirs.position, "the echo");
    }
    for (let i = 0; i < 100; i++) peer.write(theirs.take(20_000));
    await peer.until(() => peer.received === theirs.position, "the echoes");
  },

  "can be destroyed while paused with bytes unread": async ({ recorder, peer }) => {
    recorder.act((transport) => transport.pause());
    peer.write(new Pattern().take(100_000));
    await recorder.settle();
    recorder.act((transport) => transport.destroy());
    await recorder.until(() => recorder.gone, "closed");
    await peer.until(() => peer.gone || peer.ended, "the end at the peer");
  },

  "has the addresses of both ends": ({ recorder: { transport } }, link) => {
    assertEquals(transport.secure, link.secure);
    const { localAddress, remoteAddress } = transport;
    assertEquals([localAddress.transport, remoteAddress.transport], [
      link.kind === "unix" ? "unix" : "tcp",
      link.kind === "unix" ? "unix" : "tcp",
    ]);
    if (link.kind !== "unix") {
      assertEquals([localAddress.hostname, remoteAddress.hostname], ["127.0.0.1", "127.0.0.1"]);
      assertGreater(localAddress.port, 0);
      assertGreater(remoteAddress.port, 0);
    } else assertEquals([localAddress.port, remoteAddress.port], [0, 0]);
    return Promise.resolve();
  },

  "accepts socket options": async ({ recorder, peer }) => {
    recorder.act((transport) => {
      transport.setNoDelay(false);
      transport.setNoDelay(true);
      transport.setKeepAlive(true);
      transport.setKeepAlive(false);
    });
    const sender = new Sender(recorder);
    sender.write(10, false);
    await peer.until(() => peer.received === 10, "the bytes");
  },
};
