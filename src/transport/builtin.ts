/**
 * Node's own modules, without an `import`: that would fail where there are none, in a browser's
 * build.
 *
 * @module
 */

/**
 * A module of Node's own, which Deno and Bun have as well.
 *
 * @param name Its name, with `node:`.
 * @param action What cannot be done without it.
 * @throws {TypeError} If this runtime does not have it.
 */
export function builtin<Module>(name: string, action: string): Module {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  const module = process?.getBuiltinModule?.(name);
  if (module === undefined) throw new TypeError(`Cannot ${action} with ${name}: this is not Node`);
  return module as Module;
}
