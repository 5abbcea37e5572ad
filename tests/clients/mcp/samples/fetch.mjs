import {
  createMcpHandler,
  getOAuthProtectedResourceMetadataUrl,
  oauthMetadataResponse,
  requireBearerAuth,
} from "@modelcontextprotocol/server";
import { notes } from "./notes.mjs";
import { verifierOf } from "./verifier.mjs";

const handler = createMcpHandler(notes);
let gate;

/** Reads the metadata of the issuer once, with the first request. */
async function gateOf({ ISSUER, RESOURCE }) {
  const resource = new URL(RESOURCE);
  const answer = await fetch(`${ISSUER}/.well-known/oauth-authorization-server`);
  const metadata = {
    oauthMetadata: await answer.json(),
    resourceServerUrl: resource,
    scopesSupported: ["notes:read", "notes:write"],
  };
  const guard = requireBearerAuth({
    verifier: verifierOf(ISSUER, RESOURCE),
    expectedResource: resource,
    requiredScopes: ["notes:read"],
    resourceMetadataUrl: getOAuthProtectedResourceMetadataUrl(resource),
  });
  return { metadata, guard };
}

/** Returns what the access token says, or the answer to a request for the metadata or without a valid token. */
export async function admit(request, env) {
  gate ??= await gateOf(env);
  return oauthMetadataResponse(request, gate.metadata) ?? (await gate.guard(request));
}

export default {
  async fetch(request, env) {
    const access = await admit(request, env);
    return access instanceof Response ? access : handler.fetch(request, { authInfo: access });
  },
};
