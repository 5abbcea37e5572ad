// Uses one sample as a user's browser does, or as a client of an API does. The last line of the output is what it saw, as JSON.
// The environment: BASE_URL is the issuer, APP_URL the sample. START, SHOWS (one claim a line), DOES, READY, BROWSER and RESOURCE are
// those of matrix.toml. OUTPUT is the file with the output of a program for a terminal. With API_CLIENT_ID and API_CLIENT_SECRET it
// requests access tokens for the resource.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { User } from "../support/user.mjs";

const { BASE_URL, APP_URL, RESOURCE, READY, OUTPUT, API_CLIENT_ID, API_CLIENT_SECRET } = process.env;
const start = new URL(process.env.START ?? "/", APP_URL).href;
const does = (process.env.DOES ?? "").split(" ");

/** Fails if a page does not show the claims of the demo user. */
function assertShowsUser(text, what) {
  for (const claim of process.env.SHOWS.split("\n")) assert.ok(text.includes(claim), `${what}: no ${claim} in ${text}`);
}

/** What an authorization request has of the defences against injected codes, and how the answer comes. */
function flow(urls) {
  const request = urls.map((url) => new URL(url)).find((url) => url.href.startsWith(`${BASE_URL}/authorize?`));
  assert.ok(request, `no authorization request: ${urls.join(" ")}`);
  const { searchParams } = request;
  const pkce = searchParams.has("code_challenge") && "PKCE";
  const nonce = searchParams.has("nonce") && "nonce";
  return [searchParams.get("response_type"), pkce, nonce, searchParams.get("response_mode")].filter(Boolean).join(", ");
}

/** Denies consent. The application says so; it does not ask again at once. */
async function deny() {
  const user = new User();
  user.decision = "deny";
  const denied = await user.visit(start);
  assert.ok(denied.url.startsWith(APP_URL), `denied, and the pages end at ${denied.url}`);
  assert.ok(user.visited.includes(`${BASE_URL}/consent`), "the user was not asked");
  const states = user.visited.filter((url) => url.startsWith(`${BASE_URL}/authorize?`)).map((url) => new URL(url).searchParams.get("state"));
  assert.equal(new Set(states.filter(Boolean)).size, 1, "denied, and asked again");
}

async function withoutScript() {
  // The user who allows is not asked again, so this comes first.
  if (does.includes("deny")) await deny();
  const user = new User();
  const signedIn = await user.visit(start);
  assert.equal(signedIn.status, 200, `signed in: ${signedIn.url} ${signedIn.body}`);
  assert.ok(signedIn.url.startsWith(APP_URL), `the pages end at ${signedIn.url}: ${signedIn.body}`);
  assertShowsUser(signedIn.body, "signed in");
  const seen = [flow(user.visited)];
  assert.ok(user.visited.some((url) => url === `${BASE_URL}/login`), "the user did not sign in");
  if (does.includes("deny")) seen.push("deny");

  if (does.includes("refresh")) {
    const refreshed = await user.visit(new URL("/refresh", APP_URL));
    assert.equal(refreshed.status, 200, `refresh: ${refreshed.body}`);
    assertShowsUser(refreshed.body, "refreshed");
    seen.push("refresh");
  }
  if (does.includes("logout")) {
    await user.visit(new URL("/logout", APP_URL));
    assert.ok(user.visited.some((url) => url.startsWith(`${BASE_URL}/logout`)), `no sign-out at the server: ${user.visited.join(" ")}`);
    await user.visit(start);
    assert.ok(user.visited.some((url) => url === `${BASE_URL}/login`), "signed out, and still signed in at the server");
    seen.push("logout");
  }
  return seen;
}

/** Calls `attempt` until it returns something, for half a minute. */
async function until(attempt, what) {
  for (let turn = 0; turn < 300; turn++) {
    const found = await attempt();
    if (found) return found;
    await sleep(100);
  }
  assert.fail(`after half a minute: no ${what}`);
}

async function inTerminal() {
  const user = new User();
  const output = () => readFile(OUTPUT, "utf8");
  const url = await until(async () => (await output()).split(/\s/).find((word) => word.startsWith(`${BASE_URL}/authorize?`)), "URL to open");
  const end = await user.visit(url);
  assert.equal(end.status, 200, `${end.url} ${end.body}`);
  const claims = process.env.SHOWS.split("\n");
  await until(async () => {
    const text = await output();
    return claims.every((claim) => text.includes(claim));
  }, `claims: ${claims.join(", ")}`);
  return [flow(user.visited)];
}

async function withBrowser() {
  const { launch, open } = await import("../browser/browser.mjs");
  const { signIn } = await import("../browser/pages.mjs");
  const browser = await launch();
  try {
    const { page, problems } = await open(browser);
    const urls = [];
    page.on("request", (request) => urls.push(request.url()));
    await page.goto(start);
    await signIn(page);
    await page.click("button[value=allow]");
    const shows = (how) => page.waitForFunction((how) => document.getElementById("user")?.textContent.startsWith(how), how);
    await shows("signed in");
    assertShowsUser(await page.textContent("#user"), "signed in");
    await page.click("#refresh");
    await shows("refreshed");
    await page.click("#logout");
    await shows("signed out");
    await page.goto(start);
    await page.waitForSelector("#password");
    assert.deepEqual(problems, []);
    return [flow(urls), "refresh", "logout", "CORS"];
  } finally {
    await browser.close();
  }
}

/** Requests an access token for a resource. */
async function accessToken(resource) {
  const response = await fetch(`${BASE_URL}/token`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${API_CLIENT_ID}:${API_CLIENT_SECRET}`)}` },
    body: new URLSearchParams({ grant_type: "client_credentials", scope: "orders:read orders:write", resource }),
  });
  const { access_token } = await response.json();
  assert.ok(access_token, "no access token");
  return access_token;
}

/** Changes a character in the middle of the signature. */
function forged(token) {
  const [header, payload, signature] = token.split(".");
  const middle = signature.length >> 1;
  const other = signature[middle] === "A" ? "B" : "A";
  return [header, payload, signature.slice(0, middle) + other + signature.slice(middle + 1)].join(".");
}

async function resourceServer() {
  const call = (token) => fetch(new URL("/api", APP_URL), { headers: token ? { authorization: `Bearer ${token}` } : {} });
  const token = await accessToken(RESOURCE);
  const accepted = await call(token);
  const body = await accepted.text();
  assert.equal(accepted.status, 200, `a valid token: ${body} ${accepted.headers.get("www-authenticate")}`);
  assert.ok(body.includes(API_CLIENT_ID), `no client_id in ${body}`);
  const other = RESOURCE === "https://other.example.com" ? "https://api.example.com" : "https://other.example.com";
  const rejected = { "no token": undefined, "a forged token": forged(token), "a token for another resource": await accessToken(other) };
  for (const [what, wrong] of Object.entries(rejected)) assert.equal((await call(wrong)).status, 401, what);
  const header = JSON.parse(atob(token.split(".")[0]));
  return [`JWT, ${header.alg}, ${header.typ}`];
}

function drive() {
  if (RESOURCE) return resourceServer();
  if (OUTPUT) return inTerminal();
  return process.env.BROWSER === "true" ? withBrowser() : withoutScript();
}

if (READY) await until(async () => (await fetch(new URL(READY, APP_URL))).ok, `answer of ${READY}`);
console.log(JSON.stringify(await drive()));
