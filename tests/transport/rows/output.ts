/**
 * What every transport must do when it writes.
 *
 * @module
 */
import { assertEquals, assertGreater } from "@std/assert";
import type { Peer } from "../links.ts";
import { Pattern } from "../pattern.ts";
import type { Recorder } from "../recorder.ts";
import type { Rows } from "../conformance.ts";
import { sized } from "../../support/sizes.ts";
import { MIB, Sender } from "../sender.ts";

/** Order, backpressure, and ownership of memory. */
export const output: Rows = {
  "delivers bytes in order, both ways": async ({ recorder, peer }) => {
    const ours = new Sender(recorder);
    const theirs = new Pattern();
    for (
      const [i, length] of [1, 2, 125, 511, 512, 513, 4096, 8192, 8193, 65_536, 200_000].entries()
    ) {
      ours.write(length, i % 2 === 0);
      peer.write(theirs.take(length));
      await recorder.until(() => recorder.received === theirs.position, `${length} bytes`);
      await peer.until(() => peer.received === ours.sent, `${length} bytes at the peer`);
    }
  },

  "carries megabytes each way at the same time between slow ends": async (connection) => {
    const { recorder, peer } = connection;
    const total = sized({ test: 3_000_000, soak: 12_000_000 });
    await Promise.all([pump(recorder, peer, total), pumpBack(recorder, peer, total)]);
    assertEquals([recorder.received, peer.received], [total, total]);
  },

  "counts unread bytes in bufferedAmount, and drains": async ({ recorder, peer }) => {
    peer.pause();
    const sender = new Sender(recorder);
    sender.fill(2 * MIB);
    await recorder.settle();
    // The system's buffers are full now.
    sender.fill(2 * MIB);
    const drains = recorder.drains;
    assertGreater(recorder.transport.bufferedAmount, MIB);
    peer.resume();
    await recorder.until(() => recorder.drains > drains, "drain");
    assertEquals(recorder.transport.bufferedAmount, 0);
    await peer.until(() => peer.received === sender.sent, "all bytes");
    assertEquals(peer.received, sender.sent);
  },

  "drains once when the system has accepted all bytes": async ({ recorder, peer }) => {
    const sender = new Sender(recorder);
    for (let i = 0; i < 8; i++) {
      const { drains } = recorder;
      sender.write(500_000, i % 2 === 0);
      if (recorder.transport.bufferedAmount > 0) {
        await recorder.until(() => recorder.drains > drains, "drain");
      }
      assertEquals(recorder.transport.bufferedAmount, 0);
    }
    await peer.until(() => peer.received === sender.sent, "all bytes");
  },

  "reads while its output waits": async ({ recorder, peer }) => {
    peer.pause();
    const sender = new Sender(recorder);
    sender.fill(MIB);
    const theirs = new Pattern();
    peer.write(theirs.take(300_000));
    await recorder.until(() => recorder.received === 300_000, "bytes while output is blocked");
    peer.resume();
    await peer.until(() => peer.received === sender.sent, "all bytes");
  },

  "copies unstable bytes, whether or not the system accepts them at once": async (
    { recorder, peer },
  ) => {
    const sender = new Sender(recorder);
    for (const length of [1, 100, 5_000, 20_000, 70_000]) sender.write(length, false);
    peer.pause();
    sender.fill(MIB);
    for (const length of [1, 100, 5_000, 20_000, 70_000]) sender.write(length, false);
    peer.resume();
    await peer.until(() => peer.received === sender.sent, "all bytes");
  },

  "works without writeStart, which a wrapper may remove": async (connection) => {
    const { recorder, peer } = connection;
    Object.assign(recorder.transport, { writeStart: undefined });
    const sender = new Sender(recorder);
    for (const length of [1, 100, 5_000, 20_000, 70_000]) sender.write(length, false);
    await peer.until(() => peer.received === sender.sent, "all bytes");
  },

  "sends many tiny writes in order": async ({ recorder, peer }) => {
    const sender = new Sender(recorder);
    for (let i = 0; i < 2_000; i++) sender.write(1 + i % 7, i % 3 === 0);
    await peer.until(() => peer.received === sender.sent, "the writes to a peer that reads");
    peer.pause();
    sender.fill(MIB);
    for (let i = 0; i < 5_000; i++) sender.write(1 + i % 7, i % 3 === 0);
    peer.resume();
    await peer.until(() => peer.received === sender.sent, "the writes to a peer that did not");
  },

  "ignores writes after end, destroy and closed": async ({ recorder, peer }) => {
    const bytes = new Uint8Array(1000);
    const sender = new Sender(recorder);
    sender.write(500, false);
    recorder.act((transport) => {
      transport.end();
      transport.write(bytes, true);
      transport.write(bytes, false);
      transport.end();
    });
    await peer.until(() => peer.ended, "FIN at the peer");
    recorder.act((transport) => transport.write(bytes, false));
    assertEquals(recorder.transport.bufferedAmount, 0);
    recorder.act((transport) => {
      transport.destroy();
      transport.write(bytes, true);
      transport.destroy();
      transport.end();
    });
    await recorder.until(() => recorder.gone, "closed");
    recorder.act((transport) => {
      transport.write(bytes, false);
      transport.pause();
      transport.resume();
      transport.setNoDelay(true);
      transport.setKeepAlive(true);
      transport.end();
      transport.destroy();
    });
    assertEquals(recorder.transport.bufferedAmount, 0);
    await recorder.settle();
    assertEquals(peer.received, 500);
  },

  "accepts empty writes": async ({ recorder, peer }) => {
    const sender = new Sender(recorder);
    for (const stable of [true, false]) {
      sender.write(0, stable);
      sender.write(10, stable);
      sender.write(0, stable);
    }
    await peer.until(() => peer.received === 20, "the bytes");
    recorder.act((transport) => transport.write(new Uint8Array(0), false));
    recorder.act((transport) => transport.end());
    await peer.until(() => peer.ended, "FIN at the peer");
  },
};

/** Sends `total` bytes to a peer that stops reading now and then. */
async function pump(recorder: Recorder, peer: Peer, total: number): Promise<void> {
  let next = MIB;
  peer.onData = () => {
    if (peer.received < next) return;
    next += MIB;
    peer.pause();
    setTimeout(() => peer.resume(), 2);
  };
  const sender = new Sender(recorder);
  for (let i = 0; sender.sent < total; i++) {
    sender.write(Math.min(1 + i * 7919 % 150_000, total - sender.sent), i % 2 === 0);
    if (recorder.transport.bufferedAmount > 256 * 1024) {
      const { drains } = recorder;
      await recorder.until(() => recorder.drains > drains || recorder.gone, "drain");
    }
  }
  await peer.until(() => peer.received >= total || peer.gone, "all bytes at the peer");
}

/** Lets the peer send `total` bytes to a transport that stops reading now and then. */
async function pumpBack(recorder: Recorder, peer: Peer, total: number): Promise<void> {
  let next = MIB;
  recorder.onData = () => {
    if (recorder.received < next) return;
    next += MIB;
    recorder.act((transport) => transport.pause());
    setTimeout(() => recorder.act((transport) => transport.resume()), 2);
  };
  const pattern = new Pattern();
  for (let i = 0; pattern.position < total; i++) {
    peer.write(pattern.take(Math.min(1 + i * 6007 % 150_000, total - pattern.position)));
    if (peer.bufferedAmount > 256 * 1024) {
      await peer.until(() => peer.bufferedAmount < 64 * 1024 || peer.gone, "the peer's drain");
    }
  }
  await recorder.until(() => recorder.received >= total || recorder.gone, "all bytes");
}
