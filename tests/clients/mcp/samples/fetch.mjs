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

export default {
  async fetch(request, env) {
    gate ??= await gateOf(env);
    const document = oauthMetadataResponse(request, gate.metadata);
    if (document) return document;
    const access = await gate.guard(request);
    return access instanceof Response ? access : handler.fetch(request, { authInfo: access });
  },
};
