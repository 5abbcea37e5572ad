// MCP clients on both versions of the TypeScript SDK. They know the URL of the MCP server and nothing else.
//
// MCP_SERVERS: the URLs of the servers, by name. MCP_DOCUMENTS: the origin that serves client ID metadata documents.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as v2 from "@modelcontextprotocol/client";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { UnauthorizedError as UnauthorizedV1 } from "@modelcontextprotocol/sdk/client/auth.js";
import { StreamableHTTPClientTransport as TransportV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { User } from "../../support/user.mjs";

const servers = JSON.parse(process.env.MCP_SERVERS ?? assert.fail("MCP_SERVERS is not set"));
const documents = process.env.MCP_DOCUMENTS;
const issuer = process.env.BASE_URL;
/** Servers whose tools name scopes of their own. */
const withToolScopes = ["express", "fetch", "agents", "lambda", "express-lambda", "crate"];

const versions = {
  "SDK v2": { Client: v2.Client, Transport: v2.StreamableHTTPClientTransport, Unauthorized: v2.UnauthorizedError },
  "SDK v1": { Client: ClientV1, Transport: TransportV1, Unauthorized: UnauthorizedV1 },
};

/** What a host program stores. Its user opens the authorization URL, and answers the pages. */
class Provider {
  redirectUrl = "http://localhost:41234/callback";
  #user = new User();
  #tokens;
  #information;
  #verifier;
  #discovery;
  /** The authorization requests, in order. */
  requests = [];
  /** The parameters of the last authorization response. */
  callback;

  constructor(clientMetadataUrl) {
    this.clientMetadataUrl = clientMetadataUrl;
  }
  get clientMetadata() {
    return {
      client_name: "Suite",
      redirect_uris: [this.redirectUrl],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
    };
  }
  state = () => "a-state";
  clientInformation = () => this.#information;
  saveClientInformation = (information) => void (this.#information = information);
  tokens = () => this.#tokens;
  saveTokens(tokens) {
    this.#tokens = tokens;
  }
  saveCodeVerifier = (verifier) => void (this.#verifier = verifier);
  codeVerifier = () => this.#verifier;
  async redirectToAuthorization(url) {
    this.requests.push(url.searchParams);
    this.callback = (await this.#user.answer(url, this.redirectUrl)).searchParams;
  }
  discoveryState = () => this.#discovery;
  saveDiscoveryState = (state) => void (this.#discovery = state);
  /** Forgets the refresh token. */
  forgetRefreshToken() {
    this.#tokens = { ...this.#tokens, refresh_token: undefined };
  }
  /** Makes the access token useless, as if it had expired. */
  spoil() {
    this.#tokens = { ...this.#tokens, access_token: `${this.#tokens.access_token}x` };
  }
}

/** Runs `work` with a connected client. A step that needs the user is repeated once it has the user's answer. */
async function session({ Client, Transport, Unauthorized }, url, provider, work) {
  const connect = async () => {
    const client = new Client({ name: "suite", version: "1.0.0" });
    const transport = new Transport(new URL(url), { authProvider: provider });
    await client.connect(transport);
    return { client, transport };
  };
  const finish = async (transport) => {
    assert.equal(provider.callback.get("error"), null, String(provider.callback));
    assert.equal(provider.callback.get("state"), "a-state");
    await transport.finishAuth(provider.callback.get("code"), provider.callback.get("iss"));
  };
  const first = new Transport(new URL(url), { authProvider: provider });
  await assert.rejects(new Client({ name: "suite", version: "1.0.0" }).connect(first), Unauthorized);
  await finish(first);
  let { client, transport } = await connect();
  const call = async (name, args = {}) => {
    const once = async () => (await client.callTool({ name, arguments: args })).content[0].text;
    try {
      return await once();
    } catch (error) {
      if (!(error instanceof Unauthorized)) throw error;
      await finish(transport);
      return await once();
    }
  };
  const reconnect = async () => {
    await client.close();
    ({ client, transport } = await connect());
  };
  try {
    return await work(call, reconnect);
  } finally {
    await client.close();
  }
}

function claims(token) {
  return JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
}

for (const [version, sdk] of Object.entries(versions)) {
  for (const [server, url] of Object.entries(servers)) {
    for (const way of ["registration", "document"]) {
      test(`${version}, ${server}, by ${way}: challenge, metadata, token, tool call, refresh, step-up`, async () => {
        const document = `${documents}/${version.replace(" ", "-")}/${server}.json`;
        const provider = new Provider(way === "document" ? document : undefined);
        await session(sdk, url, provider, async (call, reconnect) => {
          const { client_id } = provider.clientInformation();
          if (way === "document") assert.equal(client_id, document);
          const first = provider.tokens();
          const { sub, aud, scope } = claims(first.access_token);
          assert.deepEqual({ aud, scope }, { aud: url, scope: "notes:read" });
          // MCP, Authorization: `resource` in the authorization request; the scope of the challenge.
          const [request] = provider.requests;
          assert.equal(request.get("resource"), url);
          assert.equal(request.get("scope").split(" ")[0], "notes:read");
          assert.equal(await call("whoami"), sub);

          assert.ok(first.refresh_token, "a client that lists the refresh_token grant gets a refresh token");
          provider.spoil();
          assert.equal(await call("whoami"), sub);
          assert.notEqual(provider.tokens().access_token, first.access_token);
          assert.notEqual(provider.tokens().refresh_token, first.refresh_token);
          assert.equal(provider.requests.length, 1, "a refresh needs no user");

          if (!withToolScopes.includes(server)) return;
          // Version 1 refreshes where it needs a new authorization, for as long as it has a refresh token.
          if (version === "SDK v1") {
            await assert.rejects(call("write_note", { note: "x" }), /403 after trying upscoping/);
            provider.forgetRefreshToken();
            await reconnect();
          }
          assert.equal(await call("write_note", { note: "x" }), "written: x");
          assert.equal(provider.requests.length, 2, "a further scope needs the user");
          const granted = claims(provider.tokens().access_token).scope.split(" ");
          assert.ok(granted.includes("notes:write"), `${granted}`);
          assert.equal(claims(provider.tokens().access_token).sub, sub);
          assert.equal(await call("whoami"), sub);
        });
      });
    }
  }
}

test("each server rejects the token of another one", { skip: Object.keys(servers).length < 2 }, async () => {
  const [[, one], [, other]] = Object.entries(servers);
  const provider = new Provider();
  await session(versions["SDK v2"], one, provider, (call) => call("whoami"));
  const authorization = `Bearer ${provider.tokens().access_token}`;
  for (const [url, status] of [[one, [200, 400, 406, 415]], [other, [401]]]) {
    const answer = await fetch(url, { method: "POST", headers: { authorization, "content-type": "application/json" }, body: "{}" });
    assert.ok(status.includes(answer.status), `${url}: ${answer.status}`);
  }
});

test("the metadata of the authorization server have what MCP clients look for", async () => {
  const metadata = await (await fetch(`${issuer}/.well-known/oauth-authorization-server`)).json();
  assert.equal(metadata.issuer, issuer);
  assert.ok(metadata.code_challenge_methods_supported.includes("S256"));
  assert.equal(metadata.client_id_metadata_document_supported, true);
  assert.equal(metadata.authorization_response_iss_parameter_supported, true);
  assert.ok(metadata.registration_endpoint);
});
