// What a person does on the provider's pages.
import { launch, open } from "./browser.mjs";

export const BASE = (process.env.BASE_URL ?? process.env.LATCHKEY_TEST_URL ?? "http://localhost:8787").replace(/\/$/, "");
export const USERNAME = "demo";
export const PASSWORD = "demo-password";

export { launch, open };

/** An authorization request of `client`; `extra` adds or replaces parameters. */
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
