/**
 * Plain HTTP in memory.
 *
 * @module
 */
import type { Settings } from "../../src/server/settings.ts";
import { Recording } from "../support/recording.ts";
import { Rig, settle, untilQuiet } from "../support/rig.ts";

/** The head of a request. */
export function head(line: string, ...fields: readonly string[]): string {
  return [line, "Host: example.com", ...fields, "", ""].join("\r\n");
}

/** An application that serves plain HTTP. */
export function serve(fetch: Settings["fetch"], settings: Partial<Settings> = {}): Rig {
  return new Rig([["/ws", Recording, []]], { fetch, ...settings });
}

/** Sends a request, and reads the whole response. */
export async function ask(
  fetch: Settings["fetch"],
  request: string,
  settings: Partial<Settings> = {},
) {
  const rig = serve(fetch, settings);
  const { client } = rig.join();
  client.write(request);
  await untilQuiet();
  client.end();
  await settle();
  return { ...client.parseAnswer(), events: client.events, logged: rig.logged, raw: client.raw };
}

/** The shortest response. */
export const ok = () => new Response("ok");
/** Answers with the body of the request. */
export const readBody = async (request: Request) => new Response(await request.text());
/** The shortest request. */
export const GET = head("GET / HTTP/1.1");
