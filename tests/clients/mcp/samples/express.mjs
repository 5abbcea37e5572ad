import {
  createMcpExpressApp,
  getOAuthProtectedResourceMetadataUrl,
  mcpAuthMetadataRouter,
  requireBearerAuth,
} from "@modelcontextprotocol/express";
import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler } from "@modelcontextprotocol/server";
import { notes } from "./notes.mjs";
import { verifierOf } from "./verifier.mjs";

const { ISSUER, RESOURCE, PORT } = process.env;
const resource = new URL(RESOURCE);
const oauthMetadata = await (await fetch(`${ISSUER}/.well-known/oauth-authorization-server`)).json();

// The app rejects other hosts. By default it accepts localhost alone.
export const app = createMcpExpressApp({ host: resource.hostname, allowedHosts: [resource.hostname] });
app.use(
  mcpAuthMetadataRouter({
    oauthMetadata,
    resourceServerUrl: resource,
    scopesSupported: ["notes:read", "notes:write"],
    resourceName: "Notes",
  }),
);
const guard = requireBearerAuth({
  verifier: verifierOf(ISSUER, RESOURCE),
  expectedResource: resource,
  requiredScopes: ["notes:read"],
  resourceMetadataUrl: getOAuthProtectedResourceMetadataUrl(resource),
});
const handler = toNodeHandler(createMcpHandler(notes));
app.all(resource.pathname, guard, (request, response) => handler(request, response, request.body));
if (PORT) app.listen(Number(PORT), "127.0.0.1");
