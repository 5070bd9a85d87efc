/**
 * A client of plain HTTP on the port of a WebSocket server: sends requests, one after the other or at
 * once, and checks that each gets its own response.
 *
 * @module
 */
import type { MemoryTransport } from "../../src/transport/memory.ts";
import { latin1Bytes, latin1Text } from "../support/bytes.ts";
import { fill, padding } from "./frames.ts";
import type { Guest, GuestOptions } from "./guest.ts";
import { must } from "./member.ts";
import type { ClientStep, PlannedClient, PlanSettings, RequestCommand } from "./plan.ts";

const encoder = new TextEncoder();

/** How late a timer may be, in milliseconds: some ticks of the timing wheel. */
const LATE = 150;

/** How long a rejected client may keep its socket, in milliseconds. */
const REJECTED = 1000;

/** A request that was sent. */
interface SentRequest {
  readonly command: RequestCommand;
  /** The body, as characters of one byte. */
  readonly body: string;
  readonly isOver: boolean;
}

/** A response that was received. */
interface ReceivedResponse {
  readonly status: number;
  readonly body: string;
  /** Whether no response follows. */
  readonly isLast: boolean;
}

/** One client. */
export class Visitor implements Guest {
  readonly name: string;
  readonly plan: PlannedClient;
  readonly transport: MemoryTransport;
  stalled = false;
  wasStalled = false;
  leftAt = 0;
  /** Whether its process has slept. */
  hasSlept = false;
  /** Whether the socket is closed. */
  gone = false;
  /** How many requests the application is answering, and whether one never settles. */
  active = 0;
  /** How many bodies of responses are being sent. */
  streaming = 0;
  hangs = false;
  /** How many requests have reached the application. */
  handled = 0;
  readonly #note: (line: string) => void;
  readonly #options: GuestOptions;
  readonly #sent: SentRequest[] = [];
  #answered = 0;
  #text = "";
  #finished = false;
  #finishedAt = 0;
  /** Whether it has sent FIN or a reset, or the last response has come. */
  #leaving = false;
  #connectedAt = 0;
  /** When it has last sent or received something. */
  #activeAt = 0;
  failure: string | undefined;

  /** @param name Its name in traces. */
  constructor(
    name: string,
    { plan, transport, note }: {
      readonly plan: PlannedClient;
      readonly transport: MemoryTransport;
      readonly note: (line: string) => void;
    },
    options: GuestOptions,
  ) {
    this.name = name;
    this.plan = plan;
    this.transport = transport;
    this.#note = (line) => note(`${name} ${line}`);
    this.#options = options;
    this.#connectedAt = this.#activeAt = options.clock.now();
    transport.events = {
      data: (chunk) => this.#read(chunk),
      drain: () => {},
      end: () => this.#receivedEnd(),
      closed: () => {
        this.#note("is gone");
        this.gone = true;
      },
    };
  }

  #receivedEnd(): void {
    this.#note("receives FIN");
    this.#finished = true;
    this.#finishedAt = this.#options.clock.now();
    if (!this.plan.isStubborn) this.transport.end();
  }

  #must(holds: boolean, what: () => string): void {
    if (holds) return;
    this.failure ??= `${this.name}: ${what()}`;
    throw new Error(this.failure);
  }

  /** See {@linkcode Guest.act}. */
  act(step: ClientStep): void {
    if (this.gone) return;
    if (step.op === "fin" || step.op === "close") {
      this.#leaving = true;
      this.transport.end();
    } else if (step.op === "reset" || step.op === "garbage") {
      this.#leaving = true;
      this.transport.destroy();
    } else if (step.op === "request" && !this.#leaving && !this.#finished) {
      for (let left = step.count; left > 0; left--) this.#send(step);
    }
  }

  #send({ command, size, chunked }: ClientStep & { readonly op: "request" }): void {
    const { clock, settings: { maxBodySize } } = this.#options;
    const number = this.#sent.length;
    const start = `${number} `;
    const body = typeof size === "number"
      ? start + "b".repeat(padding(size).length)
      : fill(start, maxBodySize + Number(size === "over"));
    const hasBody = command !== "get";
    this.#sent.push({ command, body, isOver: hasBody && body.length > maxBodySize });
    this.#activeAt = clock.now();
    const head = `${hasBody ? "POST" : "GET"} /h/${this.name}/${number}/${command} HTTP/1.1\r\n` +
      "Host: localhost\r\n";
    const framed = !hasBody
      ? "\r\n"
      : chunked
      ? `Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
      : `Content-Length: ${body.length}\r\n\r\n${body}`;
    const bytes = latin1Bytes(head + framed);
    if (this.plan.opening === "silent") return;
    const isWhole = this.plan.opening === "whole";
    this.transport.write(isWhole ? bytes : bytes.subarray(0, head.length - 3), false);
  }

  #read(chunk: Uint8Array): void {
    this.#activeAt = this.#options.clock.now();
    this.#text += latin1Text(chunk);
    for (;;) {
      const response = this.#next();
      if (response === undefined) return;
      this.#received(response);
    }
  }

  /** Takes a whole response from the received text. */
  #next(): ReceivedResponse | undefined {
    const end = this.#text.indexOf("\r\n\r\n");
    if (end === -1) return undefined;
    const head = this.#text.slice(0, end).toLowerCase();
    const status = Number(head.split(" ")[1]);
    const isLast = head.includes("\r\nconnection: close");
    const length = /\r\ncontent-length: (\d+)/.exec(head)?.[1];
    const start = end + 4;
    if (length !== undefined) {
      const stop = start + Number(length);
      if (this.#text.length < stop) return undefined;
      const body = this.#text.slice(start, stop);
      this.#text = this.#text.slice(stop);
      return { status, body, isLast };
    }
    const chunks = /^(?:[0-9a-f]+\r\n[^\r]+\r\n)*0\r\n\r\n/.exec(this.#text.slice(start));
    if (chunks === null) return undefined;
    const [framed] = chunks;
    this.#text = this.#text.slice(start + framed.length);
    // The lines are sizes and chunks in turn.
    const body = framed.split("\r\n").filter((_, at) => at % 2 === 1).join("");
    return { status, body, isLast };
  }

  #received({ status, body, isLast }: ReceivedResponse): void {
    const number = this.#answered++;
    this.#note(`receives ${status} for ${number}`);
    if (isLast) this.#leaving = true;
    const sent = this.#sent[number];
    if (status === 408 || status === 503) {
      const isLate = this.wasStalled || this.hasSlept;
      const mayBe = status === 503 || this.plan.opening !== "whole" || isLate;
      return this.#must(mayBe, () => `request ${number} was refused with ${status}`);
    }
    this.#must(sent !== undefined, () => `there is a response ${number}`);
    if (sent === undefined) return;
    const expected = expectedStatus(sent);
    // Whether a body is read before its end shows that it is too large depends on how it arrives.
    this.#must(
      status === expected || (status === 413 && sent.isOver),
      () => `request ${number} got ${status}, not ${expected}`,
    );
    if (status !== 200) return;
    const wanted = sent.command === "echo" ? sent.body : `${number} `.repeat(3);
    this.#must(body === wanted, () => `request ${number} got the body ${body.slice(0, 40)}`);
  }

  /** The application answers a request. @param isActive Whether it begins or ends. */
  answering(isActive: boolean): void {
    this.active += isActive ? 1 : -1;
    if (isActive) this.handled++;
    this.#note(isActive ? "is being answered" : "was answered");
    this.#must(this.active <= 1, () => "two requests are answered at a time");
  }

  // --- Invariants -------------------------------------------------------------------------------

  /** What must hold when nothing is on its way. @param punctual Whether the process never slept. */
  checkSettled(settings: PlanSettings, now: number, punctual: boolean): void {
    if (this.failure !== undefined) throw new Error(this.failure);
    if (this.gone || this.wasStalled || this.hangs) return;
    const { keepAliveTimeout, handshakeTimeout } = settings;
    const isIdle = this.active === 0 && this.streaming === 0;
    if (!this.#leaving && !this.#finished && isIdle && this.plan.opening === "whole") {
      must(
        this.#answered === this.#sent.length,
        `${this.name}: ${this.#answered} of ${this.#sent.length} responses`,
      );
    }
    if (!punctual || !isIdle) return;
    this.#checkLingering(settings, now);
    const isNew = this.#answered === 0;
    const timeout = isNew || this.plan.opening !== "whole" ? handshakeTimeout : keepAliveTimeout;
    if (timeout === 0 || this.#finished) return;
    const waited = now - (isNew ? this.#connectedAt : this.#activeAt);
    must(waited <= timeout + LATE, `${this.name}: idle for ${waited} ms`);
  }

  /** Checks that a client cannot keep its socket after the server has closed it. */
  #checkLingering({ closeTimeout }: PlanSettings, now: number): void {
    if (!this.#finished || closeTimeout === 0) return;
    const waited = now - this.#finishedAt;
    const patience = Math.max(2 * closeTimeout, REJECTED) + LATE;
    must(waited <= patience, `${this.name}: the socket is open ${waited} ms after FIN`);
  }

  /** What must hold at the end of the world. */
  checkEnd(): void {
    must(this.gone, `${this.name}: the socket is open`);
    if (!this.hangs) must(this.active === 0, `${this.name}: a request was not answered`);
  }
}

/** The status of a response to a request. */
function expectedStatus({ command, isOver }: SentRequest): number {
  if (command === "refuse") return 403;
  if (command === "throw") return 500;
  return isOver && command !== "unread" ? 413 : 200;
}

/** Answers a request of a visitor: the setting `fetch` of a world. */
export async function answer(
  request: Request,
  { visitor, sleep }: {
    readonly visitor: (name: string) => Visitor;
    readonly sleep: (time: number) => Promise<void>;
  },
): Promise<Response> {
  const [, , name = "", number = "", command = ""] = new URL(request.url).pathname.split("/");
  const guest = visitor(name);
  guest.answering(true);
  try {
    return await respond(request, { command, number, guest, sleep });
  } finally {
    guest.answering(false);
  }
}

async function respond(
  request: Request,
  { command, number, guest, sleep }: {
    readonly command: string;
    readonly number: string;
    readonly guest: Visitor;
    readonly sleep: (time: number) => Promise<void>;
  },
): Promise<Response> {
  const part = `${number} `;
  switch (command as RequestCommand) {
    case "echo":
      return responseOf(await request.text());
    case "slow":
      await request.text();
      await sleep(300);
      break;
    case "stream":
      await request.text();
      return new Response(streamOf([part, part, part], { guest, sleep }));
    case "refuse":
      return new Response(null, { status: 403 });
    case "throw":
      await request.text();
      throw new Error("on purpose");
    case "hang":
      guest.hangs = true;
      return await new Promise(() => {});
    case "cut":
      guest.hangs = true;
      return new Response(streamOf([part, undefined], { guest, sleep }));
  }
  return responseOf(part.repeat(3));
}

/**
 * A response of known length. Without `Content-Length`, its framing would depend on how fast the
 * runtime reads the body.
 */
function responseOf(text: string): Response {
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(encoder.encode(text));
      controller.close();
    },
  });
  return new Response(body, { headers: { "Content-Length": `${text.length}` } });
}

/** A body in pieces. `undefined` is an error. */
function streamOf(
  parts: readonly (string | undefined)[],
  { guest, sleep }: {
    readonly guest: Visitor;
    readonly sleep: (time: number) => Promise<void>;
  },
): ReadableStream<Uint8Array> {
  const rest = [...parts];
  guest.streaming++;
  return new ReadableStream({
    async pull(controller) {
      await sleep(50);
      const part = rest.shift();
      if (part === undefined) controller.error(new Error("on purpose"));
      else controller.enqueue(encoder.encode(part));
      if (rest.length > 0) return;
      guest.streaming--;
      if (part !== undefined) controller.close();
    },
    cancel() {
      guest.streaming--;
    },
  }, { highWaterMark: 0 });
}
