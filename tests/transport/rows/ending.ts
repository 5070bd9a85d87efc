/**
 * What every transport must do when a connection ends.
 *
 * @module
 */
import { assert, assertEquals, assertLess } from "@std/assert";
import type { Link } from "../links.ts";
import { Pattern } from "../pattern.ts";
import type { Recorder } from "../recorder.ts";
import type { Rows } from "../conformance.ts";
import { MIB, Sender } from "../sender.ts";

/** FIN from either end, resets and `destroy`. */
export const ending: Rows = {
  "goes on writing after the peer's FIN": async ({ recorder, peer }) => {
    const sender = new Sender(recorder);
    peer.write(new Pattern().take(1000));
    peer.end();
    await recorder.until(() => recorder.ended, "end");
    assertEquals(recorder.received, 1000);
    await recorder.settle();
    assert(!recorder.gone, "closed by the peer's FIN alone");
    sender.write(300_000, true);
    await peer.until(() => peer.received === sender.sent, "bytes after FIN");
    recorder.act((transport) => transport.end());
    await peer.until(() => peer.ended, "FIN at the peer");
    await recorder.until(() => recorder.gone, "closed");
    assertEquals(recorder.error, undefined);
  },

  "goes on reading after its own FIN": async ({ recorder, peer }) => {
    const sender = new Sender(recorder);
    sender.write(1000, false);
    recorder.act((transport) => transport.end());
    await peer.until(() => peer.ended, "FIN at the peer");
    assertEquals(peer.received, 1000);
    peer.write(new Pattern().take(300_000));
    await recorder.until(() => recorder.received === 300_000, "bytes after FIN");
    assert(!recorder.gone, "closed by its own FIN alone");
    peer.end();
    await recorder.until(() => recorder.gone, "closed");
    assert(recorder.ended, "closed without end");
    assertEquals(recorder.error, undefined);
  },

  "sends FIN after the queued bytes": async ({ recorder, peer }) => {
    peer.pause();
    const sender = new Sender(recorder);
    sender.fill(4 * MIB);
    recorder.act((transport) => transport.end());
    await recorder.settle();
    peer.resume();
    await peer.until(() => peer.ended, "FIN at the peer");
    assertEquals(peer.received, sender.sent);
    assert(!recorder.gone, "closed before the peer's FIN");
    peer.end();
    await recorder.until(() => recorder.gone, "closed");
    assertEquals(recorder.error, undefined);
  },

  "drops queued bytes when it is destroyed": async ({ recorder, peer }) => {
    peer.pause();
    const sender = new Sender(recorder);
    sender.fill(2 * MIB);
    await recorder.settle();
    // The system's buffers are full now.
    sender.fill(2 * MIB);
    recorder.act((transport) => transport.destroy());
    assertEquals(recorder.transport.bufferedAmount, 0);
    await recorder.until(() => recorder.gone, "closed");
    assertEquals(recorder.error, undefined);
    peer.resume();
    await peer.until(() => peer.ended || peer.gone, "the end at the peer");
    assertLess(peer.received, sender.sent);
  },

  "is closed once when the peer resets it": async ({ recorder, peer }, link) => {
    peer.write(new Pattern().take(10));
    await recorder.until(() => recorder.received === 10, "the first bytes");
    peer.reset();
    await goneAfterReset(recorder, link);
    await recorder.settle();
  },

  "is closed once when the peer resets it during writes": async ({ recorder, peer }) => {
    peer.pause();
    const sender = new Sender(recorder);
    sender.fill(MIB);
    peer.reset();
    for (let i = 0; i < 100 && !recorder.gone; i++) {
      sender.write(10_000, i % 2 === 0);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await recorder.until(() => recorder.gone, "closed");
    assertEquals(recorder.transport.bufferedAmount, 0);
    await recorder.settle();
  },

  "is closed when it writes, while paused, to a peer that has reset it": async (connection) => {
    const { recorder, peer } = connection;
    const sender = new Sender(recorder);
    recorder.act((transport) => transport.pause());
    peer.reset();
    // First without a turn of the event loop, so that the runtime has not noticed the reset yet.
    for (let i = 0; i < 1000; i++) sender.write(1, false);
    for (let i = 0; i < 100 && !recorder.gone; i++) {
      sender.write(1000, false);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await recorder.until(() => recorder.gone, "closed");
    await recorder.settle();
  },

  "is closed once when the peer resets it after its FIN": async ({ recorder, peer }, link) => {
    recorder.act((transport) => transport.end());
    await peer.until(() => peer.ended, "FIN at the peer");
    peer.reset();
    await goneAfterReset(recorder, link);
    await recorder.settle();
  },

  "can be ended from inside data and end": async ({ recorder, peer }) => {
    const sender = new Sender(recorder);
    recorder.onData = (chunk) => {
      sender.write(chunk.length, false);
      recorder.act((transport) => transport.end());
      sender.write(0, false);
    };
    peer.write(new Pattern().take(10));
    await peer.until(() => peer.ended, "FIN at the peer");
    assertEquals(peer.received, 10);
    peer.end();
    await recorder.until(() => recorder.gone, "closed");
  },
};

/** Waits for the close after a reset, or for FIN on links that cannot reset. */
async function goneAfterReset(recorder: Recorder, link: Link): Promise<void> {
  if (!link.resets) {
    await recorder.until(() => recorder.ended || recorder.gone, "end");
    recorder.act((transport) => transport.destroy());
    await recorder.until(() => recorder.gone, "closed");
    assertEquals(recorder.error, undefined);
  } else await recorder.until(() => recorder.gone, "closed");
}
