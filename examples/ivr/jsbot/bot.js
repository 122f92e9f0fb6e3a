// A bot on Microsoft's JavaScript client for Graph, against the service, over TLS: it calls, plays,
// cancels, hears keys, records and hangs up; then it takes a call. It ends with status 0 if the
// service keeps what it promises, else with the first promise that is broken.
//
// start.js runs it: node bot.js PROGRAM FOLDER, where PROGRAM is the service, and FOLDER has
// cert.pem and key.pem. Node.js must trust that certificate (NODE_EXTRA_CA_CERTS).

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { Client } from "@microsoft/microsoft-graph-client";

import { Caller } from "./caller.js";
import { matches, same } from "./check.js";
import { Receiver } from "./receiver.js";
import { Service } from "./service.js";

const longest = 300_000; // ms, for everything

const [program, folder] = process.argv.slice(2);
const cert = join(folder, "cert.pem");
const key = join(folder, "key.pem");

// What everything waits with. It ends at the first broken promise, or when the time is over.
const life = new AbortController();
const timer = setTimeout(() => life.abort(new Error(`not done after ${longest} ms`)), longest);

let service;
let graph; // the client
let receiver;
let caller;

const step = console.log; // what the bot is about, so that one sees where it stopped

// A Call is what the bot knows of one.
class Call {
  constructor(id, direction, callback) {
    this.id = id;
    this.direction = direction;
    this.callback = callback;
    this.path = `/communications/calls/${id}`;
  }

  post(action, body) {
    return graph.api(`${this.path}/${action}`).post(body);
  }

  // notified waits for the next notification, which must be of the call itself.
  async notified(state, changeType = "updated") {
    return this.check(await receiver.next(this.id), state, changeType);
  }

  check(notification, state, changeType) {
    const { resourceData: call, ...n } = notification;
    const what = `the notification of ${state}`;
    same(`the resourceUrl of ${what}`, n.resourceUrl, this.path);
    same(`the resource of ${what}`, n.resource, `/app/calls/${this.id}`);
    same(`the @odata.type of ${what}`, call["@odata.type"], "#microsoft.graph.call");
    same(`the @odata.id of ${what}`, call["@odata.id"], this.path);
    same(`the id in ${what}`, call.id, this.id);
    same(`the state in ${what}`, call.state, state);
    same(`the direction in ${what}`, call.direction, this.direction);
    same(`the changeType of ${what}`, n.changeType, changeType);
    same(`the callbackUri of ${what}`, n.callbackUri, this.callback);
    same(`where ${what} came to`, n.deliveredAt, this.callback);
    return call;
  }

  async audioStarts() {
    const { mediaState } = await this.notified("established");
    same("the audio of the established call", mediaState?.audio, "active");
  }

  async keyComes(sequenceId, tone) {
    const { toneInfo } = await this.notified("established");
    same("the number of a key", toneInfo?.sequenceId, sequenceId);
    same(`key ${sequenceId}`, toneInfo.tone, tone);
  }

  // ends waits for the next notification, which must be of an operation's end.
  async ends(operation, want) {
    const { resourceData: end, ...n } = await receiver.next(this.id);
    const what = `the end of ${operation.clientContext}`;
    const upper = (id) => id.replaceAll("-", "").toUpperCase(); // as on the page of cancel
    const url = `/communications/calls/${upper(this.id)}/operations/${upper(operation.id)}`;
    same(`the resourceUrl of ${what}`, n.resourceUrl, url);
    same(`the resource of ${what}`, n.resource,
      `/app/calls/${this.id}/operations/${operation.id}`);
    same(`the changeType of ${what}`, n.changeType, "deleted");
    same(`the @odata.type of ${what}`, end["@odata.type"], operation["@odata.type"]);
    same(`the @odata.id of ${what}`, end["@odata.id"], url);
    same(`the id in ${what}`, end.id, operation.id);
    same(`the clientContext in ${what}`, end.clientContext, operation.clientContext);
    same(`the status in ${what}`, end.status, want.status);
    same(`the code in ${what}`, end.resultInfo?.code, want.code);
    same(`the subcode in ${what}`, end.resultInfo.subcode, want.subcode);
    same(`the completionReason in ${what}`, end.completionReason, want.completionReason);
    same(`where ${what} came to`, n.deliveredAt, this.callback);
    return end;
  }

  // gone checks that the service does not know the call any more.
  async gone() {
    const error = await graph.api(this.path).get().then(() => undefined, (e) => e);
    same("the status of a call that has ended", error?.statusCode, 404);
    matches("its error's message", error.message, /./);
  }

  async play(name, prompt, status, loop) {
    const operation = await this.post("playPrompt", {
      clientContext: name,
      prompts: [{
        "@odata.type": "#microsoft.graph.mediaPrompt",
        mediaInfo: { "@odata.type": "#microsoft.graph.mediaInfo", uri: `embedded:${prompt}.wav` },
      }],
      loop,
    });
    return answered(operation, "playPrompt", name, status);
  }

  async record(name, members) {
    const operation = await this.post("recordResponse", {
      clientContext: name, playBeep: false, ...members,
    });
    return answered(operation, "record", name, accepted);
  }
}

// accepted is the status of an operation behind one whose end was notified: that one may not be out of
// the way yet.
const accepted = /^(running|notStarted)$/;

// answered checks the answer to an action, and returns it.
function answered(operation, kind, name, status) {
  const type = `#microsoft.graph.${kind}Operation`;
  same(`the @odata.type of ${name}`, operation["@odata.type"], type);
  same(`the clientContext of ${name}`, operation.clientContext, name);
  matches(`the status of ${name}`, operation.status, status);
  matches(`the id of ${name}`, operation.id, /^[0-9a-f-]{36}$/);
  return operation;
}

const hosted = { "@odata.type": "#microsoft.graph.serviceHostedMediaConfig" };
const completed = { status: "completed", code: 200 };
const failed = { status: "failed", code: 400, completionReason: "mediaOperationCanceled" };

async function calls() {
  step("The bot calls.");
  const callback = receiver.url("/calls");
  const created = await graph.api("/communications/calls").post({
    "@odata.type": "#microsoft.graph.call",
    callbackUri: callback,
    requestedModalities: ["audio"],
    mediaConfig: hosted,
    targets: [{
      "@odata.type": "#microsoft.graph.invitationParticipantInfo",
      identity: {
        "@odata.type": "#microsoft.graph.identitySet",
        phone: { "@odata.type": "#microsoft.graph.identity", id: "+12345678901" },
      },
    }],
  });
  same("the state of the created call", created.state, "establishing");
  same("its callbackUri", created.callbackUri, callback);
  same("the application that it comes from", created.source.identity.application.id,
    service.audience);
  const call = new Call(created.id, "outgoing", callback);
  await call.notified("establishing");
  await call.notified("established");
  await call.audioStarts();

  step("It plays a prompt to its end.");
  const hours = await call.play("hours", "hours", /^running$/);
  await call.ends(hours, {
    ...completed, subcode: 0, completionReason: "completedSuccessfully",
  });

  step("It hears keys while it plays, and cancels.");
  const tones = await call.post("subscribeToTone", { clientContext: "tones" });
  answered(tones, "subscribeToTone", "tones", /^completed$/);
  const music = await call.play("music", "music", accepted, true);
  const menu = await call.play("menu", "menu", /^notStarted$/);
  await caller.press(call.id, "1*");
  await call.keyComes(1, "tone1");
  await call.keyComes(2, "star");
  const cancel = await call.post("cancelMediaProcessing", { clientContext: "cancel" });
  answered(cancel, "cancelMediaProcessing", "cancel", /^completed$/);
  for (const operation of [music, menu]) {
    await call.ends(operation, { ...failed, subcode: 8508 });
  }
  await caller.press(call.id, "#");
  await call.keyComes(3, "pound");

  step("It records for a second, and fetches that.");
  const speech = await call.record("speech", { maxRecordDurationInSeconds: 1 });
  const recorded = await call.ends(speech, {
    ...completed, subcode: 8515, completionReason: "maxRecordDurationReached",
  });
  await fetchRecording(recorded);

  step("It hangs up.");
  await graph.api(call.path).delete();
  await call.notified("terminating");
  const { resultInfo } = await call.notified("terminated", "deleted");
  same("the code of the end of the call", resultInfo?.code, 200);
  await call.gone();
}

// fetchRecording gets a recording of a second by its token, and not without.
async function fetchRecording({ recordingLocation: url, recordingAccessToken: token }) {
  matches("the recordingLocation", url, /^https:\/\//);
  const { signal } = life;
  const refused = await fetch(url, { signal });
  same("the status of the recording without its token", refused.status, 401);
  const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` }, signal });
  same("the status of the recording", answer.status, 200);
  const file = Buffer.from(await answer.arrayBuffer());
  same("the recording's type", file.toString("latin1", 0, 4) + file.toString("latin1", 8, 12),
    "RIFFWAVE");
  const data = file.indexOf("data", 12, "latin1");
  const bytes = data < 0 ? 0 : file.readUInt32LE(data + 4);
  same("the recording's samples, of a second of 16 kHz and 16 bits", bytes, 32_000);
  same("what is there of them", file.length, data + 8 + bytes);
}

async function takesACall() {
  step("A caller rings, and the bot answers.");
  const id = await caller.ring("+15550123");
  const announced = new Call(id, "incoming", receiver.url("/incoming"));
  const { source, targets } = announced.check(await receiver.announced(), "incoming", "created");
  same("who rings", source?.identity?.phone?.id, "+15550123");
  same("for whom", targets?.[0]?.identity?.application?.id, service.audience);
  const call = new Call(id, "incoming", receiver.url("/answered"));
  await call.post("answer", {
    callbackUri: call.callback, acceptedModalities: ["audio"], mediaConfig: hosted,
  });
  await call.notified("establishing");
  await call.notified("established");
  await call.audioStarts();

  step("It records until the caller presses a key.");
  const wish = await call.record("wish", {
    stopTones: ["#"], maxRecordDurationInSeconds: 120, initialSilenceTimeoutInSeconds: 120,
  });
  await caller.press(id, "#");
  await call.ends(wish, {
    ...completed, subcode: 8514, completionReason: "stopToneDetected",
  });

  step("The caller hangs up while the bot plays.");
  const music = await call.play("music", "music", accepted, true);
  await caller.hangUp(id);
  await call.ends(music, { ...failed, subcode: 8528 });
  await call.notified("terminated", "deleted");
  await call.gone();
}

async function main() {
  step("The service starts.");
  receiver = await Receiver.listen({ cert: await readFile(cert), key: await readFile(key) }, life);
  service = await Service.start(program, { cert, key, callback: receiver.url("/incoming") },
    life);
  await receiver.trust(service.issuer, service.audience);
  caller = new Caller(service, life.signal);
  graph = Client.init({
    baseUrl: `${service.url}/`,
    customHosts: new Set([new URL(service.url).hostname]),
    authProvider: (done) => done(null, service.token),
    fetchOptions: { signal: life.signal },
  });
  await calls();
  await takesACall();
  step("The service ends.");
  await service.end();
  same("notifications that nobody waited for", JSON.stringify(receiver.close()), "[]");
}

try {
  await main();
  console.log("Every promise was kept.");
} catch (error) {
  const first = life.signal.aborted ? life.signal.reason : error;
  const why = first.cause ? `${first.message}: ${first.cause.message}` : first.message;
  console.error(`Broken: ${why}\n\nThe service's log:\n${service?.log}`);
  process.exitCode = 1;
} finally {
  clearTimeout(timer);
  service?.kill();
  receiver?.close();
}
