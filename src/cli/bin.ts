#!/usr/bin/env node
/**
 * The executable of the npm package.
 *
 * @module
 */
import { runProcess } from "./program.ts";

await runProcess();
