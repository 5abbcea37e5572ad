// mcp-remote, with which local hosts reach remote servers: a host starts it, and the user answers the page that it opens.

import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { User } from "../../support/user.mjs";

const servers = JSON.parse(process.env.MCP_SERVERS ?? assert.fail("MCP_SERVERS is not set"));
const issuer = process.env.BASE_URL;

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return port;
}

/** Starts mcp-remote with a directory of stored credentials. Returns a connected client, and the number of pages opened. */
async function connect(url, directory, options, port) {
  const program = new URL("node_modules/mcp-remote/dist/proxy.js", import.meta.url).pathname;
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [program, url, String(port), ...options],
    env: { ...process.env, MCP_REMOTE_CONFIG_DIR: directory, BROWSER: "true" },
    stderr: "pipe",
  });
  let [log, pages] = ["", 0];
  const failure = new Promise((_, reject) => {
    transport.stderr.on("data", (data) => {
      log += data;
      const [, address] = log.match(new RegExp(`(${issuer}/authorize\\?\\S+)\\s`)) ?? [];
      if (!address) return;
      log = "";
      pages += 1;
      const redirectUri = new URL(address).searchParams.get("redirect_uri");
      new User().answer(address, redirectUri).then((callback) => fetch(callback)).catch(reject);
    });
  });
  const client = new Client({ name: "suite", version: "1.0.0" });
  await Promise.race([client.connect(transport), failure]).catch((error) => {
    throw new Error(`${error.message}\n${log}`);
  });
  return { client, pages: () => pages };
}

// Each start takes seconds, so each way has one server.
for (const [server, way] of [
  ["express", "registration"],
  ["fastmcp", "document"],
]) {
  test(`mcp-remote, ${server}, by ${way}: a tool call, and another one without the user`, async () => {
    const directory = mkdtempSync(join(tmpdir(), "mcp-remote-"));
    const options = way === "document" ? ["--client-metadata-url", `${process.env.MCP_DOCUMENTS}/mcp-remote.json`] : [];
    const port = await freePort();
    for (const pages of [1, 0]) {
      const session = await connect(servers[server], directory, options, port);
      try {
        const { content } = await session.client.callTool({ name: "whoami" });
        assert.ok(content[0].text.length > 10, JSON.stringify(content));
        assert.equal(session.pages(), pages);
      } finally {
        await session.client.close();
      }
    }
  });
}
