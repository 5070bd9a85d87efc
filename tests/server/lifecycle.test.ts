import { describe, test } from "node:test";
import { assertEquals } from "@std/assert";
import { Recording } from "../support/recording.ts";
import { Rig, settle, VERSIONS } from "../support/rig.ts";

describe("a connection", () => {
  for (const version of VERSIONS) {
    test(`${version}: opens, echoes, closes`, async () => {
      const events: string[] = [];
      class Echo extends Recording {
        override onMessage(message: string | Uint8Array): void {
          super.onMessage(message);
          this.writeMessage(message);
        }
      }
      const rig = new Rig([["/", Echo, events]]);
      const client = await rig.open(version);
      client.send("hello");
      await settle();
      assertEquals(client.take(), ["text hello"]);
      client.close(1000, "bye");
      client.end();
      await settle();
      const codes = version.startsWith("draft") ? "" : " 1000";
      const reason = codes === "" ? "" : " bye";
      assertEquals(events, ["open", "text hello", `close${codes}${reason}`]);
      const closing = version === "draft75" ? [] : [`close${codes}`];
      assertEquals(client.take(), [...closing, "FIN", "gone"]);
    });
  }
});
