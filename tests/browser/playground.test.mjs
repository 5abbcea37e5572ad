// The playground: a single-page client in a browser, the whole flow.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertAccessible, picture } from "./browser.mjs";
import { BASE, launch, open, signIn } from "./pages.mjs";

const limit = { timeout: 60_000 };
let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const status = (page, text) => page.locator("#status", { hasText: text }).waitFor();
const claim = (page, id) => page.locator(`#${id}`).textContent();

test("sign in, consent, tokens, refresh, userinfo, revoke, sign out", limit, async () => {
  const { context, page, problems } = await open(browser);
  await page.goto(`${BASE}/`);
  await assertAccessible(page, "landing");
  await picture(page, "landing-light");
  await page.click("#playground");
  // Whatever was allowed before.
  await page.selectOption("#prompt", "consent");
  await page.click("#start");
  await page.waitForURL(/\/login\?/);
  await picture(page, "sign-in-light");
  await signIn(page);
  await page.waitForURL(/\/consent\?/);
  await assertAccessible(page, "consent");
  await picture(page, "consent-light", { fullPage: true });
  await page.click("#allow");
  await status(page, "Signed in.");

  assert.equal(new URL(page.url()).search, "", "the code leaves the address bar");
  assert.equal(await claim(page, "id-token-payload-iss"), BASE);
  assert.equal(await claim(page, "id-token-payload-aud"), "demo-spa");
  assert.equal(await claim(page, "id-token-header-alg"), "RS256");
  assert.equal(await claim(page, "access-token-header-alg"), "ES256");
  assert.ok(await claim(page, "id-token-payload-nonce"));
  assert.equal(await page.locator(".checks .bad").count(), 0);
  assert.ok((await page.locator(".checks li").count()) >= 8);
  await assertAccessible(page, "playground");
  await page.selectOption("#prompt", "");
  await picture(page, "playground-light", { clip: { x: 0, y: 0, width: 1200, height: 1100 }, fullPage: true });

  const first = await claim(page, "refresh-token-raw");
  await page.click("#refresh");
  await status(page, "Refreshed: new tokens.");
  assert.notEqual(await claim(page, "refresh-token-raw"), first);

  await page.click("#userinfo");
  await status(page, "Userinfo answered.");
  assert.deepEqual(problems, []);

  await page.click("#revoke");
  await status(page, "Revoked");
  await page.click("#refresh");
  await status(page, "invalid_grant");
  // What the browser notes on its console of the refusal that was asked for.
  assert.deepEqual(problems.splice(0).filter((problem) => !/status of 400/.test(problem)), []);

  // Signed in and consented: no page stands between.
  await page.click("#start");
  await status(page, "Signed in.");
  await page.click("#sign-out");
  await page.waitForURL(/\/playground/);
  await status(page, "Signed out.");
  assert.equal(await page.locator("#toolbar").isVisible(), false);
  assert.deepEqual(problems, []);

  // The session is over: sign-in is asked for again.
  await page.click("#start");
  await page.waitForURL(/\/login\?/);
  await context.close();
});

test("cancel and prompt=none come back as errors", limit, async () => {
  const { context, page, problems } = await open(browser);
  await page.goto(`${BASE}/playground`);
  await page.click("#start");
  await page.click("#cancel");
  await status(page, "access_denied");
  await page.selectOption("#prompt", "none");
  await page.click("#start");
  await status(page, "login_required");
  assert.deepEqual(problems, []);
  await context.close();
});

test("in the dark, on a phone", limit, async () => {
  const { context, page, problems } = await open(browser, {
    colorScheme: "dark",
    viewport: { width: 390, height: 844 },
    deviceScaleFactor: 2,
  });
  await page.goto(`${BASE}/playground`);
  await page.click("#start");
  await page.waitForURL(/\/login\?/);
  await picture(page, "sign-in-phone-dark");
  await signIn(page);
  await page.locator("#allow, #id-token").first().waitFor();
  if (await page.locator("#allow").count()) await page.click("#allow");
  await status(page, "Signed in.");
  await assertAccessible(page, "playground, dark, phone");
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 390, `${width} px`);
  assert.deepEqual(problems, []);
  await context.close();
});

test("an answer that was not asked for is refused", limit, async () => {
  const { context, page } = await open(browser);
  const sent = [];
  page.on("request", (request) => sent.push(new URL(request.url()).pathname));
  await page.goto(`${BASE}/playground/callback?code=x&state=y&iss=${encodeURIComponent(BASE)}`);
  await status(page, "belongs to no sign-in");
  assert.ok(!sent.includes("/token"));
  await context.close();
});

test("the playground acts as a device: QR code, approval in another window, tokens", limit, async () => {
  const { context, page, problems } = await open(browser);
  await page.goto(`${BASE}/playground`);
  await page.click("#device");
  await page.locator("#device-panel").waitFor();
  assert.ok(await page.evaluate(() => document.getElementById("device-qr").decode().then(() => true)), "the QR code is an image");
  await assertAccessible(page, "playground as a device");
  await picture(page, "playground-device");
  const code = await page.textContent("#device-code");
  const approval = await context.newPage();
  await approval.goto(await page.getAttribute("#device-link", "href"));
  assert.equal(await approval.inputValue("#user_code"), code);
  await approval.click("#continue");
  await signIn(approval);
  await approval.check("#confirmed");
  await approval.click("#allow");
  await approval.locator("#outcome", { hasText: "connected" }).waitFor();
  await status(page, "The device is connected.");
  assert.equal(await claim(page, "id-token-payload-aud"), "demo-device");
  assert.equal(await page.locator(".checks .bad").count(), 0);
  await page.click("#refresh");
  await status(page, "Refreshed");
  assert.deepEqual(problems.filter((problem) => !/status of 400/.test(problem)), []);
  await context.close();
});

test("a device that waits can be cancelled, on a phone, and the focus stays on the page", limit, async () => {
  const { context, page, problems } = await open(browser, { viewport: { width: 320, height: 640 } });
  await page.goto(`${BASE}/playground`);
  await page.click("#device");
  await page.locator("#device-panel").waitFor();
  const focused = () => page.evaluate(() => document.activeElement.id);
  assert.equal(await focused(), "device-cancel");
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 320, `${width} px`);
  await page.keyboard.press("Enter");
  await status(page, "Cancelled");
  assert.equal(await page.locator("#device-panel").isVisible(), false);
  assert.equal(await focused(), "device");
  // The page can act again.
  await page.click("#start");
  await page.waitForURL(/\/login\?/);
  assert.deepEqual(problems, []);
  await context.close();
});

test("another page can start the sign-in (OpenID Connect Core §4)", limit, async () => {
  const { context, page, problems } = await open(browser);
  await page.goto(`${BASE}/`);
  await page.click("#third-party");
  await page.waitForURL(/\/login\?/);
  await page.goto(`${BASE}/playground?iss=${encodeURIComponent(BASE)}&login_hint=somebody`);
  await page.waitForURL(/\/login\?/);
  assert.equal(await page.inputValue("#username"), "somebody");
  await page.goto(`${BASE}/playground?iss=https%3A%2F%2Fevil.example`);
  await page.locator("#start").waitFor();
  await page.waitForTimeout(500);
  assert.match(page.url(), /\/playground/, "another issuer starts nothing");
  assert.deepEqual(problems, []);
  await context.close();
});
