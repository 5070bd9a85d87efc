/**
 * The results of the mutants of a folder.
 *
 * @module
 */
import type { Mutant } from "./mutants.ts";
import type { Verdict } from "./sandbox.ts";

/** The percentage of mutants that must be found. */
const ENOUGH = 95;

/** Counts mutants, and keeps the survivors: those that no test found. */
export class Summary {
  readonly #name: string;
  readonly #counts: Record<Verdict, number> = { "killed": 0, "survived": 0, "timed out": 0 };
  readonly #survivors: Mutant[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  /** Adds a mutant. A mutant that hangs counts as found. */
  add(mutant: Mutant, verdict: Verdict): void {
    this.#counts[verdict]++;
    if (verdict === "survived") this.#survivors.push(mutant);
  }

  /** The percentage of found mutants; 100 if there are no mutants. */
  percentage(): number {
    const { killed, survived, "timed out": late } = this.#counts;
    const all = killed + survived + late;
    return all === 0 ? 100 : (killed + late) / all * 100;
  }

  /** Whether enough were found. */
  isGood(): boolean {
    return this.percentage() >= ENOUGH;
  }

  /** The survivors by position, and one line of figures. */
  text(): string {
    const survivors = this.#survivors
      .toSorted((a, b) => a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line)
      .map(({ file, line, before, after }) => `${file}:${line}\n  ${before}\n→ ${after}`);
    const { killed, survived, "timed out": late } = this.#counts;
    const figures = `${this.#name}: ${killed} killed, ${survived} survived, ${late} timed out: ` +
      `${this.percentage().toFixed(1)} %, at least ${ENOUGH} % wanted`;
    return [...survivors, figures].join("\n");
  }
}
