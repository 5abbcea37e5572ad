// The pages of the server in a browser with a screen.
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

/** Fills in the sign-in form and sends it. */
export async function signIn(page, { username = USERNAME, password = PASSWORD } = {}) {
  await page.fill("#username", username);
  await page.fill("#password", password);
  await page.click("#sign-in");
}
