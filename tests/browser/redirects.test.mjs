// Forms whose answers leave the server: the client may redirect on to any place (infra/decisions/forms-are-answered-here.md).
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { assertAccessible, picture } from "./browser.mjs";
import { listen } from "./listener.mjs";
import { authorization, BASE, launch, open, PKCE, register, signIn } from "./pages.mjs";

const limit = { timeout: 60_000 };
const SCHEME = "com.example.app:/done";
let browser, client, elsewhere;

/** A client that answers its redirect URIs with a redirect: /callback to another origin, /to-app to a private-use scheme. */
async function listenAndRedirect(target) {
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      const { pathname } = new URL(request.url, "http://127.0.0.1");
      response.writeHead(302, { location: pathname === "/to-app" ? SCHEME : target }).end();
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { origin, close };
}

before(async () => {
  browser = await launch();
  elsewhere = await listen();
  // Another host than that of the client, so another origin.
  client = await listenAndRedirect(elsewhere.redirectUri.replace("127.0.0.1", "localhost") + "?arrived=yes");
});
after(async () => {
  await browser?.close();
  client?.close();
  elsewhere?.close();
});

/** Returns `url`, a promise of the next navigation to a private-use scheme that the browser starts. */
async function nextApp(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Page.enable");
  const url = new Promise((resolve) => {
    const seen = (url) => url?.startsWith("com.example.app:") && resolve(url);
    session.on("Page.frameRequestedNavigation", ({ url }) => seen(url));
    session.on("Network.requestWillBeSent", ({ request, redirectResponse }) => {
      seen(request.url);
      seen(redirectResponse?.headers.location ?? redirectResponse?.headers.Location);
    });
    session.on("Network.responseReceivedExtraInfo", ({ headers }) => seen(headers.location ?? headers.Location));
  });
  return { url };
}

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "with JavaScript" : "without JavaScript";

  test(`a redirect URI that redirects to another origin is reached ${how}`, limit, async () => {
    const clientId = await register({ redirect_uris: [`${client.origin}/callback`], application_type: "native" });
    for (const response_mode of ["query", "form_post", "fragment"]) {
      const { context, page, problems } = await open(browser, { javaScriptEnabled });
      const extra = { redirect_uri: `${client.origin}/callback`, response_mode, ...PKCE };
      await page.goto(authorization(clientId, { ...extra, prompt: "consent" }));
      await signIn(page);
      await page.click("#allow");
      if (response_mode === "form_post" && !javaScriptEnabled) await page.click("#continue");
      assert.equal((await elsewhere.next()).arrived, "yes", `${response_mode}: after consent`);
      await page.waitForURL(/arrived/);
      // The consent is remembered: the sign-in leads to the client. So does "Cancel".
      for (const [press, answer] of [
        [signIn, "after sign-in"],
        [(page) => page.click("#cancel"), "after Cancel"],
      ]) {
        await page.goto(authorization(clientId, { ...extra, prompt: "login" }));
        await press(page);
        if (await page.locator("#allow").count()) await page.click("#allow");
        if (response_mode === "form_post" && !javaScriptEnabled) await page.click("#continue");
        assert.equal((await elsewhere.next()).arrived, "yes", `${response_mode}: ${answer}`);
        await page.waitForURL(/arrived/);
      }
      assert.deepEqual(problems, []);
      await context.close();
    }
  });

  test(`a post-logout redirect URI that redirects to another origin is reached ${how}`, limit, async () => {
    const bye = `${client.origin}/bye`;
    const clientId = await register({
      redirect_uris: [elsewhere.redirectUri],
      post_logout_redirect_uris: [bye],
      application_type: "native",
    });
    const { context, page, problems } = await open(browser, { javaScriptEnabled });
    await page.goto(authorization(clientId, { redirect_uri: elsewhere.redirectUri, prompt: "consent", ...PKCE }));
    await signIn(page);
    await page.click("#allow");
    assert.ok((await elsewhere.next()).code);
    await page.waitForURL(/\/callback/);
    await page.goto(`${BASE}/logout?${new URLSearchParams({ client_id: clientId, post_logout_redirect_uri: bye })}`);
    await page.click("#yes");
    assert.equal((await elsewhere.next()).arrived, "yes");
    assert.deepEqual(problems, []);
    await context.close();
  });
}

test("a redirect URI that redirects to an app is followed", limit, async () => {
  const redirect_uri = `${client.origin}/to-app`;
  const clientId = await register({ redirect_uris: [redirect_uri], application_type: "native" });
  for (const response_mode of ["query", "form_post"]) {
    const { context, page, problems } = await open(browser);
    await page.goto(authorization(clientId, { redirect_uri, response_mode, prompt: "consent", ...PKCE }));
    await signIn(page);
    const app = await nextApp(page);
    await page.click("#allow");
    assert.equal(await app.url, SCHEME, response_mode);
    assert.deepEqual(problems.filter((problem) => /Content Security Policy/.test(problem)), []);
    await context.close();
  }
});

test("an app opens by its private-use URI, and the page says what to do if it does not", limit, async () => {
  const redirect_uri = "com.example.app:/callback";
  const clientId = await register({ redirect_uris: [redirect_uri], application_type: "native" });
  const { context, page, problems } = await open(browser);
  await page.goto(authorization(clientId, { redirect_uri, prompt: "consent", ...PKCE }));
  await signIn(page);
  const app = await nextApp(page);
  await page.click("#allow");
  assert.match(await app.url, /^com\.example\.app:\/callback\?code=/);
  await page.locator("#nothing-opens").waitFor();
  assert.match(await page.textContent("#destination"), /the app com\.example\.app/);
  assert.equal(await page.getAttribute("#continue", "href"), await app.url);
  await assertAccessible(page, "leave for an app");
  await picture(page, "leave-app");
  assert.deepEqual(problems.filter((problem) => /Content Security Policy/.test(problem)), []);
  await context.close();
});

test("the code stays out of Referer, and the history has no page in between", limit, async () => {
  const { context, page } = await open(browser);
  const referrers = [];
  page.on("request", (request) => request.url().includes("/callback") && referrers.push(request.headers().referer));
  await page.goto(authorization("demo-web", { redirect_uri: elsewhere.redirectUri, prompt: "consent" }));
  await signIn(page);
  await page.click("#allow");
  assert.ok((await elsewhere.next()).code);
  await page.waitForURL(/\/callback/);
  assert.deepEqual(referrers, [undefined]);
  await page.goBack();
  assert.match(page.url(), /\/consent\?/, "back to the page with the form");
  await context.close();
});
