// The browser, and programs of this project, as child processes.

import { spawn, execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = fileURLToPath(new URL("../..", import.meta.url));

// browse starts the browser: that of the system, or CHROMIUM.
export async function browse() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", timeout: 120_000,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

// Program is one of this project.
export class Program {
  #process;
  #folder;

  // start builds and runs a program, and returns when a line that it prints matches, with the match.
  static async start(path, args, line) {
    const program = new Program();
    program.#folder = await mkdtemp(join(tmpdir(), "browser-"));
    const binary = join(program.#folder, "program");
    execFileSync("go", ["build", "-o", binary, path], { cwd: root, stdio: "inherit" });
    program.#process = spawn(binary, args, { stdio: ["ignore", "pipe", "pipe"] });
    let log = "";
    program.#process.stderr.on("data", (text) => (log += text));
    const found = [];
    for await (const text of createInterface({ input: program.#process.stdout })) {
      for (const [i, form] of line.entries()) found[i] ??= form.exec(text)?.[1];
      if (line.every((_, i) => found[i] !== undefined)) {
        program.#process.stdout.resume();
        return [program, ...found];
      }
    }
    throw new Error(`${path} did not start\n${log}`);
  }

  async end() {
    this.#process.kill("SIGTERM");
    if (this.#process.exitCode === null) await once(this.#process, "exit");
    await rm(this.#folder, { recursive: true });
    return this.#process.exitCode;
  }
}

// stage starts the one with the calls that are played.
export async function stage(...args) {
  return Program.start("./inspect/browser/stage", ["-addr", "127.0.0.1:0", ...args],
    [/^The calls are at (.*)$/]);
}
