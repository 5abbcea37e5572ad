// Every page in every state, with sample data.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { assertAccessible, launch, open, picture } from "./browser.mjs";
import { directory, serveGallery } from "./gallery.mjs";

describe("gallery", { concurrency: 2, skip: directory ? false : "GALLERY is not set" }, () => {
  let browser, gallery, origin, names;

  before(async () => {
    gallery = await serveGallery();
    ({ names, origin } = gallery);
    browser = await launch();
  });

  after(async () => {
    await browser?.close();
    gallery?.close();
  });

  test("form_post submits itself within its policy", { timeout: 30_000 }, async () => {
    const { context, page, problems } = await open(browser);
    const posted = new Promise((resolve) => {
      context.route("https://app.example/**", (route) => {
        resolve(route.request().postData());
        return route.fulfill({ contentType: "text/html", body: "<title>Arrived</title>" });
      });
    });
    await page.goto(`${origin}/form_post?submit`, { waitUntil: "commit" });
    assert.match(await posted, /^code=abc&state=xyz&iss=/);
    assert.deepEqual(problems, []);
    await context.close();
  });

  const SIZES = [
    { width: 320, height: 640 },
    { width: 480, height: 600 },
    { width: 1280, height: 800 },
  ];

  for (const colorScheme of ["light", "dark"]) {
    for (const textSize of [100, 200]) {
      const how = `${colorScheme}, text at ${textSize} %`;
      test(`each page passes axe, keeps its policy and fits each width (${how})`, { timeout: 600_000 }, async () => {
        assert.ok(names.length > 10);
        const { context, page, problems } = await open(browser, { colorScheme });
        await answerFrames(context);
        for (const name of names) {
          await page.setViewportSize(SIZES[0]);
          await page.goto(`${origin}/${name}`);
          await page.evaluate((size) => (document.documentElement.style.fontSize = `${size}%`), textSize);
          for (const size of SIZES) {
            await page.setViewportSize(size);
            if (textSize === 100 || size === SIZES[0]) await assertAccessible(page, `${name} (${how}, ${size.width} px)`);
            await assertFits(page, `${name} (${how})`, size.width);
            await picture(page, `${name}-${colorScheme}-${textSize}-${size.width}`, { fullPage: true });
          }
        }
        assert.deepEqual(problems, []);
        await context.close();
      });
    }
  }

  test("each page can be shown from right to left, in forced colours, and on paper", { timeout: 300_000 }, async () => {
    const { context, page, problems } = await open(browser, { viewport: SIZES[0] });
    await answerFrames(context);
    for (const name of names) {
      await page.goto(`${origin}/${name}`);
      await page.evaluate(() => (document.documentElement.dir = "rtl"));
      await assertFits(page, `${name} from right to left`, SIZES[0].width);
      await picture(page, `${name}-rtl`, { fullPage: true });
      await page.evaluate(() => (document.documentElement.dir = "ltr"));
      await page.emulateMedia({ forcedColors: "active" });
      await picture(page, `${name}-forced`, { fullPage: true });
      await page.emulateMedia({ forcedColors: "none", media: "print" });
      await assertFits(page, `${name} on paper`, SIZES[0].width);
      await picture(page, `${name}-print`, { fullPage: true });
      await page.emulateMedia({ media: "screen" });
    }
    assert.deepEqual(problems, []);
    await context.close();
  });

  test("the password can be shown, and is hidden again when it is sent", { timeout: 30_000 }, async () => {
    const { context, page, problems } = await open(browser);
    await page.goto(`${origin}/sign_in`);
    const type = () => page.getAttribute("#password", "type");
    await page.fill("#username", "dana");
    await page.fill("#password", "secret");
    await page.click("#show");
    assert.equal(await type(), "text");
    assert.equal(await page.getAttribute("#show", "aria-pressed"), "true");
    assert.equal(await page.evaluate(() => document.activeElement.id), "password");
    await assertAccessible(page, "a password that is shown");
    await page.click("#show");
    assert.equal(await type(), "password");
    await page.click("#show");
    await page.evaluate(() => document.getElementById("sign-in-form").addEventListener("submit", (e) => e.preventDefault()));
    await page.click("#sign-in");
    assert.equal(await type(), "password");
    const caps = (on) =>
      page.dispatchEvent("#password", "keydown", { key: "a", modifierCapsLock: on }).then(() => page.textContent("#caps"));
    assert.match(await caps(true), /Caps Lock is on/);
    assert.equal(await caps(false), "");
    assert.deepEqual(problems, []);
    await context.close();
  });

  test("a wait is counted down, and its end is said", { timeout: 60_000 }, async () => {
    for (const name of ["sign_in_wait", "device_code_again"]) {
      const { context, page, problems } = await open(browser);
      await page.clock.install();
      await page.goto(`${origin}/${name}`);
      assert.match(await page.textContent("#countdown"), /^0:\d\d$/);
      assert.equal(await page.getAttribute("#countdown", "aria-hidden"), "true", "the alert is not repeated each second");
      await page.clock.runFor(60_000);
      assert.equal(await page.locator("#countdown").isVisible(), false);
      assert.match(await page.textContent("#problem"), /You can try again now/);
      assert.deepEqual(problems, []);
      await context.close();
    }
  });
});

/** Answers what the pages load in frames. */
const answerFrames = (context) =>
  context.route("https://**", (route) =>
    route.fulfill({ contentType: "text/html", body: '<html lang="en"><title>Out</title><main><h1>Out</h1></main>' }),
  );

/** Fails if the page is wider than the screen. */
async function assertFits(page, what, width) {
  const actual = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(actual <= width, `${what} is ${actual} px wide on a screen of ${width}`);
}
