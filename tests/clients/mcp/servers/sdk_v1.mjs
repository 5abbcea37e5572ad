// An MCP server on version 1 of the TypeScript SDK. Version 1 has no scopes per tool.
import { createMcpExpressApp } from "@modelcontextprotocol/sdk/server/express.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { requireBearerAuth } from "@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js";
import { InvalidTokenError } from "@modelcontextprotocol/sdk/server/auth/errors.js";
import { getOAuthProtectedResourceMetadataUrl, mcpAuthMetadataRouter } from "@modelcontextprotocol/sdk/server/auth/router.js";
import { verifierOf } from "../samples/verifier.mjs";

const { ISSUER, RESOURCE, PORT } = process.env;
const resource = new URL(RESOURCE);
const oauthMetadata = await (await fetch(`${ISSUER}/.well-known/oauth-authorization-server`)).json();

const app = createMcpExpressApp();
app.use(mcpAuthMetadataRouter({ oauthMetadata, resourceServerUrl: resource, scopesSupported: ["notes:read", "notes:write"] }));
const { verifyAccessToken } = verifierOf(ISSUER, RESOURCE);
const guard = requireBearerAuth({
  verifier: {
    verifyAccessToken: (token) =>
      verifyAccessToken(token).catch((error) => {
        throw new InvalidTokenError(error.message);
      }),
  },
  requiredScopes: ["notes:read"],
  resourceMetadataUrl: getOAuthProtectedResourceMetadataUrl(resource),
});
app.post(resource.pathname, guard, async (request, response) => {
  const server = new McpServer({ name: "notes", version: "1.0.0" });
  server.registerTool("whoami", { description: "Returns the user" }, ({ authInfo }) => ({
    content: [{ type: "text", text: String(authInfo?.extra?.sub) }],
  }));
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
  response.on("close", () => server.close());
  await server.connect(transport);
  await transport.handleRequest(request, response, request.body);
});
app.all(resource.pathname, guard, (_, response) => response.status(405).end());
app.listen(Number(PORT), "127.0.0.1");
