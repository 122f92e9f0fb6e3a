// The bot's callback: an HTTPS server that takes notifications, and checks what each comes with.

import { EventEmitter, once } from "node:events";
import { createServer } from "node:https";
import { text } from "node:stream/consumers";

import { createRemoteJWKSet, jwtVerify } from "jose";

import { matches, same } from "./check.js";

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

// A Receiver emits an event for each notification, named after the id of its call.
export class Receiver extends EventEmitter {
  #server;
  #life; // an AbortController: aborted at the first broken promise
  #keys; // of the issuer of tokens
  #expected; // of a token
  #deliveries = new Map(); // by id
  #calls = new Map(); // by id: notifications that nobody has waited for yet

  // listen makes a receiver with the server's options: a key and a certificate.
  static async listen(options, life) {
    const receiver = new Receiver();
    receiver.#life = life;
    receiver.#server = createServer(options, (request, response) => {
      receiver.#take(request).then(
        (status) => response.writeHead(status).end(),
        (error) => {
          life.abort(error);
          response.writeHead(500).end();
        },
      );
    });
    // An attempt that meets a connection just being closed never arrives, so none is closed for
    // being idle.
    receiver.#server.keepAliveTimeout = 0;
    receiver.#server.listen(0, "127.0.0.1");
    await once(receiver.#server, "listening", { signal: life.signal });
    return receiver;
  }

  url(path) {
    return `https://127.0.0.1:${this.#server.address().port}${path}`;
  }

  // trust has the tokens checked, by the keys that the issuer's OpenID configuration leads to.
  async trust(issuer, audience) {
    const { signal } = this.#life;
    const answer = await fetch(`${issuer}/.well-known/openid-configuration`, { signal });
    const configuration = await answer.json();
    same("the issuer of the OpenID configuration", configuration.issuer, issuer);
    this.#keys = createRemoteJWKSet(new URL(configuration.jwks_uri), {
      timeoutDuration: 300_000, // not 5 s, for which a machine may be held up
    });
    this.#expected = { issuer, audience };
  }

  // next returns the next notification of a call.
  async next(call) {
    while (!this.#calls.get(call)?.length) {
      await once(this, call, { signal: this.#life.signal });
    }
    return this.#calls.get(call).shift();
  }

  // announced returns the next notification of a call that comes in.
  announced() {
    return this.next("announced");
  }

  // close returns the notifications that nobody has waited for.
  close() {
    this.#server.close();
    this.#server.closeAllConnections();
    return [...this.#calls.values()].flat();
  }

  // take checks one request, and returns the status of its answer.
  async #take(request) {
    const body = await text(request);
    same("the method of a notification", request.method, "POST");
    same("its content type", request.headers["content-type"], "application/json");
    await this.#checkToken(request.headers.authorization);
    if (this.#turnsAway(request.headers, body)) {
      return 503;
    }
    for (const notification of JSON.parse(body).value) {
      this.#keep({ ...notification, deliveredAt: this.url(request.url) });
    }
    return 202;
  }

  async #checkToken(authorization) {
    const form = /^Bearer (\S+)$/;
    matches("the authorization of a notification", authorization, form);
    try {
      await jwtVerify(form.exec(authorization)[1], this.#keys, this.#expected);
    } catch (error) {
      throw new Error("the token of a notification", { cause: error });
    }
  }

  // turnsAway checks the headers by which a repeated delivery can be distinguished from a new one.
  // It reports whether it is the first of all: a bot that is just starting does not take that.
  #turnsAway(headers, body) {
    const id = headers["webhook-id"];
    matches("Webhook-Id", id, guid);
    const before = this.#deliveries.get(id);
    same("Webhook-Attempt", headers["webhook-attempt"], before ? "2" : "1");
    if (before) {
      same("the delivery that comes again", before.away, true);
      same("its bytes", body, before.body);
    }
    const away = this.#deliveries.size === 0;
    this.#deliveries.set(id, { away, body });
    return away;
  }

  #keep(notification) {
    const form = /^\/communications\/calls\/([0-9A-Fa-f-]+)/;
    matches("resourceUrl", notification.resourceUrl, form);
    let call = form.exec(notification.resourceUrl)[1].toLowerCase().replaceAll("-", "");
    call = call.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"); // as a GUID
    const name = notification.changeType === "created" ? "announced" : call;
    if (!this.#calls.has(name)) {
      this.#calls.set(name, []);
    }
    this.#calls.get(name).push(notification);
    this.emit(name);
  }
}
