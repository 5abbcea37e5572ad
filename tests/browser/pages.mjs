// The pages of the server in a browser with a screen.
import { createHash } from "node:crypto";
import { launch, open } from "./browser.mjs";
import { PASSWORD, USERNAME } from "../support/user.mjs";

export const BASE = (process.env.BASE_URL ?? process.env.LATCHKEY_TEST_URL ?? "http://localhost:8787").replace(/\/$/, "");

export { launch, open };

/** Returns the URL of an authorization request of `client`; `extra` adds or replaces parameters. */
export function authorization(client, extra = {}) {
  const url = new URL("/authorize", BASE);
  url.search = new URLSearchParams({
    response_type: "code",
    client_id: client,
    scope: "openid profile email",
    state: "a state",
    nonce: "a nonce",
    ...extra,
  });
  return url.href;
}

/** Registers a public client (RFC 7591) and returns its client_id. */
export async function register(metadata) {
  const response = await fetch(`${BASE}/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token_endpoint_auth_method: "none", scope: "openid profile email", ...metadata }),
  });
  const registered = await response.json();
  if (!registered.client_id) throw new Error(`no client: ${response.status} ${JSON.stringify(registered)}`);
  return registered.client_id;
}

/** The code challenge of every request that needs one. */
const challenge = createHash("sha256").update("a-code-verifier-of-43-characters-or-more-123").digest("base64url");
export const PKCE = { code_challenge: challenge, code_challenge_method: "S256" };

/** Fills in the sign-in form and sends it. */
export async function signIn(page, { username = USERNAME, password = PASSWORD } = {}) {
  await page.fill("#username", username);
  await page.fill("#password", password);
  await page.click("#sign-in");
}
