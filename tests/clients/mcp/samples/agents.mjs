// The Agents SDK of Cloudflare, with the compatibility flag `nodejs_compat`.
import { createMcpHandler } from "agents/mcp/server";
import { admit } from "./fetch.mjs";
import { notes } from "./notes.mjs";

const handler = createMcpHandler(notes);

export default {
  async fetch(request, env) {
    const access = await admit(request, env);
    return access instanceof Response ? access : handler.fetch(request, { authInfo: access });
  },
};
