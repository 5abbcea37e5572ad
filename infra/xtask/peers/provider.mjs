// node-oidc-provider with its store in memory: a service with client credentials, and grants to refresh.
//
//   node provider.mjs PORT CLIENT_ID FILE
//
// Access tokens are JWTs signed by ES256; refresh tokens are rotated at each use. Writes the refresh tokens of 32 grants
// of CLIENT_ID to FILE, a JSON array, and then listens.

import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import Provider from "oidc-provider";

const [port, clientId, file] = process.argv.slice(2);
const API = "https://api.example.com";
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });

const provider = new Provider(`http://localhost:${port}`, {
  clients: [
    {
      client_id: "demo-service",
      client_secret: "demo-service-secret-7Kq2Xv9Tb4",
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: "client_secret_post",
    },
    {
      client_id: clientId,
      grant_types: ["authorization_code", "refresh_token"],
      redirect_uris: ["https://app.example.com/callback"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
      id_token_signed_response_alg: "ES256",
    },
  ],
  clientDefaults: { id_token_signed_response_alg: "ES256" },
  jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig", alg: "ES256", kid: "es256" }] },
  scopes: ["openid", "offline_access", "read"],
  cookies: { keys: ["not secret"] },
  rotateRefreshToken: true,
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => API,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        audience: API,
        scope: "read",
        accessTokenFormat: "jwt",
        accessTokenTTL: 600,
        jwt: { sign: { alg: "ES256" } },
      }),
    },
  },
});

const client = await provider.Client.find(clientId);
const tokens = [];
for (let index = 0; index < 32; index++) {
  const grant = new provider.Grant({ accountId: "demo", clientId });
  grant.addOIDCScope("offline_access");
  grant.addResourceScope(API, "read");
  const grantId = await grant.save();
  const token = new provider.RefreshToken({
    accountId: "demo",
    client,
    grantId,
    gty: "authorization_code",
    scope: "offline_access read",
    resource: API,
    sessionUid: `session-${index}`,
    expiresWithSession: false,
    rotations: 0,
    iiat: Math.floor(Date.now() / 1000),
  });
  tokens.push(await token.save());
}
writeFileSync(file, JSON.stringify(tokens));
provider.listen(Number(port), "127.0.0.1");
