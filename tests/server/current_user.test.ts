import { assertEquals, assertRejects } from "@std/assert";
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { Application, HttpError, type Settings, WebSocketHandler } from "../../mod.ts";
import { HYBI, Rig, settle, VERSIONS } from "../support/rig.ts";

const file = new URL("../vectors/tornado_signed_values.json", import.meta.url);
const { rows } = JSON.parse(readFileSync(file, "utf8")) as {
  readonly rows: readonly { says: string; name: string; secret: string; signed: string }[];
};

/** A cookie that Tornado has signed, of the year 2011. */
function signedCookie(says: string): { name: string; secret: string; signed: string } {
  const row = rows.find((row) => row.says === says);
  if (row === undefined) throw new Error(`no row: ${says}`);
  return row;
}

const AGES = 365 * 100;

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** A text, signed for `user` at a time. */
function signAt(time: number, secret: string, text = "ann"): string {
  const seconds = `${Math.floor(time / 1000)}`;
  const value = Buffer.from(text).toString("base64");
  const content = `2|1:0|${seconds.length}:${seconds}|4:user|${value.length}:${value}|`;
  return content + createHmac("sha256", secret).update(content).digest("hex");
}

class Alone extends WebSocketHandler {
  onMessage(): void {}
}

/** A handler whose request has a cookie. */
function withCookie(value: string, settings: Partial<Settings>): Alone {
  const headers = { cookie: `other=1; user=${value}; token=${value}` };
  return new Alone(new Application([], settings), new Request("http://x/", { headers }), undefined);
}

describe("a signed cookie", () => {
  const { secret: cookieSecret, signed } = signedCookie("a text");

  test("is read with its secret, plain or in quotes", async () => {
    for (const value of [signed, `"${signed}"`]) {
      const handler = withCookie(value, { cookieSecret });
      assertEquals(await handler.getSignedCookie("user", { maxAgeDays: AGES }), "ann");
      assertEquals(await handler.getSignedCookie("user"), undefined);
      assertEquals(await handler.getSignedCookie("other", { maxAgeDays: AGES }), undefined);
      assertEquals(await handler.getSignedCookie("none", { maxAgeDays: AGES }), undefined);
    }
  });

  test("is read with the secret of its key version", async () => {
    const { signed } = signedCookie("a key version of 1");
    const read = (cookieSecret: Record<number, string>) =>
      withCookie(signed, { cookieSecret }).getSignedCookie("user", { maxAgeDays: AGES });
    assertEquals(await read({ 0: "old", 1: "new" }), "ann");
    assertEquals(await read({ 0: "new", 1: "old" }), undefined);
    assertEquals(await read({ 0: "old" }), undefined);
  });

  test("is accepted for 31 days, or for maxAgeDays", async () => {
    for (const [days, options] of [[31, {}], [2, { maxAgeDays: 2 }]] as const) {
      const read = (age: number) =>
        withCookie(signAt(Date.now() - age, "s"), { cookieSecret: "s" })
          .getSignedCookie("user", options);
      assertEquals(await read(days * DAY - 2 * MINUTE), "ann");
      assertEquals(await read(days * DAY + 2 * MINUTE), undefined);
    }
  });

  test("may be for the present second only", async () => {
    const handler = withCookie(signAt(Date.now() - 2 * MINUTE, "s"), { cookieSecret: "s" });
    assertEquals(await handler.getSignedCookie("user", { maxAgeDays: 0 }), undefined);
  });

  test("of version 1 is read only if that is asked for", async () => {
    const { signed } = signedCookie("a text, in version 1");
    const handler = withCookie(signed, { cookieSecret });
    for (const options of [{ maxAgeDays: AGES }, { maxAgeDays: AGES, minVersion: 2 }] as const) {
      assertEquals(await handler.getSignedCookie("user", options), undefined);
    }
    assertEquals(
      await handler.getSignedCookie("user", { maxAgeDays: AGES, minVersion: 1 }),
      "ann",
    );
  });

  test("keeps a byte order mark", async () => {
    const handler = withCookie(signAt(Date.now(), "s", "\ufeffann"), { cookieSecret: "s" });
    assertEquals(await handler.getSignedCookie("user"), "\ufeffann");
  });

  test("is bytes or text", async () => {
    const { signed } = signedCookie("bytes");
    const handler = withCookie(signed, { cookieSecret });
    const bytes = await handler.getSignedCookieBytes("token", { maxAgeDays: AGES });
    assertEquals(bytes && [...bytes], [0, 1, 127, 128, 254, 255]);
    await assertRejects(
      () => handler.getSignedCookie("token", { maxAgeDays: AGES }),
      TypeError,
      'Cannot read the signed cookie "token" as text: it is not UTF-8. Use getSignedCookieBytes',
    );
  });

  test("cannot be read without a secret or with a wrong option", async () => {
    await assertRejects(
      () => withCookie(signed, {}).getSignedCookie("user"),
      TypeError,
      "the setting cookieSecret is missing",
    );
    const wrong: readonly (readonly [object, string])[] = [
      [{ maxAgeDays: "31" }, 'maxAgeDays must be a number that is not negative, got "31"'],
      [{ minVersion: 3 }, "minVersion must be 1 or 2, got 3"],
      [{ maxAge: 5 }, 'option of a signed cookie "maxAge": unknown'],
    ];
    for (const [options, says] of wrong) {
      const handler = withCookie(signed, { cookieSecret });
      await assertRejects(() => handler.getSignedCookie("user", options), TypeError, says);
    }
    await assertRejects(
      () => withCookie(signed, { cookieSecret }).getSignedCookie("user", { maxAgeDays: -1 }),
      RangeError,
      "maxAgeDays must be a number that is not negative, got -1",
    );
  });

  for (const version of VERSIONS) {
    test(`${version}: lets prepare() refuse or accept a client`, async () => {
      const users: unknown[] = [];
      class Private extends WebSocketHandler {
        override getCurrentUser(): string | undefined {
          return undefined;
        }
        override async prepare(): Promise<void> {
          this.currentUser = await this.getSignedCookie("user", { maxAgeDays: AGES });
          if (this.currentUser === undefined) throw new HttpError(401, "Log in first");
        }
        override open(): void {
          users.push(this.currentUser);
        }
        onMessage(): void {}
      }
      const rig = new Rig(Private, { cookieSecret });
      const opened = rig.open(version, { fields: [`Cookie: user="${signed}"`] });
      // WebCrypto answers in its own time.
      await opened.catch(() => {});
      while (rig.app.stats().connections.open === 0 && rig.logged.length === 0) await settle();
      assertEquals([users, rig.logged], [["ann"], []]);
    });
  }
});

describe("the current user", () => {
  test("is asked for once, when it is first read", () => {
    let calls = 0;
    class Asked extends Alone {
      override getCurrentUser(): { readonly id: number } {
        return { id: ++calls };
      }
    }
    const handler = new Asked(new Application([]), new Request("http://x/"), undefined);
    assertEquals(calls, 0);
    assertEquals([handler.currentUser.id, handler.currentUser.id, calls], [1, 1, 1]);
    handler.currentUser = { id: 7 };
    assertEquals([handler.currentUser.id, calls], [7, 1]);
  });

  test("is not asked for if it was set, and undefined by default", () => {
    class Never extends Alone {
      override getCurrentUser(): string | undefined {
        throw new Error("asked");
      }
    }
    const handler = new Never(new Application([]), new Request("http://x/"), undefined);
    handler.currentUser = undefined;
    assertEquals(handler.currentUser, undefined);
    assertEquals(
      new Alone(new Application([]), new Request("http://x/"), undefined).currentUser,
      undefined,
    );
  });
});

for (const version of [...HYBI, "draft76", "draft75"] as const) {
  test(`${version}: the arguments of the path and the query have Tornado's names`, async () => {
    const seen: unknown[] = [];
    class Seeing extends WebSocketHandler {
      override open(...args: string[]): void {
        seen.push(args, this.pathArgs, this.getQueryArgument("a"), this.getQueryArguments("b"));
        seen.push(this.getQueryArgument("none", null));
      }
      onMessage(): void {}
    }
    const rig = new Rig([["/rooms/:room/:user", Seeing]]);
    await rig.open(version, { path: "/rooms/a%20b/c?a=1&b=2&b=3" });
    assertEquals(seen, [["a b", "c"], ["a b", "c"], "1", ["2", "3"], null]);
  });
}
