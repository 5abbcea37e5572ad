// A single-page client without a library: authorization code with PKCE (RFC 7636), and OpenID Connect's checks.
// Everything it shows is set as text; what it keeps is in sessionStorage.
"use strict";
const element = (id) => document.getElementById(id);
const settings = element("playground").dataset;
const STORE = "latchkey.playground";
const state = Object.assign({ steps: [], tokens: null, pending: null, discovery: null }, read());

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(STORE)) ?? {};
  } catch {
    return {};
  }
}

function save() {
  sessionStorage.setItem(STORE, JSON.stringify(state));
}

// Encodings

const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const unbase64url = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));
const sha256 = async (text) => new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));

/** Header, payload and signature of a JWT; null for an opaque token. */
function decode(token) {
  const parts = (token ?? "").split(".");
  if (parts.length !== 3) return null;
  try {
    const [header, payload] = parts.slice(0, 2).map((part) => JSON.parse(new TextDecoder().decode(unbase64url(part))));
    return { header, payload };
  } catch {
    return null;
  }
}

// Messages

/** Sends a request and records it with its response. */
async function exchange(title, url, options = {}) {
  const step = { title, method: options.method ?? "GET", url, headers: options.headers, body: options.body?.toString() };
  state.steps.push(step);
  try {
    const response = await fetch(url, { cache: "no-store", ...options });
    const text = await response.text();
    step.status = response.status;
    step.type = response.headers.get("content-type") ?? "";
    const challenge = response.headers.get("www-authenticate");
    if (challenge) step.challenge = challenge;
    step.answer = text;
    return { ok: response.ok, json: step.type.includes("json") ? JSON.parse(text) : null, text };
  } catch (error) {
    step.answer = String(error);
    return { ok: false, json: null, text: step.answer };
  } finally {
    save();
    show();
  }
}

/** Records that the browser itself goes somewhere, or comes from there. */
function travel(title, url, answer, checks) {
  state.steps.push({ title, method: "browser", url, answer, checks });
  save();
}

async function discover() {
  if (state.discovery) return state.discovery;
  const { ok, json } = await exchange("Discovery", "/.well-known/openid-configuration");
  if (!ok || !json) throw new Error("No discovery document");
  if (json.issuer !== settings.issuer) throw new Error(`The issuer is ${json.issuer}, not ${settings.issuer}`);
  state.discovery = json;
  return json;
}

const form = (fields) => new URLSearchParams(Object.entries(fields).filter(([, value]) => value));

/** Whose tokens these are: the page's own, or the device's that it acted as. */
const me = () => state.actsAs ?? settings.clientId;

// The flow

async function start(hint) {
  state.steps = [];
  toggled.clear();
  state.discovery = null;
  const { authorization_endpoint } = await discover();
  const pending = { state: random(), nonce: random(), verifier: random() };
  const url = new URL(authorization_endpoint);
  url.search = form({
    response_type: "code",
    client_id: settings.clientId,
    redirect_uri: settings.redirectUri,
    scope: element("scope").value.trim(),
    state: pending.state,
    nonce: pending.nonce,
    prompt: element("prompt").value,
    login_hint: hint,
    code_challenge: base64url(await sha256(pending.verifier)),
    code_challenge_method: "S256",
  });
  state.pending = pending;
  state.asked = { scope: element("scope").value, prompt: element("prompt").value };
  travel("Authorization request", url.href);
  location.assign(url);
}

/** Acts as a device (RFC 8628): shows a code, and polls until the user has decided. */
async function connectDevice() {
  state.steps = [];
  toggled.clear();
  state.discovery = null;
  const { device_authorization_endpoint, token_endpoint } = await discover();
  const client_id = settings.deviceClientId;
  const asked = { client_id, scope: element("scope").value.trim() };
  const begun = await exchange("Device authorization", device_authorization_endpoint, { method: "POST", body: form(asked) });
  if (!begun.ok) throw new Error(`${begun.json?.error}: ${begun.json?.error_description ?? ""}`);
  const link = new URL(begun.json.verification_uri_complete);
  const picture = await fetch(`/playground/qr${link.search}`);
  element("device-qr").src = `data:image/svg+xml,${encodeURIComponent(await picture.text())}`;
  element("device-link").href = link.href;
  element("device-code").textContent = begun.json.user_code;
  element("device-panel").hidden = false;
  element("device-cancel").focus();
  const stop = (waiting = new AbortController()).signal;
  say("Waiting for your decision\u2026");
  const poll = form({
    grant_type: "urn:ietf:params:oauth:grant-type:device_code",
    device_code: begun.json.device_code,
    client_id,
  });
  try {
    for (let interval = begun.json.interval ?? 5; ; ) {
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, interval * 1000);
        stop.addEventListener("abort", () => resolve(clearTimeout(timer)));
      });
      if (stop.aborted) return say("Cancelled: this page no longer asks for tokens.");
      const { ok, json } = await exchange("Poll", token_endpoint, { method: "POST", body: poll });
      if (ok) {
        state.tokens = null;
        state.actsAs = client_id;
        await accept(json);
        if (state.tokens) say("The device is connected.", "good");
        return;
      }
      if (json?.error === "slow_down") interval += 5;
      else if (json?.error !== "authorization_pending") throw new Error(`${json?.error}: ${json?.error_description ?? ""}`);
    }
  } finally {
    element("device-panel").hidden = true;
    element("device").focus();
  }
}

/** Ends the wait for a device's tokens. */
let waiting;

/** The authorization response has arrived in this page's address. */
async function finish(response) {
  const arrived = location.href;
  history.replaceState(null, "", "/playground");
  const pending = state.pending;
  state.pending = null;
  if (!pending) return say("This answer belongs to no sign-in that this tab started.", "bad");
  const checks = [
    check("state is the one that was sent", response.get("state") === pending.state),
    check("iss is the issuer (RFC 9207)", response.get("iss") === settings.issuer),
  ];
  travel("Authorization response", arrived, null, checks);
  show();
  if (checks.some(({ good }) => !good)) return say("The response is not the answer to our request.", "bad");
  if (response.has("error")) {
    return say(`${response.get("error")}: ${response.get("error_description") ?? "no description"}`, "bad");
  }
  const { token_endpoint } = await discover();
  const { ok, json } = await exchange("Token request", token_endpoint, {
    method: "POST",
    body: form({
      grant_type: "authorization_code",
      code: response.get("code"),
      redirect_uri: settings.redirectUri,
      client_id: settings.clientId,
      code_verifier: pending.verifier,
    }),
  });
  if (!ok) return say(`${json?.error ?? "The token request failed"}: ${json?.error_description ?? ""}`, "bad");
  delete state.actsAs;
  await accept(json, pending.nonce);
  if (state.tokens) say("Signed in.", "good");
}

const check = (text, good) => ({ text, good });

/** Checks the tokens (OpenID Connect Core 1.0 §3.1.3.7) and keeps them. */
async function accept(tokens, nonce) {
  const checks = [];
  const id = decode(tokens.id_token);
  if (id) {
    const audience = [id.payload.aud].flat();
    checks.push(
      check("ID token: signature, with the key of the JWKS", await verified(tokens.id_token, id.header)),
      check("ID token: iss is the issuer", id.payload.iss === settings.issuer),
      check("ID token: aud is this client", audience.includes(me())),
      check("ID token: not expired", id.payload.exp * 1000 > Date.now()),
    );
    if (nonce) checks.push(check("ID token: nonce is the one that was sent", id.payload.nonce === nonce));
    if (id.payload.at_hash) {
      const hash = base64url((await sha256(tokens.access_token)).slice(0, 16));
      checks.push(check("ID token: at_hash is the hash of the access token", id.payload.at_hash === hash));
    }
  }
  const access = decode(tokens.access_token);
  if (access) {
    checks.push(check("Access token: signature, with the key of the JWKS", await verified(tokens.access_token, access.header)));
  }
  state.steps.findLast((step) => ["Token request", "Refresh", "Poll"].includes(step.title)).checks = checks;
  if (checks.some(({ good }) => !good)) {
    state.tokens = null;
    say("A token failed its checks and was thrown away.", "bad");
  } else {
    state.tokens = { ...state.tokens, ...tokens };
  }
  save();
  show();
}

const ALGORITHMS = {
  RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  PS256: { name: "RSA-PSS", hash: "SHA-256", saltLength: 32 },
  ES256: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  EdDSA: { name: "Ed25519" },
};

async function verified(token, header) {
  const algorithm = ALGORITHMS[header.alg];
  if (!algorithm) return false;
  if (!state.keys?.some((key) => key.kid === header.kid)) {
    const { json } = await exchange("Keys", (await discover()).jwks_uri);
    state.keys = json?.keys ?? [];
  }
  const jwk = state.keys.find((key) => key.kid === header.kid);
  if (!jwk) return false;
  const [head, payload, signature] = token.split(".");
  try {
    const key = await crypto.subtle.importKey("jwk", { ...jwk, key_ops: ["verify"] }, algorithm, false, ["verify"]);
    const signed = new TextEncoder().encode(`${head}.${payload}`);
    return await crypto.subtle.verify(algorithm, key, unbase64url(signature), signed);
  } catch {
    return false;
  }
}

async function refresh() {
  const { token_endpoint } = await discover();
  const { ok, json } = await exchange("Refresh", token_endpoint, {
    method: "POST",
    body: form({
      grant_type: "refresh_token",
      refresh_token: state.tokens.refresh_token,
      client_id: me(),
    }),
  });
  if (!ok) return say(`${json?.error ?? "The refresh failed"}: ${json?.error_description ?? ""}`, "bad");
  await accept(json);
  if (state.tokens) say("Refreshed: new tokens.", "good");
}

async function userinfo() {
  const { userinfo_endpoint } = await discover();
  const { ok, json } = await exchange("Userinfo", userinfo_endpoint, {
    headers: { authorization: `Bearer ${state.tokens.access_token}` },
  });
  if (!ok) return say("Userinfo refused the access token.", "bad");
  const subject = decode(state.tokens.id_token)?.payload.sub;
  const same = !subject || json?.sub === subject;
  state.steps.at(-1).checks = [check("sub is that of the ID token", same)];
  save();
  show();
  say(same ? "Userinfo answered." : "Userinfo speaks of someone else.", same ? "good" : "bad");
}

async function revoke() {
  const { revocation_endpoint } = await discover();
  const refreshable = state.tokens.refresh_token;
  const { ok } = await exchange("Revoke", revocation_endpoint, {
    method: "POST",
    body: form({
      token: refreshable ?? state.tokens.access_token,
      token_type_hint: refreshable ? "refresh_token" : "access_token",
      client_id: me(),
    }),
  });
  say(ok ? "Revoked: refresh and userinfo will now be refused." : "Not revoked.", ok ? "good" : "bad");
}

async function signOut() {
  const { end_session_endpoint } = await discover();
  const url = new URL(end_session_endpoint);
  const back = settings.postLogoutRedirectUri;
  state.leaving = random();
  url.search = form({
    id_token_hint: state.tokens.id_token,
    client_id: me(),
    post_logout_redirect_uri: back,
    state: back && state.leaving,
  });
  state.tokens = null;
  travel("Logout request", url.href);
  location.assign(url);
}

// Showing

function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function say(text, mood = "") {
  element("status").textContent = text;
  element("status").className = `status ${mood}`;
}

const block = (text, label, wrap = true) =>
  make("pre", { class: wrap ? "wrap" : "", tabindex: "0", role: "region", "aria-label": label }, make("code", {}, text));

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** A URL with each parameter on a line of its own, readable. */
function lines(url) {
  const { origin, pathname, searchParams } = new URL(url, location.href);
  return [`${origin}${pathname}`, ...[...searchParams].map(([name, value], i) => `${i ? "&" : "?"}${name}=${value}`)].join("\n  ");
}

function request(step) {
  const head = step.method === "browser" ? lines(step.url) : `${step.method} ${new URL(step.url, location.href).pathname}`;
  const headers = Object.entries(step.headers ?? {}).map(([name, value]) => `${name}: ${value}`);
  const body = step.body ? ["", ...[...new URLSearchParams(step.body)].map(([name, value]) => `${name}=${value}`)] : [];
  return [head, ...headers, ...body].join("\n");
}

/** What the user opened or closed, by id. */
const toggled = new Map();

function panel(id, isOpen, summary, inside) {
  const details = make("details", { class: "panel", id }, summary, inside);
  details.open = toggled.get(id) ?? isOpen;
  summary.addEventListener("click", () => toggled.set(id, !details.open));
  return details;
}

function showStep(step, index, isOpen) {
  const failed = step.status >= 400 || step.checks?.some(({ good }) => !good);
  const mode = step.method === "browser" ? "redirect" : (step.status ?? "failed");
  const inside = make("div", { class: "inside" });
  inside.append(make("h3", {}, step.title.endsWith("response") ? "Arrived" : "Sent"), block(request(step), `${step.title}: sent`));
  if (step.answer !== null && step.answer !== undefined) {
    const answer = [step.challenge && `www-authenticate: ${step.challenge}`, pretty(step.answer) || "(empty)"];
    inside.append(make("h3", {}, "Answer"), block(answer.filter(Boolean).join("\n\n"), `${step.title}: answer`));
  }
  if (step.checks?.length) {
    const items = step.checks.map(({ text, good }) => make("li", good ? {} : { class: "bad" }, good ? text : `failed: ${text}`));
    inside.append(make("h3", {}, "Checked"), make("ul", { class: "checks" }, ...items));
  }
  const summary = make(
    "summary",
    {},
    make("span", { class: "number" }, String(index + 1)),
    make("span", {}, step.title),
    make("span", { class: failed ? "mode bad" : "mode" }, String(mode)),
  );
  return make("li", {}, panel(`step-${index + 1}`, isOpen, summary, inside));
}

function time(seconds) {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? "" : date.toLocaleString("en", { dateStyle: "medium", timeStyle: "medium" });
}

function table(claims, caption) {
  const rows = Object.entries(claims).map(([name, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    const dated = ["exp", "iat", "nbf", "auth_time", "updated_at"].includes(name) && typeof value === "number";
    const cell = make("td", { id: `${caption.id}-${name}` }, text, dated ? make("small", {}, time(value)) : null);
    return make("tr", {}, make("th", { scope: "row" }, name), cell);
  });
  return [make("h3", {}, caption.text), make("table", { class: "claims", "aria-label": caption.label }, make("tbody", {}, ...rows))];
}

function showToken(name, id, token) {
  const decoded = decode(token);
  const raw = make("code", { id: `${id}-raw` });
  token.split(".").forEach((part, i) => raw.append(i ? "." : "", make("span", decoded ? { class: `part-${i}` } : {}, part)));
  const inside = make("div", { class: "inside" });
  if (decoded) {
    inside.append(
      ...table(decoded.header, { id: `${id}-header`, text: "Header", label: `${name}: header` }),
      ...table(decoded.payload, { id: `${id}-payload`, text: "Payload", label: `${name}: payload` }),
    );
  }
  inside.append(
    make("h3", {}, "As sent"),
    make("pre", { class: "wrap", tabindex: "0", role: "region", "aria-label": `${name}: as sent` }, raw),
  );
  const kind = decoded ? `JWT, ${decoded.header.alg}` : "opaque";
  return panel(id, id === "id-token", make("summary", {}, make("span", {}, name), make("code", {}, kind)), inside);
}

function show() {
  const { steps, tokens } = state;
  const focused = document.activeElement?.closest("details")?.id;
  const latest = steps.findLastIndex((step) => step.title !== "Keys");
  element("steps").replaceChildren(...steps.map((step, i) => showStep(step, i, i === latest)));
  element("steps-empty").hidden = steps.length > 0;
  element("clear").hidden = steps.length === 0 && !tokens;
  element("toolbar").hidden = !tokens;
  element("refresh").hidden = !tokens?.refresh_token;
  element("tokens-empty").hidden = Boolean(tokens);
  const shown = [
    ["ID token", "id-token", tokens?.id_token],
    ["Access token", "access-token", tokens?.access_token],
    ["Refresh token", "refresh-token", tokens?.refresh_token],
  ].filter(([, , token]) => token);
  element("tokens").replaceChildren(...shown.map((token) => showToken(...token)));
  if (focused) element(focused)?.firstElementChild.focus();
}

let busy = false;

/** Runs one action at a time, and says what went wrong. */
function act(action) {
  return async (event) => {
    event?.preventDefault();
    if (busy) return;
    busy = true;
    // A disabled button would lose the focus.
    const buttons = [...document.querySelectorAll("#toolbar button, #start, #device")];
    buttons.forEach((button) => button.setAttribute("aria-disabled", "true"));
    try {
      say("Working\u2026");
      await action();
    } catch (error) {
      say(String(error.message ?? error), "bad");
    } finally {
      busy = false;
      buttons.forEach((button) => button.removeAttribute("aria-disabled"));
      show();
    }
  };
}

element("controls").addEventListener("submit", act(() => start()));
element("device").addEventListener("click", act(connectDevice));
element("device-cancel").addEventListener("click", () => waiting?.abort());
element("refresh").addEventListener("click", act(refresh));
element("userinfo").addEventListener("click", act(userinfo));
element("revoke").addEventListener("click", act(revoke));
element("sign-out").addEventListener("click", act(signOut));
element("clear").addEventListener("click", () => {
  sessionStorage.removeItem(STORE);
  location.assign("/playground");
});

if (state.asked) {
  element("scope").value = state.asked.scope;
  element("prompt").value = state.asked.prompt;
}
show();
const response = new URLSearchParams(location.search);
if (location.origin !== settings.issuer) {
  say(`Open this page at ${settings.issuer}/playground: sign-in works from the issuer's own address only.`, "bad");
} else if (response.has("code") || response.has("error")) {
  act(() => finish(response))();
} else if (response.get("iss") === settings.issuer) {
  // A third party started this sign-in (OpenID Connect Core §4).
  act(() => start(response.get("login_hint")))();
} else if (response.has("state") && state.leaving) {
  history.replaceState(null, "", "/playground");
  const good = response.get("state") === state.leaving;
  delete state.leaving;
  travel("Logout response", location.href, null, [check("state is the one that was sent", good)]);
  show();
  say("Signed out.", "good");
}
