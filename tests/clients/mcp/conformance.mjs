// The scenarios for authorization servers of @modelcontextprotocol/conformance. They wait for a user, who answers here.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { User } from "../../support/user.mjs";

const issuer = process.env.BASE_URL;
const [resource] = Object.values(JSON.parse(process.env.MCP_SERVERS));

/** Runs the scenarios. Returns the checks by id. */
async function run(options) {
  const output = mkdtempSync(join(tmpdir(), "conformance-"));
  const program = new URL("node_modules/@modelcontextprotocol/conformance/dist/index.js", import.meta.url).pathname;
  const arguments_ = [program, "authorization", "--url", issuer, "--port", "41235", "-o", output, ...options];
  const child = spawn(process.execPath, arguments_, { stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", async (data) => {
      log += data;
      const [, address] = log.match(new RegExp(`^(${issuer}/authorize\\?\\S+)$`, "m")) ?? [];
      if (!address || !log.includes("Callback server started")) return;
      log = log.replace(address, "");
      const callback = await new User().answer(address, new URL(address).searchParams.get("redirect_uri"));
      await fetch(callback);
    });
  }
  const code = await new Promise((resolve) => child.on("close", resolve));
  const files = readdirSync(output, { recursive: true }).filter((name) => name.endsWith("checks.json"));
  const checks = files.flatMap((name) => JSON.parse(readFileSync(join(output, name), "utf8")));
  return { code, log, checks };
}

for (const options of [[], ["--resource", resource]]) {
  test(`conformance: both scenarios for authorization servers ${options.join(" ")}`, async () => {
    const registration = { redirect_uris: ["http://127.0.0.1/callback"], token_endpoint_auth_method: "none" };
    const answer = await fetch(`${issuer}/register`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(registration),
    });
    const { client_id } = await answer.json();
    const { code, log, checks } = await run(["--client-id", client_id, ...options]);
    assert.equal(code, 0, log);
    assert.ok(checks.length >= 2, log);
    for (const check of checks) assert.ok(["SUCCESS", "INFO"].includes(check.status), JSON.stringify(check, null, 1));
  });
}
