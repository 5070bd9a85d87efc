/**
 * Fills and frees the memory of many messages: `freed.ts own` with memory that the engine allocates,
 * `freed.ts ours` with that of our messages. Prints how many page faults this took after the first time.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { allocate } from "../../../src/protocol/allocate.ts";

const MIB = 1024 * 1024;
/** More at a time than glibc keeps at the end of its heap, and less than we want to keep. */
const MESSAGES = 70;
const ROUNDS = 2;

const own = (size: number) => new Uint8Array(size);
const make = process.argv[2] === "own" ? own : allocate;

/** The page faults of this process that needed no disk (`man proc_pid_stat`). */
function pageFaults(): number {
  const fields = readFileSync("/proc/self/stat", "utf8").split(") ")[1]?.split(" ") ?? [];
  return Number(fields[7]);
}

function useMemory(): void {
  const messages = Array.from({ length: MESSAGES }, () => make(MIB).fill(1));
  for (const { buffer } of messages) buffer.transfer(0);
}

useMemory();
const before = pageFaults();
for (let round = 0; round < ROUNDS; round++) useMemory();
console.log(`${pageFaults() - before} page faults`);
