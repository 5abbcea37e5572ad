import express from "express";
import session from "express-session";
import * as oauth from "oauth4webapi";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, PORT } = process.env;
const redirectUri = `http://127.0.0.1:${PORT}/callback`;
// docs: begin
const options = { [oauth.allowInsecureRequests]: ISSUER.startsWith("http:") };
const issuer = new URL(ISSUER);
const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options));
const client = { client_id: CLIENT_ID };
const authentication = oauth.ClientSecretBasic(CLIENT_SECRET);

const app = express();
app.use(session({ secret: "a secret of the application", resave: false, saveUninitialized: true }));
app.get("/", async (req, res) => {
  if (req.session.user) return res.json(req.session.user);
  req.session.verifier = oauth.generateRandomCodeVerifier();
  const url = new URL(server.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: CLIENT_ID,
    redirect_uri: redirectUri,
    response_type: "code",
    scope: "openid profile email offline_access",
    code_challenge: await oauth.calculatePKCECodeChallenge(req.session.verifier),
    code_challenge_method: "S256",
  });
  res.redirect(url.href);
});
app.get("/callback", async (req, res) => {
  const parameters = oauth.validateAuthResponse(server, client, new URL(req.originalUrl, redirectUri));
  const response = await oauth.authorizationCodeGrantRequest(server, client, authentication, parameters, redirectUri, req.session.verifier, options);
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, { requireIdToken: true });
  await oauth.validateApplicationLevelSignature(server, response, options);
  req.session.user = oauth.getValidatedIdTokenClaims(tokens);
  req.session.tokens = tokens;
  res.redirect("/");
// docs: end
});
app.get("/refresh", async (req, res) => {
  const response = await oauth.refreshTokenGrantRequest(server, client, authentication, req.session.tokens.refresh_token, options);
  const tokens = await oauth.processRefreshTokenResponse(server, client, response);
  const userinfo = await oauth.userInfoRequest(server, client, tokens.access_token, options);
  res.json(await oauth.processUserInfoResponse(server, client, req.session.user.sub, userinfo));
});
app.get("/logout", (req, res) => {
  const hint = new URLSearchParams({ id_token_hint: req.session.tokens.id_token });
  req.session.destroy(() => res.redirect(`${server.end_session_endpoint}?${hint}`));
});
app.listen(PORT, "127.0.0.1");
