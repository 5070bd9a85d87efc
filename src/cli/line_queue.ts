/**
 * Lines of the input that wait to be sent.
 *
 * @module
 */

/** How many lines may wait before the input is paused. */
const MOST = 16;

/** The input, which the queue pauses and resumes. */
export interface LineSource {
  /** Stops reading. */
  pause(): unknown;
  /** Starts reading again. */
  resume(): unknown;
}

/** A queue of lines for one reader. */
export class LineQueue implements AsyncIterable<string> {
  readonly #source: LineSource;
  readonly #lines: string[] = [];
  #ended = false;
  #paused = false;
  /** Wakes the reader. */
  #wake: () => void = () => {};

  /** @param source Paused while many lines wait. */
  constructor(source: LineSource) {
    this.#source = source;
  }

  /** Adds a line. */
  push(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length >= MOST && !this.#paused) {
      this.#paused = true;
      this.#source.pause();
    }
    this.#wake();
  }

  /** Ends the queue: no more lines will be added. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** Iterates the lines to the end of the input. */
  async *[Symbol.asyncIterator](): AsyncGenerator<string, void, undefined> {
    while (true) {
      for (let line = this.#lines.shift(); line !== undefined; line = this.#lines.shift()) {
        yield line;
      }
      if (this.#ended) return;
      if (this.#paused) {
        this.#paused = false;
        this.#source.resume();
      }
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }
}
