// The provider's pages as an ordinary client's users meet them, with and without JavaScript.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertAccessible, picture } from "./browser.mjs";
import { listen } from "./listener.mjs";
import { authorization, BASE, launch, open, PKCE, register, signIn } from "./pages.mjs";

const limit = { timeout: 60_000 };
let browser, client;
before(async () => {
  browser = await launch();
  client = await listen();
});
after(async () => {
  await browser?.close();
  client?.close();
});

/** An authorization request of demo-web, to come back to this test's listener. */
const request = (extra) => authorization("demo-web", { redirect_uri: client.redirectUri, ...extra });

test("sign-in and consent without JavaScript", limit, async () => {
  const { context, page, problems } = await open(browser, { javaScriptEnabled: false });
  await page.goto(request({ prompt: "consent" }));
  assert.match(await page.title(), /^Sign in/);
  await signIn(page);
  assert.match(page.url(), /\/consent\?/);
  assert.match(await page.textContent("#destination"), /^127\.0\.0\.1:\d+ \(this device\)$/);
  await page.click("#allow");
  const answer = await client.next();
  assert.equal(answer.method, "GET");
  assert.ok(answer.code);
  assert.equal(answer.state, "a state");
  assert.equal(answer.iss, BASE);
  assert.deepEqual(problems, []);
  await context.close();
});

test("deny, and sign in as someone else, without JavaScript", limit, async () => {
  const { context, page, problems } = await open(browser, { javaScriptEnabled: false });
  await page.goto(request({ prompt: "consent" }));
  await signIn(page);
  await page.click("#switch");
  assert.match(page.url(), /\/login\?/);
  await signIn(page);
  await page.click("#deny");
  const answer = await client.next();
  assert.equal(answer.error, "access_denied");
  assert.equal(answer.code, undefined);
  assert.deepEqual(problems, []);
  await context.close();
});

test("form_post with JavaScript submits itself, without it by its button", limit, async () => {
  for (const javaScriptEnabled of [true, false]) {
    const { context, page, problems } = await open(browser, { javaScriptEnabled });
    await page.goto(request({ response_mode: "form_post", prompt: "consent" }));
    await signIn(page);
    await page.click("#allow");
    if (!javaScriptEnabled) await page.click("#continue");
    const answer = await client.next();
    assert.equal(answer.method, "POST");
    assert.ok(answer.code);
    assert.equal(answer.state, "a state");
    assert.deepEqual(problems, []);
    await context.close();
  }
});

test("a wrong password is said, and the right one still works", limit, async () => {
  // A name of its own: attempts are counted for each account.
  const username = `nobody-${Date.now()}`;
  const { context, page, problems } = await open(browser);
  await page.goto(request());
  await signIn(page, { username, password: "wrong" });
  await page.locator("#problem").waitFor();
  assert.match(await page.textContent("#problem"), /do not match/);
  assert.equal(await page.getAttribute("#problem", "role"), "alert");
  assert.equal(await page.inputValue("#username"), username);
  assert.equal(await page.inputValue("#password"), "");
  assert.match(await page.title(), /^Problem/);
  await assertAccessible(page, "wrong password");
  // What the browser notes of the status, if it is one of an error.
  assert.deepEqual(problems.filter((problem) => !/status of 4\d\d/.test(problem)), []);
  await signIn(page);
  await page.waitForURL((url) => !/\/login/.test(url.pathname));
  await context.close();
});

test("with the keyboard alone", limit, async () => {
  const { context, page, problems } = await open(browser);
  await page.goto(request({ prompt: "consent" }));
  const focused = () => page.evaluate(() => document.activeElement.id);
  assert.equal(await focused(), "username");
  await page.keyboard.type("demo");
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "password");
  await page.keyboard.type("four-quiet-lanterns");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/consent\?/);
  const order = [];
  while (order.at(-1) !== "allow" && order.length < 10) {
    await page.keyboard.press("Tab");
    order.push(await focused());
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.equal(outline, "solid", `#${order.at(-1)} shows that it has the focus`);
  }
  assert.deepEqual(order.slice(-3), ["switch", "deny", "allow"]);
  await page.keyboard.press("Enter");
  assert.ok((await client.next()).code);
  assert.deepEqual(problems, []);
  await context.close();
});

test("select_account continues as the same user, or offers the form", limit, async () => {
  const { context, page, problems } = await open(browser);
  await page.goto(request({ prompt: "consent" }));
  await signIn(page);
  await page.click("#allow");
  await client.next();
  await page.waitForURL(/\/callback/);
  await page.goto(request({ prompt: "select_account" }));
  await assertAccessible(page, "select account");
  assert.equal(await page.locator("#username").isVisible(), false);
  await page.click("#use-another");
  assert.equal(await page.locator("#username").isVisible(), true);
  await assertAccessible(page, "select account, another");
  await page.click("#continue");
  assert.ok((await client.next()).code);
  assert.deepEqual(problems, []);
  await context.close();
});

test("the page before sign-out asks, and obeys", limit, async () => {
  const { context, page, problems } = await open(browser);
  await page.goto(request({ prompt: "consent" }));
  await signIn(page);
  await page.click("#allow");
  await client.next();
  await page.waitForURL(/\/callback/);
  await page.goto(`${BASE}/logout`);
  await assertAccessible(page, "logout");
  await page.click("#no");
  await page.locator("#signed-out", { hasText: "still signed in" }).waitFor();
  await page.goto(`${BASE}/logout`);
  await page.click("#yes");
  await page.locator("#signed-out", { hasText: "You are signed out" }).waitFor();
  await assertAccessible(page, "signed out");
  await page.goto(request());
  await page.locator("#sign-in").waitFor();
  assert.deepEqual(problems, []);
  await context.close();
});

// `gallery.test.mjs` opens the page after it: the user of these tests must stay signed in elsewhere.
test("sign-out everywhere asks again, without JavaScript", limit, async () => {
  const { context, page, problems } = await open(browser, { javaScriptEnabled: false });
  await page.goto(request({ prompt: "consent" }));
  await signIn(page);
  await page.click("#allow");
  await client.next();
  await page.waitForURL(/\/callback/);
  await page.goto(`${BASE}/logout`);
  await page.click("#everywhere");
  await page.locator("#confirm-everywhere", { hasText: "Sign out everywhere?" }).waitFor();
  assert.equal(await page.locator("#everywhere-yes").isVisible(), true);
  await page.click("#no");
  await page.locator("#signed-out", { hasText: "still signed in" }).waitFor();
  assert.deepEqual(problems, []);
  await context.close();
});

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing (${colorScheme})`, limit, async () => {
    const { context, page } = await open(browser, { colorScheme });
    await page.goto(authorization("demo-web", { redirect_uri: "https://evil.example/" }));
    await page.locator("#request-id").waitFor();
    await assertAccessible(page, "error");
    assert.equal(new URL(page.url()).origin, BASE);
    await page.goto(request({ prompt: "consent" }));
    await assertAccessible(page, "sign-in");
    await picture(page, `sign-in-web-${colorScheme}`);
    await signIn(page);
    await page.locator("#allow").waitFor();
    await assertAccessible(page, "consent");
    await picture(page, `consent-web-${colorScheme}`);
    await page.goto(`${BASE}/logout`);
    await assertAccessible(page, "logout");
    await context.close();
  });
}

test("a popup of 480x600 shows where the browser will go", limit, async () => {
  const { context, page } = await open(browser, { viewport: { width: 480, height: 600 } });
  const clientId = await register({
    client_name: "An application with a long name that needs two lines",
    client_uri: "https://notes.example/",
    redirect_uris: [client.redirectUri],
    application_type: "native",
  });
  const visible = async (what) => {
    const box = await page.locator("#destination").boundingBox();
    assert.ok(box.y + box.height <= 600, `${what}: the destination ends at ${box.y + box.height}`);
    const button = await page.locator("#sign-in, #allow").first().boundingBox();
    assert.ok(box.y < button.y, `${what}: the destination is above the buttons`);
    assert.match(await page.textContent("#unreviewed"), /^Not reviewed by the operator of localhost/);
    await picture(page, `popup-${what}`);
  };
  await page.goto(authorization(clientId, { redirect_uri: client.redirectUri, prompt: "consent", ...PKCE }));
  await visible("sign-in");
  await signIn(page);
  await page.locator("#allow").waitFor();
  await visible("consent");
  await context.close();
});

test("no page loads anything from elsewhere", limit, async () => {
  const { context, page } = await open(browser);
  const elsewhere = [];
  page.on("request", (made) => {
    const url = new URL(made.url());
    if (url.protocol.startsWith("http") && url.origin !== BASE && url.pathname !== "/callback") elsewhere.push(url.href);
  });
  await page.goto(request({ prompt: "consent" }));
  await signIn(page);
  await page.click("#allow");
  await client.next();
  await page.waitForURL(/\/callback/);
  assert.deepEqual(elsewhere, []);
  await context.close();
});

test("a device is connected, without JavaScript", limit, async () => {
  const form = new URLSearchParams({ client_id: "demo-device", scope: "openid profile" });
  const begun = await (await fetch(`${BASE}/device_authorization`, { method: "POST", body: form })).json();
  const { context, page, problems } = await open(browser, { javaScriptEnabled: false });
  await page.goto(begun.verification_uri_complete);
  assert.equal(await page.inputValue("#user_code"), begun.user_code);
  await page.click("#continue");
  await signIn(page);
  await picture(page, "device");
  assert.match(await page.textContent("#user-code"), new RegExp(begun.user_code));
  assert.match(await page.textContent("#warning"), /device that you hold/);
  assert.match(await page.textContent("#device-age"), /less than a minute ago/);
  assert.match(await page.textContent("#device-place"), /address 127\.0\.0\.x/);
  await page.click("#allow");
  assert.equal(await page.locator("#outcome").count(), 0, "the checkbox is required");
  await page.check("#confirmed");
  await page.click("#allow");
  assert.match(await page.textContent("#outcome"), /connected/);
  const poll = new URLSearchParams({
    grant_type: "urn:ietf:params:oauth:grant-type:device_code",
    device_code: begun.device_code,
    client_id: "demo-device",
  });
  const tokens = await (await fetch(`${BASE}/token`, { method: "POST", body: poll })).json();
  assert.ok(tokens.access_token, JSON.stringify(tokens));
  assert.deepEqual(problems, []);
  await context.close();
});
