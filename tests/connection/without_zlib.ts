/**
 * A worker without `node:zlib`. Reports the offer and the agreement.
 *
 * @module
 */
import process from "node:process";
import { parentPort } from "node:worker_threads";

const { getBuiltinModule } = process;
process.getBuiltinModule =
  ((name: string) =>
    name === "node:zlib" ? undefined : getBuiltinModule(name)) as typeof getBuiltinModule;

const { agreeOnDeflate, offerDeflate } = await import("../../src/connection/compression.ts");
const offered = offerDeflate({});
const agreed = agreeOnDeflate([{ name: "permessage-deflate", parameters: [] }], {});
parentPort?.postMessage([offered === undefined, agreed === undefined]);
