// Passkeys in Chromium, whose virtual authenticator follows the same rules as a real one. Runs on each platform. The accessibility of the
// pages is checked in the gallery: the session of axe would end that of the authenticator.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { BASE, launch, open, signIn } from "./pages.mjs";

const limit = { timeout: 60_000 };
const PASSWORD = "seven+brass+kettles+7";
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** Creates a user with a password and returns the user name. */
function newUser() {
  const username = `passkey-${randomUUID()}`;
  const { LATCHKEY_TEST_CLI: command, LATCHKEY_TEST_SECRET: secret } = process.env;
  const env = { ...process.env, LATCHKEY_SECRET: secret };
  const made = spawnSync(command, ["user", "add", "--json", username, "--url", BASE], { input: `${PASSWORD}\n`, env });
  assert.equal(made.status, 0, String(made.stderr));
  return username;
}

/** Gives the page an authenticator that verifies the user, as the lock of a device does. */
async function withAuthenticator(page, options = {}) {
  const session = await page.context().newCDPSession(page);
  await session.send("WebAuthn.enable", { enableUI: false });
  const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      ctap2Version: "ctap2_1",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
      defaultBackupEligibility: true,
      defaultBackupState: true,
      ...options,
    },
  });
  const send = (method, parameters = {}) => session.send(`WebAuthn.${method}`, { authenticatorId, ...parameters });
  return { send, credentials: async () => (await send("getCredentials")).credentials };
}

/** Opens the account page of a new user who signed in with the password. */
async function visit(options) {
  const opened = await open(browser);
  // The authenticator belongs to the process of the page, which changes with the site.
  await opened.page.goto(`${BASE}/account`);
  const authenticator = await withAuthenticator(opened.page, options);
  const username = newUser();
  await opened.page.goto(`${BASE}/account`);
  await signIn(opened.page, { username, password: PASSWORD });
  return { ...opened, ...authenticator, username };
}

/** Ends the session. The authenticator keeps its passkeys. */
async function signOut(context) {
  await context.clearCookies({ name: /latchkey_session/ });
}

test("a passkey is offered after a sign-in with a password, and signs in from the username field", limit, async () => {
  const { context, page, problems, credentials } = await visit();
  assert.equal(await page.textContent("h1"), "Sign in faster next time");
  await page.click("#make-passkey");
  await page.waitForSelector("#account");
  const [credential] = await credentials();
  assert.equal(credential.isResidentCredential, true);
  assert.equal(credential.rpId, new URL(BASE).hostname);

  // The browser answers the request of the username field by itself: no click is needed.
  await signOut(context);
  await page.goto(`${BASE}/account`);
  await page.waitForSelector("#account");

  await page.goto(`${BASE}/account/sign-in`);
  assert.equal(await page.locator("#passkeys li").count(), 1);
  assert.match(await page.textContent("#passkeys li"), /Last used on/);
  assert.deepEqual(problems, []);
  await context.close();
});

test("a passkey is made, named, used by its button, and removed", limit, async () => {
  const { context, page, problems, send, credentials } = await visit();
  await page.click("#not-now");
  await page.waitForSelector("#account");
  await page.click("#sign-in-methods");
  await page.click("#add-passkey");
  await page.click("#make-passkey");
  await page.waitForSelector("#outcome");
  assert.equal(await page.textContent("#outcome"), "Your passkey is ready");

  // The same device makes no second one.
  await page.goto(`${BASE}/account/passkey/new`);
  await page.click("#make-passkey");
  await page.getByText("This device has a passkey for your account already.").waitFor();

  // Without presence the request of the username field waits, and the button takes its place.
  await send("setAutomaticPresenceSimulation", { enabled: false });
  await signOut(context);
  await page.goto(`${BASE}/account`);
  await page.waitForSelector("#use-passkey:visible");
  await send("setAutomaticPresenceSimulation", { enabled: true });
  await page.click("#use-passkey");
  await page.waitForSelector("#account");

  await page.goto(`${BASE}/account/sign-in`);
  await page.click("#passkeys a");
  await page.fill("#name", "Blue key");
  await page.click("#rename");
  assert.equal(await page.textContent("#passkeys strong"), "Blue key");
  await page.click("#passkeys a");
  await page.click("#remove");
  assert.equal(await page.textContent("#outcome"), "The passkey is removed");
  // The browser forgets it (WebAuthn §5.1.10.1).
  await assert.doesNotReject(async () => {
    while ((await credentials()).length > 0) await page.waitForTimeout(50);
  });
  assert.deepEqual(problems, []);
  await context.close();
});

test("a user who is not verified, and an answer with a wrong signature, do not sign in", limit, async () => {
  const { context, page, problems, send } = await visit();
  await page.click("#make-passkey");
  await page.waitForSelector("#account");
  await signOut(context);

  await send("setAutomaticPresenceSimulation", { enabled: false });
  await page.goto(`${BASE}/account`);
  await page.waitForSelector("#use-passkey:visible");
  await send("setUserVerified", { isUserVerified: false });
  await send("setAutomaticPresenceSimulation", { enabled: true });
  await page.click("#use-passkey");
  await page.getByText("No passkey was used. Try again, or sign in with your password.").waitFor();

  await send("setUserVerified", { isUserVerified: true });
  for (const bits of [{ isBogusSignature: true }, { isBadUV: true }, { isBadUP: true }]) {
    await send("setResponseOverrideBits", { isBogusSignature: false, isBadUV: false, isBadUP: false, ...bits });
    await page.goto(`${BASE}/account`);
    await page.waitForSelector("#problem");
    assert.match(await page.textContent("#problem"), /That passkey does not open an account here/, JSON.stringify(bits));
  }
  // 403 is an error on the console; nothing else is.
  assert.deepEqual(problems.filter((problem) => !problem.includes("403")), []);
  await context.close();
});
