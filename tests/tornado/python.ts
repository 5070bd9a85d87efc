/**
 * Finds the Python that has Tornado.
 *
 * @module
 */
import { spawnSync } from "node:child_process";

/** Debian's Python comes first, because another Python in PATH does not have Debian's packages. */
const PYTHONS = ["/usr/bin/python3", "python3"];

/** Its path, or nothing. */
export function findPython(): string | undefined {
  return PYTHONS.find((path) =>
    spawnSync(path, ["-c", "import tornado.websocket"], { stdio: "ignore" }).status === 0
  );
}

/** Its path. */
export function python(): string {
  const found = findPython();
  if (found === undefined) throw new Error("Cannot start Tornado: no Python has it");
  return found;
}
