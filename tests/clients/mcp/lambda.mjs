// The samples for Lambda at a host of their own. The other tests reach them at localhost, which the SDK treats apart.

import assert from "node:assert/strict";
import { test } from "node:test";

const issuer = process.env.BASE_URL;
const resource = "https://mcp.example.com/mcp";
Object.assign(process.env, { ISSUER: issuer, RESOURCE: resource });

/** Sends the event of an HTTP API for one request to a handler. */
async function answer(handler, host, method, path) {
  const http = { method, path, protocol: "HTTP/1.1", sourceIp: "192.0.2.1", userAgent: "suite" };
  const headers = { host, accept: "application/json, text/event-stream", "content-type": "application/json" };
  const requestContext = { domainName: host, http, stage: "$default", requestId: "1", timeEpoch: 0 };
  const event = { version: "2.0", routeKey: "ANY /{proxy+}", rawPath: path, rawQueryString: "", headers, requestContext };
  return handler({ ...event, ...(method === "POST" ? { body: "{}" } : {}), isBase64Encoded: false }, {});
}

for (const sample of ["lambda", "express_lambda"]) {
  test(`${sample} answers at the host of the resource: challenge, and then metadata`, async () => {
    const { handler } = await import(`./samples/${sample}.mjs`);
    const challenge = await answer(handler, "mcp.example.com", "POST", "/mcp");
    assert.equal(challenge.statusCode, 401, challenge.body);
    const metadata = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp";
    assert.ok(challenge.headers["www-authenticate"].includes(`resource_metadata="${metadata}"`), JSON.stringify(challenge.headers));
    const document = await answer(handler, "mcp.example.com", "GET", new URL(metadata).pathname);
    assert.deepEqual(JSON.parse(document.body).authorization_servers, [issuer]);
    assert.equal(JSON.parse(document.body).resource, resource);
  });
}

test("express_lambda rejects another host (DNS rebinding)", async () => {
  const { handler } = await import("./samples/express_lambda.mjs");
  assert.equal((await answer(handler, "localhost", "POST", "/mcp")).statusCode, 403);
});
