// The caller of the soft engine, who does what the paths below /dev say.

import { same } from "./check.js";

export class Caller {
  #service;
  #signal;

  constructor(service, signal) {
    this.#service = service;
    this.#signal = signal;
  }

  // ring calls the bot, and returns the call's id.
  async ring(from) {
    const answer = await this.#ask("POST", "/dev/calls", 201, { from });
    return (await answer.json()).id;
  }

  async press(call, tones) {
    await this.#ask("POST", `/dev/calls/${call}/tones`, 204, { tones });
  }

  async hangUp(call) {
    await this.#ask("DELETE", `/dev/calls/${call}`, 204);
  }

  async #ask(method, path, want, body) {
    const answer = await fetch(this.#service.url + path, {
      method,
      headers: { authorization: `Bearer ${this.#service.token}` },
      body: body && JSON.stringify(body),
      signal: this.#signal,
    });
    same(`the status of ${method} ${path}`, answer.status, want);
    return answer;
  }
}
