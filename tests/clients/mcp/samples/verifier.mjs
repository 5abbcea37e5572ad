// Verifies access tokens of Latchkey (RFC 9068) for the MCP SDK.
import { OAuthError, OAuthErrorCode } from "@modelcontextprotocol/server";
import { createRemoteJWKSet, jwtVerify } from "jose";

/** `issuer` and `resource` are the strings of Latchkey's configuration: without a slash at the end. */
export function verifierOf(issuer, resource) {
  const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));
  return {
    async verifyAccessToken(token) {
      const { payload } = await jwtVerify(token, keys, { issuer, audience: resource, typ: "at+jwt" }).catch((error) => {
        // Keys that cannot be fetched are a fault of this server (500). Everything else is a fault of the token (401).
        if (error.code === "ERR_JWKS_TIMEOUT" || error.code === undefined || error.code === "ERR_JOSE_GENERIC") throw error;
        throw new OAuthError(OAuthErrorCode.InvalidToken, "the access token is not valid here");
      });
      return {
        token,
        clientId: payload.client_id,
        scopes: payload.scope?.split(" ") ?? [],
        expiresAt: payload.exp,
        resource: new URL(resource),
        extra: { sub: payload.sub },
      };
    },
  };
}
