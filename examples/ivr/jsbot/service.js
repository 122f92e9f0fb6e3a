// The service, as a child process.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

import { same } from "./check.js";

export class Service {
  url; // of the API, without its version
  token; // of the application dev
  issuer; // of the tokens that notifications come with
  audience; // of those to dev

  #process;
  #exited; // resolves to the exit status
  #ending = false;
  #log = "";

  // start runs the service, and returns when it has said where it is. Calls to the application dev
  // are announced at a callback.
  static async start(program, { cert, key, callback }, life) {
    const service = new Service();
    service.#process = spawn(program, [
      "serve", "-dev", "-addr", "127.0.0.1:0", "-cert", cert, "-key", key,
      "-bot", `dev=${callback}`,
    ]);
    service.#exited = service.#wait(life);
    service.#process.stderr.on("data", (text) => (service.#log += text));
    const lines = createInterface({ input: service.#process.stdout, signal: life.signal });
    for await (const line of lines) {
      if (service.#read(line)) {
        return service;
      }
    }
    throw new Error(`the service did not start\n${service.#log}`);
  }

  // wait waits for the end of the service, which is a broken promise before its time.
  async #wait(life) {
    const [status] = await once(this.#process, "exit");
    if (!this.#ending) {
      life.abort(new Error(`the service ended by itself with status ${status}`));
    }
    return status;
  }

  // read takes what a line says, and reports whether it is the last one.
  #read(line) {
    for (const [member, form] of [
      ["url", /^The API is at (.*)\/v1\.0$/],
      ["token", /^A token of the application dev for it is (.*)$/],
      ["issuer", /^The issuer of notifications' tokens is (.*)$/],
      ["audience", /^Those to the application dev have the audience (.*)$/],
    ]) {
      this[member] ??= form.exec(line)?.[1];
    }
    return this.audience !== undefined;
  }

  get log() {
    return this.#log;
  }

  // end has the service end as its operator would.
  async end() {
    this.#ending = true;
    this.#process.kill("SIGTERM");
    same("the service's exit status", await this.#exited, 0);
  }

  kill() {
    this.#ending = true;
    this.#process.kill("SIGKILL");
  }
}
