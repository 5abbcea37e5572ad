// Signs the demo user in and obtains grants for a public client.
//
//   node sign-in.mjs URL CLIENT_ID REDIRECT_URI COUNT
//
// Prints the refresh tokens: a JSON array.

import { createHash, randomBytes } from "node:crypto";
import { User } from "../../../tests/support/user.mjs";

const [issuer, clientId, redirectUri, count] = process.argv.slice(2);
const user = new User();

async function grant() {
  const verifier = randomBytes(32).toString("base64url");
  const url = new URL("/authorize", issuer);
  url.search = new URLSearchParams({
    response_type: "code",
    client_id: clientId,
    redirect_uri: redirectUri,
    scope: "profile offline_access",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  const answer = await user.answer(url, redirectUri);
  const response = await fetch(new URL("/token", issuer), {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      client_id: clientId,
      redirect_uri: redirectUri,
      code: answer.searchParams.get("code"),
      code_verifier: verifier,
    }),
  });
  const { refresh_token } = await response.json();
  if (!refresh_token) throw new Error(`no refresh token: ${response.status}`);
  return refresh_token;
}

const tokens = [];
for (let index = 0; index < Number(count); index++) tokens.push(await grant());
console.log(JSON.stringify(tokens));
