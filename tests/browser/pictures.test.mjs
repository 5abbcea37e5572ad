// The pictures of the README. Without UPDATE_PICTURES the test compares the hash of each picture's sources with the one that is
// stored beside the pictures; with it, the pictures are taken anew, and the hashes with them.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { launch, open } from "./browser.mjs";
import { serveGallery } from "./gallery.mjs";
import { BASE, signIn } from "./pages.mjs";

const ROOT = new URL("../../", import.meta.url);
const FOLDER = new URL("infra/pictures/", ROOT);
const TEMPLATES = "shared/pages/templates/";
const CARD = ["style.css", "card.css"];

/** Each picture: the files that it shows, and the function that takes it. */
const PICTURES = {
  "sign-in-light": { sources: ["sign_in.html", ...CARD], take: () => card("sign_in_logo", "light") },
  "sign-in-dark": { sources: ["sign_in.html", ...CARD], take: () => card("sign_in_logo", "dark") },
  "consent-light": { sources: ["consent.html", ...CARD], take: () => card("consent_logo", "light") },
  "consent-dark": { sources: ["consent.html", ...CARD], take: () => card("consent_logo", "dark") },
  device: { sources: ["consent.html", "device_profile.html", ...CARD], take: device },
  playground: { sources: ["playground.html", "playground.js", "style.css", "development.css"], take: playground },
  "cargo-run": { sources: [], more: ["infra/cli/src/dev/banner.rs", "infra/cli/src/dev/commands.rs"], take: cargoRun },
};

/** Returns the templates with those that they extend and include. */
async function withParts(names) {
  const all = new Set();
  for (const waiting = [...names]; waiting.length; ) {
    const name = waiting.pop();
    if (all.has(name)) continue;
    all.add(name);
    const text = await readFile(new URL(TEMPLATES + name, ROOT), "utf8");
    waiting.push(...[...text.matchAll(/{%-? (?:extends|include) "([^"]+)"/g)].map(([, part]) => part));
  }
  return [...all].map((name) => TEMPLATES + name);
}

async function hashOf({ sources, more = [] }) {
  const hash = createHash("sha256");
  for (const file of [...(await withParts(sources)), ...more].sort()) {
    hash.update(`${file}\0`).update(await readFile(new URL(file, ROOT))).update("\0");
  }
  return hash.digest("hex");
}

const recorded = new URL("sources.json", FOLDER);

test("no picture of the README is older than what it shows", async () => {
  const readme = await readFile(new URL("README.md", ROOT), "utf8");
  const shown = new Set([...readme.matchAll(/infra\/pictures\/([a-z-]+)\.png/g)].map(([, name]) => name));
  assert.deepEqual([...shown].sort(), Object.keys(PICTURES).sort(), "the README shows each picture");
  if (process.env.UPDATE_PICTURES) return;
  const hashes = JSON.parse(await readFile(recorded, "utf8"));
  for (const [name, picture] of Object.entries(PICTURES)) {
    assert.equal(
      hashes[name],
      await hashOf(picture),
      `infra/pictures/${name}.png is older than its templates: UPDATE_PICTURES=1 cargo xtask test --only browser`,
    );
  }
});

let browser, gallery;
const save = (name, image) => writeFile(new URL(`${name}.png`, FOLDER), image);
const sharp = (options = {}) => open(browser, { deviceScaleFactor: 2, ...options });

test("the pictures are taken", { skip: !process.env.UPDATE_PICTURES, timeout: 120_000 }, async () => {
  browser = await launch();
  gallery = await serveGallery();
  const hashes = {};
  for (const [name, picture] of Object.entries(PICTURES)) {
    await save(name, await picture.take());
    hashes[name] = await hashOf(picture);
  }
  await writeFile(recorded, `${JSON.stringify(hashes, null, 2)}\n`);
  await browser.close();
  gallery.close();
});

/** A page of the gallery with its background. */
async function card(name, colorScheme) {
  const { context, page } = await sharp({ colorScheme, viewport: { width: 560, height: 800 } });
  await page.goto(`${gallery.origin}/${name}`);
  await page.evaluate(() => document.activeElement?.blur());
  const image = await page.screenshot({ fullPage: true, animations: "disabled" });
  await context.close();
  return image;
}

/** A television that shows its code, and the phone on which the user allows it. */
async function device() {
  const phone = await sharp({ viewport: { width: 390, height: 844 } });
  await phone.page.goto(`${gallery.origin}/device_consent`);
  const screen = (await phone.page.screenshot({ fullPage: true, animations: "disabled" })).toString("base64");
  await phone.context.close();
  const { context, page } = await sharp({ viewport: { width: 1120, height: 700 } });
  await page.setContent(`<style>
    body{margin:0;height:700px;display:flex;align-items:center;justify-content:center;gap:64px;background:#f3efe6;font-family:system-ui,sans-serif}
    .tv{width:600px;height:340px;border-radius:14px;border:12px solid #1d1a14;background:#12110e;color:#f3eee3;display:grid;place-content:center;text-align:center;gap:14px;box-shadow:0 24px 60px -20px rgb(60 48 20/.5)}
    .tv p{margin:0;font-size:20px;color:#b5ac9b}.tv b{color:#f3eee3;font-weight:600}
    .tv strong{font:700 58px/1.2 ui-monospace,monospace;letter-spacing:.08em;color:#e6b95a}
    .phone{width:270px;height:620px;border-radius:38px;border:10px solid #1d1a14;overflow:hidden;background:#fffdf9;box-shadow:0 24px 60px -20px rgb(60 48 20/.5)}
    .phone img{width:100%;display:block;margin-top:14px}
  </style><div class="tv"><p>To watch <b>Orchard TV</b>, open <b>id.example/device</b></p><strong>WDJB-MJHT</strong><p>Waiting for your phone\u2026</p></div>
  <div class="phone"><img alt="" src="data:image/png;base64,${screen}"></div>`);
  await page.waitForFunction(() => document.querySelector("img").complete);
  const image = await page.screenshot();
  await context.close();
  return image;
}

/** The playground after a sign-in, in one screen. */
async function playground() {
  const { context, page } = await sharp({ viewport: { width: 1280, height: 860 } });
  await page.goto(`${BASE}/playground`);
  await page.selectOption("#prompt", "consent");
  await page.click("#start");
  await signIn(page);
  await page.click("#allow");
  await page.locator("#status", { hasText: "Signed in." }).waitFor();
  await page.selectOption("#prompt", "");
  await page.evaluate(() => document.activeElement?.blur());
  const image = await page.screenshot({ animations: "disabled" });
  await context.close();
  return image;
}

/** What `cargo run` prints, in a terminal. */
async function cargoRun() {
  const child = spawn(process.env.LATCHKEY_TEST_CLI, ["dev", "--memory", "--quiet", "--port", "8797"]);
  let text = "";
  await new Promise((resolve) => {
    child.stdout.on("data", (data) => (text += data).includes("Ctrl-C") && resolve());
    child.stderr.on("data", (data) => (text += data).includes("Ctrl-C") && resolve());
  });
  child.kill();
  const escape = (line) => line.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const lines = text.trim().replaceAll("8797", "8787").split("\n").slice(0, 22);
  const { context, page } = await sharp({ viewport: { width: 1120, height: 700 } });
  await page.setContent(`<style>
    body{margin:0;padding:24px;background:#f3efe6}
    main{border-radius:14px;background:#12110e;color:#f3eee3;font:15px/1.55 ui-monospace,monospace;padding:14px 22px 20px;white-space:pre-wrap;overflow-wrap:anywhere}
    b{color:#e6b95a}i{display:inline-block;width:12px;height:12px;border-radius:50%;background:#38332a;margin-inline-end:7px}
  </style><main><i></i><i></i><i></i>\n<b>$ cargo run</b>\n${lines.map(escape).join("\n")}</main>`);
  const image = await page.locator("body").screenshot();
  await context.close();
  return image;
}
