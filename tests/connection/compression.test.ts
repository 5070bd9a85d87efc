import { assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { Worker } from "node:worker_threads";
import {
  agreeOnDeflate,
  checkCompression,
  type CompressionOptions,
  deflateParameters,
  offerDeflate,
  resolveCompressorOptions,
} from "../../src/connection/compression.ts";
import { parseExtensions } from "../../src/handshake/extensions.ts";

const NAME = "permessage-deflate";

describe("compression options", () => {
  test("have defaults", () => {
    assertEquals(resolveCompressorOptions({}), { level: 6, memLevel: 8, threshold: 1024 });
    const own = { level: 1, memLevel: 9, threshold: 0 };
    assertEquals(resolveCompressorOptions({ ...own, contextTakeover: true }), own);
  });

  test("have a memory level that fits the window", () => {
    const levels = [9, 10, 14, 15].map((windowBits) =>
      resolveCompressorOptions({ windowBits }).memLevel
    );
    assertEquals(levels, [2, 3, 7, 8]);
    assertEquals(resolveCompressorOptions({ windowBits: 9, memLevel: 8 }).memLevel, 8);
  });

  test("may be at the limits", () => {
    for (const value of [1, 9]) checkCompression({ level: value, memLevel: value });
    for (const windowBits of [9, 15]) checkCompression({ windowBits });
  });

  const wrong: readonly (readonly [options: unknown, error: typeof Error, says: string])[] = [
    [{ level: 0 }, RangeError, "Cannot compress: level must be an integer from 1 to 9, got 0"],
    [{ level: 10 }, RangeError, "level must be an integer from 1 to 9, got 10"],
    [{ memLevel: 0 }, RangeError, "memLevel must be an integer from 1 to 9, got 0"],
    [{ memLevel: 10 }, RangeError, "memLevel must be an integer from 1 to 9, got 10"],
    [{ level: 1.5 }, RangeError, "level must be an integer from 1 to 9, got 1.5"],
    [{ level: "6" }, TypeError, "level must be an integer from 1 to 9"],
    [{ threshold: -1 }, RangeError, "Cannot compress: threshold"],
    [{ contextTakeover: 1 }, TypeError, "Cannot compress: contextTakeover"],
    [
      { windowBits: 8 },
      RangeError,
      "Cannot compress: windowBits must be an integer from 9 to 15, got 8",
    ],
    [{ windowBits: 16 }, RangeError, "windowBits must be an integer from 9 to 15, got 16"],
    [{ windowBits: 9.5 }, RangeError, "windowBits must be an integer from 9 to 15, got 9.5"],
    [{ windowBits: "9" }, TypeError, "windowBits must be an integer from 9 to 15"],
    [{ speed: 1 }, TypeError, "compression option"],
  ];
  for (const [options, error, says] of wrong) {
    test(`cannot be ${JSON.stringify(options)}`, () => {
      assertThrows(() => resolveCompressorOptions(options as CompressionOptions), error, says);
    });
  }
});

describe("an agreement", () => {
  const offers = parseExtensions("permessage-deflate; server_max_window_bits=10");

  test("has the parameters of a server", () => {
    const agreed = agreeOnDeflate(offers, { level: 3 });
    assertEquals(agreed?.response.split("; ")[0], "permessage-deflate");
    assertEquals(agreed?.parameters, {
      sendsWithoutContext: true,
      receivesWithoutContext: true,
      sendWindowBits: 10,
      receiveWindowBits: 15,
      level: 3,
      memLevel: 8,
      threshold: 1024,
    });
  });

  test("keeps the windows", () => {
    const plain = parseExtensions("permessage-deflate");
    const agreed = agreeOnDeflate(plain, { contextTakeover: true });
    assertEquals(agreed?.response, "permessage-deflate");
    assertEquals(agreed?.parameters.sendsWithoutContext, false);
    assertEquals(agreed?.parameters.receivesWithoutContext, false);
  });

  test("has at most the windows of the option", () => {
    const rows = [
      ["", "server_max_window_bits=11", 11, 15],
      ["client_max_window_bits", "server_max_window_bits=11; client_max_window_bits=11", 11, 11],
      ["server_max_window_bits=9; client_max_window_bits=10", undefined, 9, 10],
      ["server_max_window_bits=12; client_max_window_bits=15", undefined, 11, 11],
    ] as const;
    for (const [offer, response, sends, receives] of rows) {
      const offers = parseExtensions(offer === "" ? NAME : `${NAME}; ${offer}`);
      const agreed = agreeOnDeflate(offers, { contextTakeover: true, windowBits: 11 });
      const expected = response ??
        `server_max_window_bits=${sends}; client_max_window_bits=${receives}`;
      assertEquals(agreed?.response, `${NAME}; ${expected}`);
      const { sendWindowBits, receiveWindowBits, memLevel } = agreed?.parameters ?? {};
      assertEquals([sendWindowBits, receiveWindowBits, memLevel], [sends, receives, 4]);
    }
  });

  test("does not exist without a valid offer", () => {
    assertEquals(agreeOnDeflate(parseExtensions("permessage-bzip2"), {}), undefined);
  });

  test("gives each end its own parameters", () => {
    const agreement = {
      serverNoContextTakeover: true,
      clientNoContextTakeover: false,
      serverMaxWindowBits: 9,
      clientMaxWindowBits: 14,
    };
    const own = { level: 1, memLevel: 2, threshold: 3 };
    assertEquals(deflateParameters("server", agreement, own), {
      sendsWithoutContext: true,
      receivesWithoutContext: false,
      sendWindowBits: 9,
      receiveWindowBits: 14,
      ...own,
    });
    assertEquals(deflateParameters("client", agreement, own), {
      sendsWithoutContext: false,
      receivesWithoutContext: true,
      sendWindowBits: 14,
      receiveWindowBits: 9,
      ...own,
    });
  });

  test("does not exist without node:zlib", async () => {
    const worker = new Worker(new URL("./without_zlib.ts", import.meta.url));
    try {
      const [isNotOffered, isNotAgreedOn] = await new Promise<unknown[]>((resolve, reject) => {
        worker.once("message", resolve);
        worker.once("error", reject);
      });
      assertEquals([isNotOffered, isNotAgreedOn], [true, true]);
    } finally {
      await worker.terminate();
    }
  });

  test("starts with the offer of a client", () => {
    assertEquals(offerDeflate(undefined), undefined);
    assertEquals(offerDeflate({}), { contextTakeover: false, windowBits: 15 });
    const own = { contextTakeover: true, windowBits: 9 };
    assertEquals(offerDeflate({ ...own, level: 1 }), own);
  });
});
