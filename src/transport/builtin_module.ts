/**
 * Modules of Node, such as `node:buffer`, without an `import`: an import fails where there are none,
 * as in a build for browsers. This is the only file that looks one up.
 *
 * @module
 */

/**
 * Returns a module of Node, which Deno and Bun have too.
 *
 * @param name Its name: `"node:buffer"`.
 * @param globals The global object. Default: `globalThis`.
 * @returns `undefined` if the runtime does not have it.
 */
export function builtinModule<Module>(
  name: string,
  globals: unknown = globalThis,
): Module | undefined {
  const { process } = globals as {
    process?: { getBuiltinModule?(name: string): Module | undefined };
  };
  return process?.getBuiltinModule?.(name);
}

/**
 * Returns a module of Node that is needed.
 *
 * @param name Its name: `"node:net"`.
 * @param action What it is needed for: `"listen"`.
 * @throws {TypeError} If the runtime does not have it.
 */
export function requireBuiltin<Module>(name: string, action: string): Module {
  const module = builtinModule<Module>(name);
  if (module === undefined) throw new TypeError(`Cannot ${action} with ${name}: this is not Node`);
  return module;
}
