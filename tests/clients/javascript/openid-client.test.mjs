// The server, used by the npm package openid-client as its documentation says. BASE_URL is the issuer.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as jose from "jose";
import * as oidc from "openid-client";
import { User } from "../../support/user.mjs";

const issuer = new URL(process.env.BASE_URL ?? assert.fail("BASE_URL is not set: give the URL of a running server"));
const redirectUri = new URL("/playground/callback", issuer).href;
const insecure = issuer.protocol === "http:" ? [oidc.allowInsecureRequests] : [];

const clients = [
  ["demo-spa, public", "demo-spa", oidc.None()],
  ["demo-web, client_secret_basic", "demo-web", oidc.ClientSecretBasic("demo-web-secret-7Kq2Xv9Tb4")],
  ["demo-web, client_secret_post", "demo-web", oidc.ClientSecretPost("demo-web-secret-7Kq2Xv9Tb4")],
];

for (const [name, id, authentication] of clients) {
  test(`${name}: discovery, code with PKCE, ID token, userinfo, refresh, revocation, logout`, async () => {
    const config = await oidc.discovery(issuer, id, undefined, authentication, { execute: insecure });
    assert.equal(config.serverMetadata().supportsPKCE(), true);
    // ID tokens from the token endpoint need no signature check; a careful client makes it all the same.
    oidc.enableNonRepudiationChecks(config);

    const verifier = oidc.randomPKCECodeVerifier();
    const [state, nonce] = [oidc.randomState(), oidc.randomNonce()];
    const url = oidc.buildAuthorizationUrl(config, {
      redirect_uri: redirectUri,
      scope: "openid profile email offline_access",
      prompt: "consent",
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      state,
      nonce,
    });
    const user = new User();
    const callback = await user.answer(url, redirectUri);

    const tokens = await oidc.authorizationCodeGrant(config, callback, {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      idTokenExpected: true,
      maxAge: 600,
    });
    const subject = tokens.claims().sub;

    const claims = await oidc.fetchUserInfo(config, tokens.access_token, subject);
    assert.equal(claims.sub, subject);
    assert.ok(claims.email && claims.name, JSON.stringify(claims));

    const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token);
    assert.notEqual(refreshed.access_token, tokens.access_token);
    await oidc.fetchUserInfo(config, refreshed.access_token, subject);

    await oidc.tokenRevocation(config, refreshed.refresh_token);
    await assert.rejects(oidc.fetchUserInfo(config, refreshed.access_token, subject));
    await assert.rejects(oidc.refreshTokenGrant(config, refreshed.refresh_token), (error) => error.error === "invalid_grant");

    const logout = oidc.buildEndSessionUrl(config, { id_token_hint: tokens.id_token });
    await user.open(logout);
    const silent = oidc.buildAuthorizationUrl(config, {
      redirect_uri: redirectUri,
      scope: "openid",
      prompt: "none",
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      state,
    });
    const after = await user.answer(silent, redirectUri);
    assert.equal(after.searchParams.get("error"), "login_required");
  });
}

test("demo-service: client credentials", async () => {
  const authentication = oidc.ClientSecretBasic("demo-service-secret-7Kq2Xv9Tb4");
  const config = await oidc.discovery(issuer, "demo-service", undefined, authentication, { execute: insecure });
  const tokens = await oidc.clientCredentialsGrant(config, { scope: "read" });
  assert.equal(tokens.scope, "read");
  assert.equal(tokens.refresh_token, undefined);
});

test("a wrong verifier is told as invalid_grant, a wrong secret as invalid_client", async () => {
  const config = await oidc.discovery(issuer, "demo-spa", undefined, oidc.None(), { execute: insecure });
  const state = oidc.randomState();
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: "openid",
    code_challenge: await oidc.calculatePKCECodeChallenge(oidc.randomPKCECodeVerifier()),
    code_challenge_method: "S256",
    state,
  });
  const callback = await new User().answer(url, redirectUri);
  const checks = { pkceCodeVerifier: oidc.randomPKCECodeVerifier(), expectedState: state };
  await assert.rejects(oidc.authorizationCodeGrant(config, callback, checks), (error) => error.error === "invalid_grant");

  const wrong = await oidc.discovery(issuer, "demo-web", undefined, oidc.ClientSecretBasic("wrong"), { execute: insecure });
  await assert.rejects(oidc.refreshTokenGrant(wrong, "x"), (error) => JSON.stringify(error.cause).includes("invalid_client") || error.error === "invalid_client" || error.code === "OAUTH_WWW_AUTHENTICATE_CHALLENGE");
});

// RFC 9449, RFC 9126, JARM: the tokens are bound to a key of the client, from the pushed request to UserInfo and refresh.
test("DPoP, a pushed request, and a response in a JWT", async () => {
  const secret = oidc.ClientSecretBasic("demo-web-secret-7Kq2Xv9Tb4");
  const metadata = { authorization_signed_response_alg: "RS256" };
  const config = await oidc.discovery(issuer, "demo-web", metadata, secret, { execute: insecure });
  oidc.useJwtResponseMode(config);
  const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair("ES256"));

  const verifier = oidc.randomPKCECodeVerifier();
  const [state, nonce] = [oidc.randomState(), oidc.randomNonce()];
  const parameters = {
    redirect_uri: redirectUri,
    scope: "openid email offline_access",
    prompt: "consent",
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
  };
  const url = await oidc.buildAuthorizationUrlWithPAR(config, parameters, { DPoP });
  const callback = await new User().answer(url, redirectUri);
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
  const tokens = await oidc.authorizationCodeGrant(config, callback, checks, undefined, { DPoP });
  assert.equal(tokens.token_type, "dpop");
  const subject = tokens.claims().sub;
  assert.equal((await oidc.fetchUserInfo(config, tokens.access_token, subject, { DPoP })).sub, subject);
  const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
  assert.equal((await oidc.fetchUserInfo(config, refreshed.access_token, subject, { DPoP })).sub, subject);
  await assert.rejects(oidc.refreshTokenGrant(config, refreshed.refresh_token), (error) => error.error === "invalid_dpop_proof");
  const other = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair("ES256"));
  await assert.rejects(oidc.fetchUserInfo(config, refreshed.access_token, subject, { DPoP: other }));
});

// RFC 9101 §6.1: a request object that the client signs, and that jose encrypts to the key of the server.
test("a signed and encrypted request object", async () => {
  const { privateKey, publicKey } = await jose.generateKeyPair("ES256", { extractable: true });
  const jwk = { ...(await jose.exportJWK(publicKey)), kid: "client", alg: "ES256", use: "sig" };
  const metadata = {
    redirect_uris: ["https://client.example/callback"],
    token_endpoint_auth_method: "private_key_jwt",
    request_object_signing_alg: "ES256",
    request_object_encryption_alg: "ECDH-ES+A256KW",
    request_object_encryption_enc: "A256GCM",
    jwks: { keys: [jwk] },
  };
  const key = { key: privateKey, kid: "client" };
  const config = await oidc.dynamicClientRegistration(issuer, metadata, oidc.PrivateKeyJwt(key), { execute: insecure });
  const verifier = oidc.randomPKCECodeVerifier();
  const [state, nonce] = [oidc.randomState(), oidc.randomNonce()];
  const parameters = {
    redirect_uri: metadata.redirect_uris[0],
    scope: "openid",
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
  };
  const url = await oidc.buildAuthorizationUrlWithJAR(config, parameters, key);
  const { keys } = await (await fetch(config.serverMetadata().jwks_uri)).json();
  const recipient = keys.find((key) => key.use === "enc");
  const object = await new jose.CompactEncrypt(new TextEncoder().encode(url.searchParams.get("request")))
    .setProtectedHeader({ alg: "ECDH-ES+A256KW", enc: "A256GCM", cty: "JWT", kid: recipient.kid })
    .setKeyManagementParameters({ apu: new TextEncoder().encode("client"), apv: new TextEncoder().encode("server") })
    .encrypt(await jose.importJWK(recipient, "ECDH-ES+A256KW"));
  url.searchParams.set("request", object);
  const callback = await new User().answer(url, metadata.redirect_uris[0]);
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
  assert.ok((await oidc.authorizationCodeGrant(config, callback, checks)).claims().sub);
});
