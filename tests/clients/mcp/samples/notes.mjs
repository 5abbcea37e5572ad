// The MCP server itself. One tool needs a further scope, which the client asks for when the tool is called (step-up).
import { McpServer, requireScopes } from "@modelcontextprotocol/server";
import { z } from "zod";

const text = (value) => ({ content: [{ type: "text", text: value }] });

export function notes() {
  const server = new McpServer({ name: "notes", version: "1.0.0" });
  server.registerTool("whoami", { description: "Returns the user" }, (context) =>
    text(String(context.http?.authInfo?.extra?.sub)),
  );
  server.registerTool(
    "write_note",
    {
      description: "Writes a note",
      inputSchema: z.object({ note: z.string() }),
      // All scopes that the call needs: the client asks for these, and for no others.
      scopeChallenge: requireScopes("notes:read", "notes:write"),
    },
    ({ note }) => text(`written: ${note}`),
  );
  return server;
}
