"use strict";
// The page has two streams: one of all calls, and one of the call that is shown. What they send is
// kept in maps; what is on the screen is made of these, a few times a second. Text is set as text,
// never as markup.

const $ = (id) => document.getElementById(id);

function make(tag, name, text) {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text !== undefined) node.textContent = text;
  return node;
}

// say sets a text if it is another.
function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function set(node, name, value) {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

// ---- Words

// lasting is a duration of milliseconds as people say it.
function lasting(ms) {
  ms = Math.max(0, ms);
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const s = Math.round(ms / 1000);
  if (s < 60) return `${s} s`;
  const two = (n) => String(n).padStart(2, "0");
  if (s < 3600) return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${two(Math.floor(s / 60) % 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor(s / 3600) % 24} h`;
}

// instant is a time in a call: as fine as its axis.
function instant(ms, step = 10) {
  if (ms < 60000) {
    const digits = step >= 1000 ? 0 : step >= 100 ? 1 : 2;
    return `${(ms / 1000).toFixed(digits)} s`;
  }
  const s = Math.floor(ms / 1000);
  const two = (n) => String(n).padStart(2, "0");
  const rest = step >= 1000 ? "" : `.${Math.floor((ms % 1000) / 100)}`;
  if (s < 3600) return `${Math.floor(s / 60)}:${two(s % 60)}${rest}`;
  return `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}${rest}`;
}

const spaced = (word) => word.replace(/([a-z])([A-Z])/g, (_, a, b) => `${a} ${b.toLowerCase()}`);
const many = (n, one, more = `${one}s`) => `${n} ${n === 1 ? one : more}`;

const kinds = {
  playPrompt: "Play", recordResponse: "Record", sendDtmfTones: "Send tones",
  cancelMediaProcessing: "Cancel",
};
const kind = (k) => kinds[k] ?? spaced(k);

const running = { playPrompt: "Playing", recordResponse: "Recording", sendDtmfTones: "Sending" };

const reasons = {
  stopTone: "ended by a key", keyPressed: "ended by a key", maxDuration: "longest duration",
  maxSilence: "silence after speech", initialSilence: "nobody spoke", cancelled: "cancelled",
  bargedIn: "barged in", promptFailed: "prompt failed", beepFailed: "beep failed",
  badFormat: "bad format", notDownloadable: "not downloadable", timedOut: "timed out",
  abandoned: "media hung", panicked: "media panicked", unspecified: "failed",
  callEnded: "call ended", shutDown: "shut down", maxDigits: "all digits", matched: "matched",
  interDigitTimeout: "digits too slow", overallTimeout: "digits too slow", noMatch: "no match",
};

function ended(op) {
  if (op.result.reason === "succeeded") {
    return { playPrompt: "played", recordResponse: "recorded", sendDtmfTones: "sent" }[op.kind]
      ?? "completed";
  }
  return reasons[op.result.reason] ?? spaced(op.result.reason);
}

function whose(by) {
  if (by.kind === "key") return by.tone ? `the key ${by.tone}` : "a key";
  const who = by.kind ? kind(by.kind).toLowerCase() : "the platform";
  return by.context ? `${who} (${by.context})` : who;
}

// ---- Streams

// follow keeps a stream open, and closes it while nobody sees the page.
function follow(address, handlers, report) {
  let source = null, timer = 0, over = false;
  function open() {
    if (over || source || document.hidden) return;
    source = new EventSource(address);
    source.onopen = () => report("live");
    source.onerror = () => {
      if (source?.readyState !== EventSource.CLOSED) return report("lost");
      close(); // it was refused
      report("refused");
      timer = setTimeout(open, 3000);
    };
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, (e) => handle(JSON.parse(e.data)));
    }
  }
  function close() {
    clearTimeout(timer);
    source?.close();
    source = null;
  }
  function seen() {
    document.hidden ? close() : open();
  }
  document.addEventListener("visibilitychange", seen);
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);
  open();
  return () => {
    over = true;
    close();
    document.removeEventListener("visibilitychange", seen);
    removeEventListener("pagehide", close);
    removeEventListener("pageshow", open);
  };
}

function link(state) {
  list.lost = state === "live" ? null : list.lost ?? Date.now();
  set($("link"), "data-state", state === "live" ? "live" : "lost");
  say($("link"), { live: "live", lost: "connection lost, trying again",
    refused: "refused or busy, trying again" }[state]);
}

// ---- The list

const rowHeight = 60;

const list = {
  calls: new Map(), // by number
  order: [], // numbers of those that are shown, in their order
  rows: [], // elements, for those that can be seen
  chosen: 0, // number
  ahead: 0, // milliseconds that the server's clock is ahead of ours
  timer: 0,
  loaded: false,
  lost: null, // since when

  // now is the server's time; it stands still while nothing is heard of it.
  now() { return (this.lost ?? Date.now()) + this.ahead; },

  take(message) {
    this.ahead = message.now - Date.now();
    this.loaded = true;
    if (message.all) this.calls.clear();
    for (const n of message.gone ?? []) this.calls.delete(n);
    for (const c of message.calls ?? []) {
      c.words = [c.id, ...(c.labels ?? []).flat(), c.title ?? "", kind(c.kind ?? ""), c.why ?? ""]
        .join("\n").toLowerCase();
      this.calls.set(c.n, c);
    }
    if (message.all || message.gone) { // it may be drawn before it is sorted
      this.order = this.order.filter((n) => this.calls.has(n));
    }
    const missing = message.unrecorded ?? 0;
    $("unrecorded").hidden = missing === 0;
    say($("unrecorded"), `${many(missing, "more call is", "more calls are")} not recorded: there is no room.`);
    this.later();
  },

  // later sorts and shows in a moment: changes come in bursts.
  later() {
    this.timer ||= setTimeout(() => {
      this.timer = 0;
      this.sort();
      this.draw();
    }, 60);
  },

  sort() {
    const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const filter = document.querySelector("[name=filter]:checked").value;
    const keep = {
      all: () => true, live: (c) => !c.ended, ended: (c) => c.ended, failed: (c) => c.failed > 0,
    }[filter];
    const by = {
      newest: (a, b) => b.began - a.began, oldest: (a, b) => a.began - b.began,
      changed: (a, b) => b.changed - a.changed, waiting: (a, b) => b.waiting - a.waiting,
      running: (a, b) => (a.since ?? Infinity) - (b.since ?? Infinity),
    }[$("sort").value];
    const found = [];
    for (const c of this.calls.values()) {
      if (keep(c) && words.every((w) => c.words.includes(w))) found.push(c);
    }
    // Infinity - Infinity is no number, and then the numbers decide, as in every tie.
    found.sort((a, b) => by(a, b) || b.n - a.n);
    this.order = found.map((c) => c.n);
  },

  draw() {
    const box = $("rows");
    const first = Math.max(0, Math.floor(box.scrollTop / rowHeight) - 2);
    const seen = Math.ceil(box.clientHeight / rowHeight) + 4;
    const last = Math.min(this.order.length, first + seen);
    while (this.rows.length < last - first) this.rows.push(this.row());
    this.rows.forEach((row, i) => {
      const at = first + i;
      row.hidden = at >= last;
      if (!row.hidden) this.fill(row, this.calls.get(this.order[at]), at);
    });
    this.floor ??= box.appendChild(make("div", "floor")); // what makes it as high as all of them
    this.floor.style.cssText =
      `position:absolute;top:0;width:1px;height:${this.order.length * rowHeight}px`;
    const shown = this.rows.find((r) => !r.hidden && r.number === this.chosen);
    shown ? set(box, "aria-activedescendant", shown.id) : box.removeAttribute("aria-activedescendant");
    let live = 0;
    for (const c of this.calls.values()) if (!c.ended) live++;
    const counts = `${live.toLocaleString()} live · ${(this.calls.size - live).toLocaleString()} ended`;
    say($("counts"), this.order.length === this.calls.size ? counts
      : `${counts} · ${this.order.length.toLocaleString()} shown`);
    this.explain();
  },

  explain() {
    const box = $("empty");
    box.hidden = this.order.length > 0 || !this.loaded;
    $("rows").classList.toggle("lonely", this.order.length === 0);
    if (box.hidden) return;
    const none = this.calls.size === 0;
    say(box.firstElementChild, none ? "No calls yet" : "No such call");
    say(box.lastElementChild, none ? "A call appears here with its first operation."
      : "Nothing matches the search and the filter.");
  },

  row() {
    const row = make("div", "row");
    row.id = `row-${this.rows.length}`;
    set(row, "role", "option");
    for (const name of ["dot", "who", "age", "what", "sum"]) {
      row[name] = row.appendChild(make(name === "dot" ? "i" : "div", name));
    }
    row.addEventListener("click", () => choose(row.number));
    return $("rows").appendChild(row);
  },

  fill(row, c, at) {
    row.number = c.n;
    row.style.top = `${at * rowHeight}px`;
    set(row, "aria-setsize", this.order.length);
    set(row, "aria-posinset", at + 1);
    set(row, "aria-selected", c.n === this.chosen);
    set(row, "data-state", c.ended ? "ended" : c.kind ? "running" : "idle");
    say(row.who, named(c));
    say(row.age, lasting((c.ended || this.now()) - c.began));
    say(row.what, doing(c, this.now()));
    const waits = c.waiting > 0 && !c.ended; // which says more than what is done, and there is little room
    const sums = [waits ? `${c.waiting} waiting` : c.completed > 0 && `${c.completed} done`];
    say(row.sum, sums.filter(Boolean).join(" · "));
    if (c.failed) row.sum.append(sums.some(Boolean) ? " · " : "", make("b", "", `${c.failed} failed`));
  },

  // move chooses the call so many places on.
  move(by) {
    if (this.order.length === 0) return;
    const at = this.order.indexOf(this.chosen);
    const to = at < 0 ? 0 : Math.min(this.order.length - 1, Math.max(0, at + by));
    this.reveal(to);
    choose(this.order[to], true);
  },

  // reveal scrolls to a place.
  reveal(place) {
    const box = $("rows"), top = place * rowHeight;
    if (place < 0) return;
    if (top < box.scrollTop) box.scrollTop = top;
    if (top + rowHeight > box.scrollTop + box.clientHeight) {
      box.scrollTop = top + rowHeight - box.clientHeight;
    }
  },
};

// named is what people call a call: its first label, or its id.
const named = (c) => (c.labels?.[0]?.[1] || c.id);

function doing(c, now) {
  if (c.ended) return `ended ${lasting(now - c.ended)} ago · ${reasons[c.why] ?? spaced(c.why)}`;
  if (!c.kind) return c.waiting ? "holds what waits" : "idle";
  const what = `${running[c.kind] ?? kind(c.kind)}${c.title ? ` ${c.title}` : ""}`;
  return `${what} · ${lasting(now - c.since)}`;
}

// ---- The call

let view = null; // of the call that is shown

// choose shows a call; soon, if the choice may go on.
let opening = 0;
function choose(number, soon) {
  if (number === list.chosen && view) return;
  list.chosen = number;
  list.draw();
  clearTimeout(opening);
  opening = setTimeout(() => {
    history[location.hash ? "replaceState" : "pushState"](null, "", number ? `#${number}` : "#");
    show();
  }, soon ? 120 : 0);
}

// show shows the call that the address names.
function show() {
  const number = Number(location.hash.slice(1)) || 0;
  if (view?.number === number) return;
  view?.close();
  view = number ? new View(number) : null;
  document.title = "Calls"; // until its name is known
  list.chosen = number;
  $("panes").classList.toggle("one", number > 0);
  $("shown").hidden = !view?.call;
  $("nothing").hidden = number > 0;
  list.draw();
}

const steps = [10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5,
  18e5, 36e5, 72e5, 144e5, 432e5, 864e5];

class View {
  call = null; // its summary
  operations = new Map(); // by number, each with its row
  marks = new Map();
  deliveries = new Map();
  place = null; // of the media, with the time when it was sent
  span = Number(document.querySelector("[name=span]:checked").value); // 0: the whole call
  until = null; // the end of the span; null: now
  lost = null; // since when nothing is heard of it
  stale = true; // what is drawn is not what is known

  constructor(number) {
    this.number = number;
    for (const id of ["events-lane", "keys-lane", "notifications-lane"]) {
      $(id).children[1].replaceChildren();
    }
    $("operations").replaceChildren();
    $("over").replaceChildren();
    $("axis").replaceChildren();
    this.none = $("operations").appendChild(make("p", "nothing", "No operation yet."));
    this.none.setAttribute("role", "listitem");
    this.stop = follow(`events?call=${number}`, {
      call: (m) => this.take(m), gone: () => this.gone(),
    }, (state) => {
      this.lost = state === "live" ? null : this.lost ?? performance.now();
      if (state === "refused" && !this.call) this.gone();
    });
    this.timer = setInterval(() => this.draw(), 100);
  }

  close() {
    this.stop();
    clearInterval(this.timer);
  }

  gone() {
    this.close();
    if (this.call) {
      say($("state"), "no longer kept");
      return;
    }
    history.replaceState(null, "", "#");
    show();
  }

  now() {
    if (this.call.ended) return this.call.ended - this.call.began;
    return this.sent + (this.lost ?? performance.now()) - this.at;
  }

  take(m) {
    if (this.call && m.call && m.call.id !== this.call.id) return this.gone(); // of a new server
    this.sent = m.now;
    this.at = performance.now();
    this.paused = m.paused;
    this.place = m.running ?? null;
    if (m.call) {
      if (!this.call) this.reset();
      this.call = m.call;
      this.forget(this.operations, new Set(m.kept));
      for (const op of m.operations ?? []) {
        const known = this.operations.get(op.n);
        this.operations.set(op.n, Object.assign(known ?? {}, op));
      }
      for (const k of m.marks ?? []) this.renew(this.marks, k);
      for (const d of m.deliveries ?? []) this.renew(this.deliveries, d);
      for (const [n, k] of this.marks) if (n < m.firstMark) this.drop(this.marks, n, k);
      for (const [n, d] of this.deliveries) if (n < m.firstDelivery) this.drop(this.deliveries, n, d);
      this.stale = true;
      this.speak();
    }
    this.draw();
  }

  // reset is for the first message of a stream, which has everything.
  reset() {
    list.reveal(list.order.indexOf(this.number));
    $("shown").hidden = false;
    $("nothing").hidden = true;
    $("call").scrollTop = 0;
  }

  forget(map, kept) {
    for (const [n, item] of map) if (!kept.has(n)) this.drop(map, n, item);
  }

  drop(map, n, item) {
    map.delete(n);
    item.nodes?.forEach((node) => node.remove());
  }

  renew(map, item) {
    const known = map.get(item.n);
    known?.nodes?.forEach((node) => node.remove());
    map.set(item.n, item);
  }

  // first is where the whole call begins on the screen: with what is still kept of a long one.
  first() {
    const [op] = this.operations.values();
    return op && op.n > 1 ? Math.max(0, op.accepted) : 0;
  }

  // bounds are the first and the last millisecond that are shown.
  bounds() {
    const now = this.now();
    if (!this.span) {
      const from = this.first();
      return [from, Math.max(now + (now - from) * 0.03, from + 1000)];
    }
    const to = this.until ?? now + this.span * 0.03;
    return [to - this.span, to];
  }

  draw() {
    if (!this.call) return;
    const stale = this.stale;
    this.stale = false;
    if (stale) this.fillIn();
    this.showNow();
    const over = $("over");
    const width = over.clientWidth;
    const [from, to] = this.bounds();
    const scale = width / (to - from);
    const style = $("timeline").style;
    if (stale || from !== this.from || to !== this.to || width !== this.width) {
      style.setProperty("--t0", from);
      style.setProperty("--s", scale);
      this.axis(from, to, scale);
      this.flags(from, scale, width);
      [this.from, this.to, this.width] = [from, to, width];
    }
    const now = this.now();
    for (const op of this.operations.values()) {
      if (!this.call.ended || stale) this.grow(op, now);
      this.show(op, from, to);
    }
  }

  // show shows an operation if any of it is in the time shown, or somebody reads of it.
  show(op, from, to) {
    const [row] = op.nodes;
    const over = op.released ?? op.ended ?? Infinity;
    const hide = this.span > 0 && (over < from || op.accepted > to) && !op.more;
    if (row.hidden !== hide && !(hide && row.contains(document.activeElement))) row.hidden = hide;
  }

  // fillIn makes of what is known what is shown.
  fillIn() {
    const c = this.call;
    const state = c.ended ? "ended" : c.kind ? "running" : "idle";
    say($("name"), named(c));
    say($("state"), c.ended ? `ended: ${reasons[c.why] ?? spaced(c.why)}` : this.paused ? "paused" : "live");
    set($("state"), "data-state", state);
    document.title = `${named(c)} · Calls`;
    const facts = [["Call", c.id], ...(c.labels ?? []),
      ["Began", new Date(c.began).toLocaleTimeString()]];
    if (c.ended) facts.push(["Lasted", lasting(c.ended - c.began)]);
    this.list($("facts"), facts);
    for (const op of this.operations.values()) this.operation(op);
    this.none.hidden = this.operations.size > 0;
    for (const k of this.marks.values()) if (!k.nodes) this.mark(k);
    this.end(c);
    for (const d of this.deliveries.values()) if (!d.nodes) this.delivery(d);
    say($("keys-lane").children[2], c.keys ? many(c.keys, "key") : "none");
    say($("notifications-lane").children[2], this.notificationsSum());
    if ($("log").open) this.write();
  }

  list(dl, pairs) {
    const text = JSON.stringify(pairs);
    if (dl.text === text) return;
    dl.text = text;
    dl.replaceChildren(...pairs.map(([name, value]) => {
      const pair = make("div");
      pair.append(make("dt", "", name), make("dd", "", value));
      return pair;
    }));
  }

  notificationsSum() {
    let taken = 0, under = 0, lost = 0;
    for (const d of this.deliveries.values()) {
      if (d.state === "taken") taken += d.notifications;
      else if (d.state === "givenUp") lost += d.notifications;
      else under += d.notifications;
    }
    if (!taken && !under && !lost) return "none";
    return [taken && `${taken} taken`, under && `${under} again`, lost && `${lost} given up`]
      .filter(Boolean).join(" · ");
  }

  // showNow says in one line what the call is doing.
  showNow() {
    const line = $("now"), c = this.call;
    const waiting = c.waiting ? `${many(c.waiting, "operation waits", "operations wait")}` : "";
    let what, rest = [];
    if (c.ended) {
      what = `Ended after ${lasting(c.ended - c.began)}`;
      rest = [`${c.completed} completed`, `${c.failed} failed`];
    } else if (this.place && this.operations.has(this.place.n)) {
      const p = this.place, op = this.operations.get(p.n);
      const name = p.prompt || op.title;
      what = p.paused ? "Paused" : running[op.kind] ?? kind(op.kind);
      if (name) what += ` ${name}`;
      if (op.prompts > 1) rest.push(`prompt ${p.index + 1} of ${op.prompts}`);
      const moved = p.paused || p.position === 0 ? 0 : Math.min(400, performance.now() - this.at);
      if (p.offset) rest.push(`at ${lasting(p.offset + moved)}`);
      rest.push(`runs for ${lasting(this.now() - op.started)}`);
      if (op.loop) rest.push("in a loop");
      if (waiting) rest.push(waiting);
    } else {
      what = this.paused ? "Paused" : "Nothing runs";
      if (waiting) rest.push(waiting);
    }
    const text = `${what}\n${rest.join(" · ")}`;
    if (line.text === text) return;
    line.text = text;
    line.replaceChildren(make("b", "", what), make("span", "", rest.length ? ` · ${rest.join(" · ")}` : ""));
  }

  // operation makes or renews the row of an operation.
  operation(op) {
    if (!op.nodes) {
      const row = make("div"), head = make("div", "head");
      row.setAttribute("role", "listitem");
      op.label = make("button", "label");
      op.label.type = "button";
      op.label.setAttribute("aria-expanded", "false");
      op.track = make("div", "track");
      op.outcome = make("div", "outcome");
      head.append(op.label, op.track, op.outcome);
      row.append(head);
      op.label.addEventListener("click", () => this.unfold(op, row));
      op.waited = op.track.appendChild(make("div", "span waited"));
      op.ran = op.track.appendChild(make("div", "span ran"));
      op.tail = op.track.appendChild(make("div", "span tail"));
      op.never = op.track.appendChild(make("div", "at never"));
      op.nodes = [row];
      this.insert(row, op.n);
      op.label.append(make("b", "", kind(op.kind)), make("span", "",
        [op.title, op.prompts > 1 && `+${op.prompts - 1}`, op.loop && "↻"].filter(Boolean).join(" ")));
      if (op.context) op.label.title = op.context;
    }
    const bad = op.result && !op.result.completed;
    op.ran.className = `span ran ${op.ended === undefined ? "live" : bad ? "bad" : "good"}`;
    op.ran.hidden = op.started === undefined;
    op.tail.className = `span tail ${bad ? "bad" : "good"}`;
    op.tail.hidden = op.released === undefined && !(bad && op.started !== undefined && this.stops(op));
    op.never.hidden = !(bad && op.started === undefined);
    if (op.more) this.list(op.more, this.details(op));
    if (!op.result) return;
    const outcome = make("b", bad ? "bad" : "good", ended(op));
    const code = bad ? ` ${op.result.code}/${op.result.subcode}`
      : op.result.recorded ? ` ${lasting(op.result.recorded)}` : ` ${lasting(op.ended - op.started)}`;
    op.outcome.replaceChildren(outcome, code);
    op.outcome.title = op.outcome.textContent;
  }

  // stops reports whether the media of an operation that was ended over it is yet to report.
  stops(op) {
    return op.result.by !== undefined || ["cancelled", "bargedIn", "callEnded", "shutDown", "timedOut"]
      .includes(op.result.reason);
  }

  insert(row, n) {
    row.n = n;
    const rows = $("operations");
    let before = null;
    for (let r = rows.lastElementChild; r && r.n > n; r = r.previousElementSibling) before = r;
    rows.insertBefore(row, before);
  }

  // grow sets where the parts of an operation's bar begin and end.
  grow(op, now) {
    const from = op.accepted, to = op.started ?? op.ended ?? now;
    if (op.done) return;
    const place = (node, a, b) => {
      node.style.setProperty("--a", a);
      node.style.setProperty("--b", b);
    };
    place(op.waited, from, to);
    op.waited.title = `waited ${lasting(to - from)}`;
    op.waited.hidden = to - from < 1;
    if (op.started !== undefined) {
      place(op.ran, op.started, op.ended ?? now);
      op.ran.title = `ran ${lasting((op.ended ?? now) - op.started)}`;
    }
    if (!op.tail.hidden) {
      const silent = op.released ?? now;
      place(op.tail, op.ended, silent);
      op.tail.title = op.abandoned ? "its media did not report in time"
        : `media fell silent after ${lasting(silent - op.ended)}`;
    }
    if (!op.never.hidden) op.never.style.setProperty("--a", op.ended);
    if (!op.result) {
      say(op.outcome, op.started !== undefined ? `runs ${lasting(now - op.started)}` : `waits ${lasting(now - op.accepted)}`);
    }
    // What has ended moves no more; the rest comes with another message.
    op.done = op.result && (op.tail.hidden || op.released !== undefined);
    if (op.done && this.stops(op) && op.released === undefined) op.done = false;
  }

  details(op) {
    const r = op.result, at = (ms) => instant(ms);
    const pairs = [["Id", op.id]];
    if (op.context) pairs.push(["Client context", op.context]);
    pairs.push(["Accepted", at(op.accepted)]);
    if (op.started !== undefined) pairs.push(["Started", `${at(op.started)}, after ${lasting(op.started - op.accepted)}`]);
    if (!r) return pairs;
    pairs.push(["Ended", at(op.ended)]);
    pairs.push(["Result", `${r.code}/${r.subcode} ${r.message}${r.detail ? ` ${r.detail}` : ""}`]);
    if (r.by) pairs.push(["By", whose(r.by)]);
    if (op.released !== undefined) {
      pairs.push(["Silent", op.abandoned ? "the media did not report in time"
        : `${lasting(op.released - op.ended)} after its end`]);
    }
    if (r.position) pairs.push(["Position", lasting(r.position)]);
    if (op.prompts > 1 && r.prompt && op.started !== undefined) {
      pairs.push(["Prompt", `${(r.index ?? 0) + 1} of ${op.prompts}, ${r.prompt}, at ${lasting(r.offset ?? 0)}`]);
    }
    if (r.recorded) pairs.push(["Recording", lasting(r.recorded)]);
    return pairs;
  }

  unfold(op, row) {
    const open = !op.more;
    if (open) {
      op.more = row.appendChild(make("dl", "more"));
      this.list(op.more, this.details(op));
    } else {
      op.more.remove();
      op.more = undefined;
    }
    op.label.setAttribute("aria-expanded", String(open));
  }

  // mark makes what stands at an instant.
  mark(k) {
    k.nodes = [];
    if (k.kind === "key") {
      const press = make("div", "at press");
      if (k.tone) press.dataset.key = k.tone;
      press.title = `${k.tone ? `key ${k.tone}` : "a key"} at ${instant(k.at)}`;
      this.stand(k, $("keys-lane"), press, k.at);
      return;
    }
    const words = k.kind === "note" ? k.text : cancelWords(k);
    this.flag(k, k.kind === "note" ? "said" : k.by?.kind === "key" ? "stop" : "cancel", words, k.at);
  }

  stand(k, lane, node, at) {
    node.style.setProperty("--a", at);
    (lane.children[1] ?? lane).append(node);
    k.nodes.push(node);
  }

  flag(k, name, words, at) {
    const line = make("div", `at line ${name}`), flag = make("div", `at flag ${name}`, words);
    flag.title = line.title = `${words} at ${instant(at)}`;
    line.style.setProperty("--a", at);
    $("over").append(line);
    k.nodes = [line];
    this.stand(k, $("events-lane"), flag, at);
    k.flag = flag;
    k.flagAt = at;
  }

  // end draws the end of the call.
  end(c) {
    if (!c.ended || this.finish) return;
    this.finish = {};
    this.flag(this.finish, "finish", reasons[c.why] ?? spaced(c.why), c.ended - c.began);
  }

  delivery(d) {
    d.nodes = [];
    const lane = $("notifications-lane"), first = d.attempts[0], last = d.attempts.at(-1);
    const sent = make("div", `span sent ${d.state}`);
    const from = first?.began ?? 0;
    const to = d.next ?? (last ? last.began + last.took : from);
    sent.style.setProperty("--b", to);
    this.stand(d, lane, sent, from);
    d.attempts.forEach((a, i) => {
      const lost = d.state === "givenUp" && i === d.attempts.length - 1;
      const dot = make("div", `at try ${a.taken ? "taken" : lost ? "lost" : ""}`);
      dot.title = `${many(d.notifications, "notification")}: ${a.what} after ${lasting(a.took)}`;
      this.stand(d, lane, dot, a.began + a.took);
    });
  }

  axis(from, to, scale) {
    const box = $("axis");
    const least = 52 / scale; // milliseconds that a label needs
    const step = steps.find((s) => s >= least) ?? steps.at(-1);
    const first = Math.max(0, Math.ceil(from / step) * step);
    const n = Math.max(0, Math.floor((to - first) / step) + 1);
    while (box.children.length < n) box.append(make("div", "at tick"));
    [...box.children].forEach((tick, i) => {
      tick.hidden = i >= n;
      if (tick.hidden) return;
      const at = first + i * step;
      tick.style.setProperty("--a", at);
      tick.classList.toggle("zero", (at - from) * scale < 14);
      const far = (to - at) * scale < 30;
      tick.style.visibility = far ? "hidden" : "";
      say(tick, instant(at, step));
    });
  }

  // flags shows the words of the lines that have room for them: what has cancelled something first,
  // and of these the last.
  flags(from, scale, edge) {
    const rank = (k) => (k.flag.matches(".cancel, .stop") ? 0 : 1);
    const all = [...this.marks.values(), this.finish ?? {}].filter((k) => k.flag)
      .sort((a, b) => rank(a) - rank(b) || b.flagAt - a.flagAt);
    const taken = [];
    const free = (left, right) => left >= 0 && right <= edge
      && taken.every(([l, r]) => right <= l || left >= r);
    for (const k of all) {
      k.size ??= k.flag.offsetWidth;
      const x = (k.flagAt - from) * scale;
      const seen = x >= 0 && x <= edge;
      const after = seen && free(x, x + k.size);
      const before = seen && !after && free(x - k.size, x);
      k.flag.classList.toggle("before", before);
      k.flag.style.visibility = after || before ? "" : "hidden";
      if (after) taken.push([x, x + k.size]);
      if (before) taken.push([x - k.size, x]);
    }
  }

  // write writes the log: what happened, in words.
  write() {
    const lines = [];
    const add = (at, text) => lines.push([at, text]);
    for (const op of this.operations.values()) {
      const what = `${kind(op.kind)}${op.title ? ` ${op.title}` : ""}`;
      add(op.accepted, `${what} accepted`);
      if (op.started !== undefined) add(op.started, `${what} begins`);
      if (op.result) {
        const by = op.result.by ? `, by ${whose(op.result.by)}` : "";
        add(op.ended, `${what}: ${ended(op)} (${op.result.code}/${op.result.subcode})${by}`);
      }
      if (op.released !== undefined) {
        add(op.released, op.abandoned ? `${what}: its media did not report in time` : `${what}: its media is silent`);
      }
    }
    for (const k of this.marks.values()) {
      if (k.kind === "key") add(k.at, k.tone ? `Key ${k.tone}` : "A key");
      else add(k.at, k.kind === "note" ? k.text : `${cancelWords(k)}: ${many(k.count, "operation")} ended`);
    }
    for (const d of this.deliveries.values()) {
      for (const a of d.attempts) {
        add(a.began + a.took, `${many(d.notifications, "notification")}: ${a.what} after ${lasting(a.took)}`);
      }
      if (d.state === "givenUp") {
        const last = d.attempts.at(-1);
        add(last ? last.began + last.took : this.now(), `${many(d.notifications, "notification")} given up`);
      }
    }
    if (this.call.ended) add(this.call.ended - this.call.began, "The call ends");
    lines.sort((a, b) => a[0] - b[0]);
    $("entries").replaceChildren(...lines.slice(-300).map(([at, text]) => {
      const line = make("li");
      line.append(make("time", "", instant(at)), make("span", "", text));
      return line;
    }));
  }

  // speak tells a screen reader what the call is doing now, at most once a second.
  speak() {
    this.speaking ||= setTimeout(() => {
      this.speaking = 0;
      const waiting = this.call.waiting ? `, ${this.call.waiting} waiting` : "";
      if (view === this) say($("spoken"), $("now").firstChild.textContent + waiting);
    }, 1000);
  }

  zoom(by) {
    const [from, to] = this.bounds();
    const whole = Math.max(1000, this.now() - this.first());
    this.span = Math.min(Math.max((to - from) * by, 200), whole * 1.03);
    if (this.until !== null) this.until = Math.min(this.until, this.now() * 1.03);
    if (this.span >= whole) this.span = 0, this.until = null;
    this.spans();
    this.draw();
  }

  move(by) {
    const [from, to] = this.bounds();
    if (!this.span) return;
    const end = Math.max(this.first() + this.span, to + (to - from) * by);
    this.until = end >= this.now() ? null : end;
    this.draw();
  }

  // spans checks the choice that the zoom has come to, if there is one.
  spans() {
    for (const choice of document.querySelectorAll("[name=span]")) {
      choice.checked = Number(choice.value) === this.span;
    }
  }
}

function cancelWords(k) {
  const n = k.count > 1 ? ` ×${k.count}` : "";
  if (k.by?.kind === "key") return k.by.tone ? `key ${k.by.tone}` : "stopped by a key";
  if (k.reason === "bargedIn") return `barge-in${n}`;
  if (k.reason === "cancelled") return `cancel${n}`;
  return `${reasons[k.reason] ?? spaced(k.reason)}${n}`;
}

// ---- What people do

$("search").addEventListener("input", () => list.later());
$("tools").addEventListener("change", () => list.later());
$("tools").addEventListener("submit", (e) => e.preventDefault());
$("rows").addEventListener("scroll", () => list.draw(), { passive: true });
new ResizeObserver(() => list.draw()).observe($("rows"));
new ResizeObserver(() => view?.draw()).observe($("timeline"));
$("back").addEventListener("click", () => leave());
$("log").addEventListener("toggle", () => view?.call && $("log").open && view.write());
$("in").addEventListener("click", () => view?.zoom(1 / 1.6));
$("out").addEventListener("click", () => view?.zoom(1.6));
$("spans").addEventListener("change", (e) => {
  if (!view) return;
  view.span = Number(e.target.value);
  view.until = null;
  view.draw();
});
addEventListener("hashchange", show);
addEventListener("popstate", show);

function leave() {
  list.chosen = 0;
  history.pushState(null, "", "#");
  show();
  $("rows").focus();
}

$("rows").addEventListener("keydown", (e) => {
  const page = Math.floor($("rows").clientHeight / rowHeight);
  const by = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -1e9, End: 1e9 }[e.key];
  if (by !== undefined) {
    e.preventDefault();
    list.move(by);
  } else if (e.key === "Enter" && view) {
    e.preventDefault();
    $("call").focus();
  }
});

$("timeline").addEventListener("keydown", (e) => {
  const act = {
    "+": () => view.zoom(1 / 1.6), "=": () => view.zoom(1 / 1.6), "-": () => view.zoom(1.6),
    ArrowLeft: () => view.move(-0.2), ArrowRight: () => view.move(0.2), End: () => view.move(1e9),
    Home: () => view.move(-1e9),
  }[e.key];
  if (!act || !view?.call) return;
  e.preventDefault();
  act();
});

addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  const typing = e.target.matches("input[type=search], select");
  if (e.key === "/" && !typing) {
    e.preventDefault();
    $("search").focus();
    $("search").select();
  } else if (e.key === "ArrowDown" && e.target === $("search")) {
    e.preventDefault();
    $("rows").focus();
    list.move(0);
  } else if (e.key === "Escape" && e.target === $("search") && $("search").value) {
    $("search").value = "";
    list.later();
  } else if (e.key === "Escape" && !typing && view) {
    leave();
  }
});

// Durations on the list go on without messages.
setInterval(() => !document.hidden && list.draw(), 500);

follow("events", { calls: (m) => list.take(m) }, link);
show();
