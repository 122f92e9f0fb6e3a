// Makes the pictures of the docs, in the folder that is named: a call, light and dark, and on a phone.

import { join } from "node:path";

import { browse, stage } from "./browser.js";

const folder = process.argv[2];
const browser = await browse();
const [program, url] = await stage("-calls", "40", "-rate", "6");
try {
  const page = await browser.newPage({ viewport: { width: 1200, height: 780 } });
  const shoot = (name) => page.screenshot({ path: join(folder, `inspector-${name}.png`) });
  await page.goto(url);
  await page.waitForTimeout(6000); // so that the crowd has done something
  const number = await page.evaluate(() =>
    [...list.calls.values()].find((c) => !c.ended && c.labels.length > 1).n);
  await page.evaluate((n) => choose(n), number);
  await page.waitForFunction(() => view?.call && view.now() > 10_600, undefined, { polling: 20 });
  await shoot("call");
  await page.emulateMedia({ colorScheme: "dark" });
  await page.waitForFunction(() => view.call.ended, undefined, { polling: 20 });
  await page.waitForTimeout(600);
  await shoot("dark");
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 390, height: 780 });
  await page.waitForTimeout(400);
  await shoot("narrow");
} finally {
  await program.end();
  await browser.close();
}
