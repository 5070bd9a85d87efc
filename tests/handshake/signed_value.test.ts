import { assertEquals } from "@std/assert";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import {
  type CookieSecret,
  decodeSignedValue,
  type SignedValueRules,
} from "../../src/handshake/signed_value.ts";

/** A value signed by Tornado. */
interface Row {
  readonly says: string;
  readonly name: string;
  readonly value: string | readonly number[];
  readonly secret: CookieSecret;
  readonly version: number;
  readonly signed: string;
}

const file = new URL("../vectors/tornado_signed_values.json", import.meta.url);
const { rows } = JSON.parse(readFileSync(file, "utf8")) as { readonly rows: readonly Row[] };

/** When the values were signed, in milliseconds. */
const SIGNED_AT = 1_300_000_000_000;
const DAY = 24 * 60 * 60 * 1000;

function rulesFor(row: Row, rules: Partial<SignedValueRules> = {}): SignedValueRules {
  const { name, secret } = row;
  return { name, secret, maxAge: 31 * DAY, minVersion: 1, now: SIGNED_AT, ...rules };
}

function bytesOf({ value }: Row): Uint8Array {
  return typeof value === "string" ? new TextEncoder().encode(value) : Uint8Array.from(value);
}

/** Checks the value that is read from a text. */
async function check(text: string, rules: SignedValueRules, expected?: Uint8Array): Promise<void> {
  const bytes = await decodeSignedValue(text, rules);
  assertEquals(bytes === undefined ? undefined : [...bytes], expected && [...expected]);
}

for (const row of rows) {
  describe(`a signed value: ${row.says}`, () => {
    test("is read", async () => {
      await check(row.signed, rulesFor(row), bytesOf(row));
      await check(row.signed, rulesFor(row, { minVersion: row.version }), bytesOf(row));
    });

    test("is not read if a higher version is asked for", async () => {
      await check(row.signed, rulesFor(row, { minVersion: row.version + 1 }));
    });

    test("is read until it is too old", async () => {
      for (
        const [age, isRead] of [[0, true], [31 * DAY, true], [31 * DAY + 1000, false]] as const
      ) {
        const rules = rulesFor(row, { now: SIGNED_AT + age });
        await check(row.signed, rules, isRead ? bytesOf(row) : undefined);
      }
      await check(row.signed, rulesFor(row, { maxAge: 0 }), bytesOf(row));
      await check(row.signed, rulesFor(row, { maxAge: 0, now: SIGNED_AT + 1000 }));
    });

    test("is not read under another name or with another secret", async () => {
      await check(row.signed, rulesFor(row, { name: `${row.name}x` }));
      await check(row.signed, rulesFor(row, { name: "" }));
      await check(row.signed, rulesFor(row, { secret: "other" }));
      await check(row.signed, rulesFor(row, { secret: { 99: "other" } }));
      if (typeof row.secret === "string") return;
      const inherited = Object.create(row.secret) as CookieSecret;
      await check(row.signed, rulesFor(row, { secret: inherited }));
    });

    test("is not read if a character is changed, missing or added", async () => {
      const { signed } = row;
      const places = signed.length < 300
        ? [...signed].keys()
        : [0, 2, 10, 30, 300, signed.length - 65, signed.length - 1];
      for (const at of places) {
        const other = signed[at] === "1" ? "2" : "1";
        await check(signed.slice(0, at) + other + signed.slice(at + 1), rulesFor(row));
        await check(signed.slice(0, at) + signed.slice(at + 1), rulesFor(row));
        await check(signed.slice(0, at) + other + signed.slice(at), rulesFor(row));
        await check(signed.slice(0, at), rulesFor(row));
      }
      await check(`${signed}0`, rulesFor(row));
      await check(signed.toUpperCase(), rulesFor(row));
    });
  });
}

describe("a text that nobody has signed", () => {
  const texts = [
    "",
    "|",
    "||",
    "2|",
    "2||||",
    "1|1:0|10:1300000000|4:user|4:YW5u|00",
    "3|1:0|10:1300000000|4:user|4:YW5u|00",
    "2|1:0|10:1300000000|4:user|4:YW5u|",
    "2|1:0|10:1300000000|4:user|4:YW5u",
    "2|-1:0|10:1300000000|4:user|4:YW5u|00",
    "2|9999999:0|10:1300000000|4:user|4:YW5u|00",
    "2|1:0|10:13000000x0|4:user|4:YW5u|00",
    "2|1:x|10:1300000000|4:user|4:YW5u|00",
    "2|1:0|10:1300000000|4:user|4:YW5u|" + "g".repeat(64),
    "2|1:0|10:1300000000|4:user|4:YW5u|" + "0".repeat(64),
    "YW5u|1300000000|" + "0".repeat(40),
    "YW5u|01300000000|" + "0".repeat(40),
    "YW5u|13e8|" + "0".repeat(40),
    "a|b|c|d",
    "\u0000".repeat(100),
  ];
  for (const text of texts) {
    test(`${JSON.stringify(text)} is not read`, async () => {
      for (const secret of ["secret", { 0: "secret" }]) {
        const rules = { name: "user", secret, maxAge: Infinity, minVersion: 1, now: SIGNED_AT };
        await check(text, rules);
      }
    });
  }

  test("is not read if it is malformed, even with its right signature", async () => {
    const rules = { name: "user", secret: "secret", maxAge: DAY, minVersion: 1, now: SIGNED_AT };
    const rows: readonly [content: string, isRead: boolean][] = [
      ["2|1:0|10:1300000000|4:user|4:YW5u|", true],
      ["3|1:0|10:1300000000|4:user|4:YW5u|", false],
      ["2|1:0|10:1300000000|+4:user|4:YW5u|", false],
      ["2|1:0,10:1300000000|4:user|4:YW5u|", false],
      ["2|1:0|10:1300000000|4:user|4:YW5u,", false],
      ["2|1:x|10:1300000000|4:user|4:YW5u|", false],
      ["2|0:|10:1300000000|4:user|4:YW5u|", false],
    ];
    for (const [content, isRead] of rows) {
      const signature = createHmac("sha256", "secret").update(content).digest("hex");
      await check(content + signature, rules, isRead ? new TextEncoder().encode("ann") : undefined);
    }
  });

  test("is not read in version 1 if it has the signature of other parts", async () => {
    const sign = (key: string, value: string, time: string) =>
      createHmac("sha1", key).update(`user${value}${time}`).digest("hex");
    const rules = { name: "user", secret: "secret", maxAge: DAY, minVersion: 1, now: SIGNED_AT };
    const signature = sign("secret", "YWQ0", "1300000000");
    await check(`YWQ0|1300000000|${signature}`, rules, new TextEncoder().encode("ad4"));
    await check(`YWQ0|1300000000|${signature}|`, rules);
    await check(`YWQ0|1300000000|${signature}|more`, rules);
    // A value of digits is not the number of a version above 999.
    const ofDigits = sign("secret", "1000", "1300000000");
    await check(`1000|1300000000|${ofDigits}`, rules, Uint8Array.of(0xd7, 0x4d, 0x34));
    await check(`999|1300000000|${sign("secret", "999", "1300000000")}`, rules);
    // A digit moves from the value to the time, or back.
    await check(`YWQ|01300000000|${signature}`, rules);
    await check(`YWQ01|300000000|${signature}`, { ...rules, maxAge: Infinity });
    // `String({})` is the same for every table of secrets, so it must not work as a key.
    const forged = sign(String({}), "YWQ0", "1300000000");
    await check(`YWQ0|1300000000|${forged}`, { ...rules, secret: { 0: "secret" } });
  });

  test("is not read in version 1 if its time is far in the future", async () => {
    const row = rows.find(({ version }) => version === 1) as Row;
    await check(row.signed, rulesFor(row, { now: SIGNED_AT - 31 * DAY }), bytesOf(row));
    await check(row.signed, rulesFor(row, { now: SIGNED_AT - 31 * DAY - 1000 }));
  });
});
