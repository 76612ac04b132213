#!/usr/bin/env node
import { run } from "./program.ts";

const { stdin, stdout, stderr, env } = process;
process.exitCode = await run(process.argv.slice(2), { directory: process.cwd(), env, stdin, stdout, stderr });
