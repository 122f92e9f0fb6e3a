// The inspector's page in a browser: a call is followed from its beginning to its end, with the mouse
// and with the keyboard alone, and 2,000 calls stay usable. It ends with status 1 if something is not
// as it should be, and says what. Needs Go, Node.js from version 18 on, and Chromium.

import axe from "axe-core";

import { browse, Program, stage } from "./browser.js";

// patience is how long anything may take, in ms: the machine may be held up.
const patience = 120_000;

let failures = 0;

// check reports whether something is as it should be.
function check(what, ok, got) {
  console.log(`${ok ? "ok  " : "FAIL"} ${what}${got === undefined ? "" : `: ${got}`}`);
  if (!ok) failures++;
}

// until waits until something of the page is true, and reports whether it is in time.
async function until(page, what, f, arg) {
  const ok = await page.waitForFunction(f, arg, { timeout: patience, polling: 50 }).then(() => true, () => false);
  check(what, ok, ok ? undefined : await page.evaluate(() => document.body.innerText.slice(0, 2000)));
}

const text = (selector, part) => [([s, p]) =>
  [...document.querySelectorAll(s)].some((n) => n.checkVisibility() && n.textContent.includes(p)), [selector, part]];

// Bot talks to the service as a bot does.
class Bot {
  constructor(url, token) {
    this.url = url;
    this.token = token;
  }

  async ask(method, path, body) {
    const answer = await fetch(this.url + path, {
      method, body: body && JSON.stringify(body),
      headers: { Authorization: `Bearer ${this.token}`, "Content-Type": "application/json" },
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.status === 204 ? null : answer.json();
  }

  async call(number) {
    const call = await this.ask("POST", "/v1.0/communications/calls", {
      callbackUri: `${this.url}/dev/inbox`, requestedModalities: ["audio"],
      targets: [{ identity: { phone: { id: number } } }],
      mediaConfig: { "@odata.type": "#microsoft.graph.serviceHostedMediaConfig" },
    });
    const path = `/v1.0/communications/calls/${call.id}`;
    for (;;) {
      if ((await this.ask("GET", path)).state === "established") return new Call(this, call.id, path);
      await new Promise((wake) => setTimeout(wake, 20));
    }
  }
}

class Call {
  constructor(bot, id, path) {
    Object.assign(this, { bot, id, path });
  }

  act(action, body) { return this.bot.ask("POST", `${this.path}/${action}`, body); }
  play(name, mark, loop) {
    return this.act("playPrompt", {
      clientContext: mark, loop, prompts: [{ mediaInfo: { uri: `embedded:${name}.wav` } }],
    });
  }
  press(tones) { return this.bot.ask("POST", `/dev/calls/${this.id}/tones`, { tones }); }
  hangUp() { return this.bot.ask("DELETE", `/dev/calls/${this.id}`); }
}

// watched makes a page whose errors are failures.
async function watched(browser, options) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(patience);
  const page = await context.newPage();
  page.on("pageerror", (e) => check("no error on the page", false, e.message));
  page.on("console", (m) => {
    if (m.type() === "error" && !/Failed to load resource/.test(m.text())) {
      check("no error on the console", false, m.text());
    }
  });
  return page;
}

// accessible checks the page by axe.
async function accessible(page, what) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => axe.run());
  const bad = violations.filter((v) => v.impact === "serious" || v.impact === "critical");
  check(`axe finds nothing serious: ${what}`, bad.length === 0, bad.length === 0
    ? `${violations.length} lesser ones${violations.map((v) => ` (${v.id})`).join("")}`
    : JSON.stringify(bad.map((v) => [v.id, v.nodes.slice(0, 3).map((n) => `${n.html} ${n.failureSummary}`)]), null, 1));
}

// follow follows a call of the service through everything.
async function follow(browser, url, token) {
  const bot = new Bot(url, token);
  const page = await watched(browser, { httpCredentials: { username: "", password: token } });
  await page.goto(`${url}/debug/calls/`);
  await until(page, "there is no call yet", ...text("#empty", "No calls yet"));
  await accessible(page, "no calls");

  const others = [await bot.call("+15550111"), await bot.call("+15550222")];
  const call = await bot.call("+15550199");
  await until(page, "calls appear", ...text(".row", "+15550199"));
  // The whole number: its last digits alone are, once in a while, in the random id of another call.
  await page.fill("#search", "15550199");
  await until(page, "a search finds one",
    () => [...document.querySelectorAll(".row")].filter((r) => r.checkVisibility()).length === 1);
  await page.click(".row:visible");
  await until(page, "the call is shown", ...text("#name", "+15550199"));
  await until(page, "its id", ...text("#facts", call.id));

  await call.play("music", "loop", true);
  await until(page, "what runs is shown", ...text("#now", "Playing music.wav"));
  await until(page, "where it is", ...text("#now", "at "));
  await until(page, "its bar runs", () => document.querySelector(".ran.live")?.offsetWidth > 3);
  await call.play("menu", "second");
  await until(page, "what waits is shown", ...text("#now", "1 operation waits"));
  await until(page, "and how long", ...text("#operations .outcome", "waits"));
  await call.press("4");
  await until(page, "a key is a tick", () => document.querySelectorAll("#keys-lane .press").length === 1);
  check("which one is hidden", !(await page.textContent("#keys-lane")).includes("4"));

  await call.act("cancelMediaProcessing", { clientContext: "enough" });
  await until(page, "a cancel is a line", ...text(".flag.cancel", "cancel ×2"));
  await until(page, "both were cancelled",
    () => [...document.querySelectorAll("#operations .outcome")].filter((o) => o.textContent === "cancelled 400/8508").length === 2);
  await page.click("#operations .label >> nth=0");
  await until(page, "by whom, and why", ...text("#operations .more", "cancel (enough)"));
  await until(page, "notifications are shown", ...text("#notifications-lane", "taken"));

  await call.act("recordResponse", { maxRecordDurationInSeconds: 120, initialSilenceTimeoutInSeconds: 120, playBeep: false, stopTones: ["#"] });
  await until(page, "a record runs", ...text("#now", "Recording"));
  await call.press("#");
  await until(page, "a key ends it", ...text("#operations .outcome", "ended by a key"));
  await page.click("#log summary");
  await until(page, "it is in words too", ...text("#entries", "Record: ended by a key (200/8514)"));
  await accessible(page, "a call");
  await page.emulateMedia({ colorScheme: "dark" });
  await until(page, "dark", () => {
    const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number);
    return r + g + b < 150;
  });
  await accessible(page, "a call, dark");
  await page.setViewportSize({ width: 390, height: 800 });
  await until(page, "narrow: the call alone", () => !document.querySelector("#rows").checkVisibility());
  check("narrow: nothing is cut off", await page.evaluate(() => document.documentElement.scrollWidth <= 390));
  await accessible(page, "a call, narrow");
  await page.click("#back");
  await until(page, "narrow: back to the list", () => document.querySelector("#rows").checkVisibility());
  await accessible(page, "the list, narrow");
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goBack();
  await until(page, "the browser's back shows the call", ...text("#name", "+15550199"));

  await call.play("music", "last", true);
  await until(page, "it plays again", ...text("#now", "Playing"));
  await call.hangUp();
  await until(page, "the call ends", ...text("#state", "ended"));
  await until(page, "with what ran", ...text("#operations .outcome", "call ended 400/8528"));
  await until(page, "its notification is delivered", ...text("#notifications-lane", "taken"));
  await page.fill("#search", "");
  await page.check("[name=filter][value=ended]", { force: true });
  await until(page, "the filter shows what has ended",
    () => [...document.querySelectorAll(".row")].filter((r) => r.checkVisibility()).length === 1);
  await page.check("[name=filter][value=live]", { force: true });
  await until(page, "and what lives",
    () => [...document.querySelectorAll(".row")].filter((r) => r.checkVisibility()).length === 2);
  await page.context().close();
  await keyboard(browser, url, token, others[0]);
  const stranger = await fetch(`${url}/debug/calls/`);
  check("without a token there is no page", stranger.status === 401, stranger.status);
}

// keyboard does the same with the keyboard alone.
async function keyboard(browser, url, token, call) {
  const page = await watched(browser, { httpCredentials: { username: "", password: token } });
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.className);
  await page.goto(`${url}/debug/calls/`);
  await until(page, "keyboard: calls are there", ...text(".row", "+15550111"));
  await page.keyboard.press("/");
  check("keyboard: / goes to the search", await focused() === "search", await focused());
  await page.keyboard.type("15550111");
  await until(page, "keyboard: the search finds one",
    () => [...document.querySelectorAll(".row")].filter((r) => r.checkVisibility()).length === 1);
  await page.keyboard.press("ArrowDown");
  check("keyboard: down goes to the list", await focused() === "rows", await focused());
  await until(page, "keyboard: and chooses a call", ...text("#name", "+15550111"));
  check("keyboard: the list says which", await page.evaluate(() => {
    const row = document.getElementById(document.querySelector("#rows").getAttribute("aria-activedescendant"));
    return row?.getAttribute("aria-selected") === "true" && row.textContent.includes("+15550111");
  }));
  await call.play("welcome", "first");
  await until(page, "keyboard: an operation appears", ...text("#operations .label", "welcome.wav"));
  await page.keyboard.press("Enter");
  check("keyboard: enter goes to the call", await focused() === "call", await focused());
  for (let i = 0; i < 12 && await focused() !== "label"; i++) await page.keyboard.press("Tab");
  check("keyboard: tab comes to the operation", await focused() === "label", await focused());
  await page.keyboard.press("Enter");
  await until(page, "keyboard: enter tells of it", ...text("#operations .more", "first"));
  await page.keyboard.press("Shift+Tab");
  check("keyboard: back to the timeline", await focused() === "timeline", await focused());
  const last = () => page.evaluate(() => view.bounds().join(" "));
  await page.keyboard.press("+");
  await page.keyboard.press("+");
  const zoomed = await page.evaluate(() => view.span > 0);
  check("keyboard: plus zooms in", zoomed);
  await page.keyboard.press("ArrowLeft");
  const held = await last();
  await page.waitForTimeout(200);
  check("keyboard: left holds the time", held === await last());
  await page.keyboard.press("End");
  check("keyboard: end follows again", await page.evaluate(() => view.until === null));
  await page.keyboard.press("Escape");
  check("keyboard: escape goes back to the list", await focused() === "rows", await focused());
  await page.context().close();
}

// watch looks how late this process gets a processor, as the browser beside it does. The function that it
// returns says for how many ms in all.
function watch() {
  const often = 20;
  let sum = 0, due = performance.now() + often;
  const look = () => {
    const now = performance.now();
    if (now - due > often) sum += now - due;
    due = now + often;
  };
  const timer = setInterval(look, often);
  return () => {
    clearInterval(timer);
    look();
    return sum;
  };
}

// crowd measures 2,000 calls with 100 operations a second.
async function crowd(browser) {
  const [program, url] = await stage("-calls", "2000", "-rate", "100", "-scenes=false");
  try {
    const page = await watched(browser, { viewport: { width: 1280, height: 900 } });
    await page.goto(url);
    await until(page, "2,000 calls are there", () => /2,000 live/.test(document.querySelector("#counts").textContent));
    await page.selectOption("#sort", "changed");
    await page.click(".row >> nth=0");
    await until(page, "one of them is shown", () => document.querySelector("#shown").checkVisibility());
    await page.evaluate(() => {
      window.long = [];
      new PerformanceObserver((l) => long.push(...l.getEntries().map((e) => e.duration))).observe({ type: "longtask" });
      window.late = [];
      const take = list.take;
      list.take = function (m) {
        take.call(this, m);
        const changes = (m.calls ?? []).map((c) => c.changed);
        requestAnimationFrame(() => setTimeout(() => {
          for (const at of changes) late.push(Date.now() - at);
        }, 60)); // when the list is drawn
      };
    });
    await page.evaluate(() => { // it is drawn again before it is sorted
      list.take({ now: Date.now(), gone: list.order.slice(0, 5) });
      list.draw();
    });
    const lateness = watch();
    const cdp = await page.context().newCDPSession(page);
    await cdp.send("Performance.enable");
    const used = async () => { // of a processor, by the page's own thread, in seconds
      const { metrics } = await cdp.send("Performance.getMetrics");
      return metrics.find((m) => m.name === "ThreadTime").value;
    };
    const before = await used();
    const began = Date.now();
    const keys = [];
    for (const words of ["555 1", "hours", "555", "menu.wav", ""]) {
      for (let i = 1; i <= words.length; i++) {
        const at = Date.now();
        await page.fill("#search", words.slice(0, i));
        await page.evaluate(() => new Promise((wake) => requestAnimationFrame(() => setTimeout(wake))));
        keys.push(Date.now() - at);
      }
      if (words === "") await page.fill("#search", "");
      await page.waitForTimeout(1200);
    }
    for (let i = 0; i < 20; i++) {
      await page.mouse.move(200, 600);
      await page.mouse.wheel(0, 3000);
      await page.waitForTimeout(100);
    }
    const seconds = (Date.now() - began) / 1000;
    const busy = (await used()) - before;
    const { long, late, nodes } = await page.evaluate(() => ({ long, late, nodes: document.querySelectorAll("*").length }));
    const sum = (all) => all.reduce((a, b) => a + b, 0);
    late.sort((a, b) => a - b);
    const part = (all, p) => all[Math.floor((all.length - 1) * p)];
    keys.sort((a, b) => a - b);
    console.log(`     ${late.length} changes in ${seconds.toFixed(0)} s; from a change to the screen: median ` +
      `${part(late, 0.5)} ms, 99 % ${part(late, 0.99)} ms`);
    console.log(`     ${long.length} long tasks, ${Math.round(sum(long))} ms of ${seconds.toFixed(0)} s, the longest ` +
      `${Math.round(Math.max(0, ...long))} ms; a key of the search: median ${part(keys, 0.5)} ms, longest ` +
      `${keys.at(-1)} ms; ${nodes} elements; ${busy.toFixed(1)} s of a processor`);
    // Time is the machine's too, if it does something else. A processor's time is the page's alone, but
    // how much of it the same takes is the machine's.
    const held = lateness();
    check("changes come to the screen soon", late.length > 0 && part(late, 0.5) < 3000 + held,
      `${part(late, 0.5)} ms, held up for ${Math.round(held)}`);
    check("the page has time", busy < seconds * 0.5, busy.toFixed(1));
    check("the page is small", nodes < 1500, nodes);
    await accessible(page, "a crowd");
    await page.context().close();
  } finally {
    await program.end();
  }
}

const began = Date.now();
const browser = await browse();
try {
  const [program, url, token] = await Program.start("./examples/ivr",
    ["serve", "-dev", "-addr", "127.0.0.1:0"],
    [/^The API is at (.*)\/v1\.0$/, /^A token of the application dev for it is (.*)$/]);
  try {
    await follow(browser, url, token);
  } finally {
    check("the service ends well", await program.end() === 0);
  }
  await crowd(browser);
} finally {
  await browser.close();
}
console.log(`${failures === 0 ? "all is well" : `${failures} failures`}, after ${Math.round((Date.now() - began) / 1000)} s`);
process.exitCode = failures === 0 ? 0 : 1;
