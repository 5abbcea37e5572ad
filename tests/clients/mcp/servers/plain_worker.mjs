// An MCP server without any check of tokens, as a Worker behind the gateway. Beside it: an event stream, a WebSocket, and what
// arrives here.
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";

let calls = 0;

const mcp = createMcpHandler(({ requestInfo }) => {
  const server = new McpServer({ name: "plain", version: "1.0.0" });
  server.registerTool("whoami", { description: "Returns the user" }, () => ({
    content: [{ type: "text", text: requestInfo.headers.get("x-latchkey-subject") }],
  }));
  return server;
});

function events() {
  let count = 0;
  const encoder = new TextEncoder();
  const stream = new ReadableStream({
    async pull(controller) {
      if (count > 0) await new Promise((resolve) => setTimeout(resolve, 300));
      if (count === 3) return controller.close();
      count += 1;
      controller.enqueue(encoder.encode(`data: ${count}\n\n`));
    },
  });
  return new Response(stream, { headers: { "content-type": "text/event-stream" } });
}

function socket(request) {
  if (request.headers.get("upgrade") !== "websocket") return new Response("no upgrade", { status: 426 });
  const [client, server] = Object.values(new WebSocketPair());
  server.accept();
  const subject = request.headers.get("x-latchkey-subject");
  server.addEventListener("message", ({ data }) => server.send(`${subject}: ${data}`));
  return new Response(null, { status: 101, webSocket: client });
}

export default {
  async fetch(request) {
    calls += 1;
    const { pathname } = new URL(request.url);
    if (pathname === "/mcp/events") return events();
    if (pathname === "/mcp/socket") return socket(request);
    if (pathname === "/mcp/arrived") {
      return Response.json({ calls, method: request.method, headers: Object.fromEntries(request.headers), body: await request.text() });
    }
    return mcp.fetch(request);
  },
};
