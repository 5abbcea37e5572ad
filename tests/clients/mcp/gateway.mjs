// What passes the gateway Worker, in workerd: event streams and WebSockets with a token, nothing without one.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { request as send } from "node:http";
import { once } from "node:events";
import { test } from "node:test";
import { User } from "../../support/user.mjs";

const { gateway: url } = JSON.parse(process.env.MCP_SERVERS);
const issuer = process.env.BASE_URL;

/** Signs the demo user in with a new client. Returns an access token for the API. */
async function token(scope) {
  const redirectUri = "http://127.0.0.1/callback";
  const post = async (path, headers, body) => (await fetch(`${issuer}${path}`, { method: "POST", headers, body })).json();
  const metadata = { redirect_uris: [redirectUri], token_endpoint_auth_method: "none" };
  const { client_id } = await post("/register", { "content-type": "application/json" }, JSON.stringify(metadata));
  const verifier = randomBytes(32).toString("base64url");
  const request = new URLSearchParams({
    response_type: "code",
    client_id,
    redirect_uri: redirectUri,
    scope,
    resource: url,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  const callback = await new User().answer(`${issuer}/authorize?${request}`, redirectUri);
  const code = callback.searchParams.get("code");
  const redemption = { grant_type: "authorization_code", code, client_id, redirect_uri: redirectUri, code_verifier: verifier };
  const { access_token } = await post("/token", {}, new URLSearchParams(redemption));
  assert.ok(access_token, String(callback));
  return access_token;
}

const subject = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url")).sub;

async function arrived(authorization, options = {}) {
  const answer = await fetch(`${url}/arrived`, { ...options, headers: { authorization, ...options.headers } });
  assert.equal(answer.status, 200);
  return answer.json();
}

test("an event stream arrives event by event", async () => {
  const authorization = `Bearer ${await token("notes:read")}`;
  const answer = await fetch(`${url}/events`, { headers: { authorization, accept: "text/event-stream" } });
  assert.equal(answer.headers.get("content-type"), "text/event-stream");
  const chunks = [];
  for await (const chunk of answer.body) chunks.push([Buffer.from(chunk).toString(), Date.now()]);
  assert.equal(chunks.map(([text]) => text).join(""), "data: 1\n\ndata: 2\n\ndata: 3\n\n");
  assert.ok(chunks.at(-1)[1] - chunks[0][1] >= 300, "the first event arrives before the last one is sent");
});

test("a WebSocket passes with a token, and only then", async () => {
  const fields = (authorization) => ({
    ...(authorization ? { authorization } : {}),
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": Buffer.alloc(16, 1).toString("base64"),
  });
  const refused = send(`${url}/socket`, { headers: fields() }).end();
  const [answer] = await once(refused, "response");
  assert.equal(answer.statusCode, 401);
  assert.match(answer.headers["www-authenticate"], /resource_metadata=".*scope="notes:read"/);
  answer.resume();

  const access = await token("notes:read");
  const opened = send(`${url}/socket`, { headers: fields(`Bearer ${access}`) }).end();
  const [upgraded, socket, head] = await once(opened, "upgrade");
  assert.equal(upgraded.statusCode, 101);
  // A masked text frame (RFC 6455 §5.2): the mask is zero.
  socket.write(Buffer.concat([Buffer.from([0x81, 0x82, 0, 0, 0, 0]), Buffer.from("hi")]));
  const frame = head.length > 0 ? head : (await once(socket, "data"))[0];
  assert.equal(frame.subarray(2).toString(), `${subject(access)}: hi`);
  socket.destroy();
});

test("nothing is forwarded without a token, and no other method with one", async () => {
  const authorization = `Bearer ${await token("notes:read")}`;
  const before = (await arrived(authorization)).calls;
  const override = { "x-http-method-override": "DELETE", "x-method-override": "DELETE" };
  for (const headers of [override, { ...override, authorization: "Bearer x" }, { ...override, authorization: "Basic eDp5" }]) {
    const answer = await fetch(`${url}/arrived`, { method: "POST", headers, body: "a body" });
    assert.equal(answer.status, 401);
  }
  const after = await arrived(authorization, { method: "POST", headers: override, body: "a body" });
  assert.equal(after.calls, before + 1);
  assert.deepEqual([after.method, after.body], ["POST", "a body"]);
  assert.deepEqual(Object.keys(after.headers).filter((name) => name.includes("method")), []);
  assert.equal(after.headers["x-latchkey-subject"], subject(authorization));
});

test("a gateway without route scopes says so at its start", async () => {
  const { port } = new URL(url);
  const env = { ...process.env, PORT: String(Number(port) + 1), ISSUER: issuer, RESOURCE: url, ROUTE_SCOPES: "" };
  const program = new URL("servers/gateway.mjs", import.meta.url).pathname;
  const child = spawn(process.execPath, [program], { env, stdio: ["ignore", "ignore", "pipe"] });
  try {
    let log = "";
    child.stderr.on("data", (data) => (log += data));
    while (!log.includes("ready")) await once(child.stderr, "data");
    await fetch(`http://localhost:${env.PORT}/mcp`).then((answer) => answer.text());
    for (let turn = 0; turn < 100 && !log.includes("LATCHKEY_ROUTE_SCOPES is not set"); turn++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.match(log, /LATCHKEY_ROUTE_SCOPES is not set/);
  } finally {
    child.kill();
  }
});
