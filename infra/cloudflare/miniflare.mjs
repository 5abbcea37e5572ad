// Runs the Workers of wrangler.toml in one workerd process on this machine. Nothing is kept afterwards, without --keep.
//
//   node_modules/.bin/node infra/cloudflare/miniflare.mjs [--port PORT] [--issuer URL] [--set NAME=VALUE]... [--keep DIRECTORY] [--contract] [--faults]
//
// --port      the port on localhost. Default: a free one.
// --issuer    LATCHKEY_ISSUER. Default: http://localhost:PORT.
// --set       a variable for every function that has settings. Some have none.
// --keep      a directory that keeps records and caches for the next run.
//
// --contract  serves the contract tests of the store (tests/contract-worker) in place of the functions.
// --faults    lets tests inject faults into the Durable Objects at /faults (faulty-records.mjs). The text of an assertion
//             injects them into its check (faulty-saml.mjs).
//
// LATCHKEY_KEYS_BY_FUNCTION in the environment has the settings with the keys of each function, as JSON. `contract` is the Worker
// of the contract tests.
//
// Prints {"url"} when it is ready. The name of a scheduled function on a line of standard input runs that function and
// prints {"scheduled", "outcome"}. Ends when standard input closes. The log of the Workers goes to standard error.

import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { basename, dirname } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";

const { values } = parseArgs({
  options: {
    port: { type: "string" },
    issuer: { type: "string" },
    set: { type: "string", multiple: true, default: [] },
    keep: { type: "string" },
    contract: { type: "boolean", default: false },
    faults: { type: "boolean", default: false },
  },
});

const root = fileURLToPath(new URL("../..", import.meta.url));
const config = `${root}wrangler.toml`;
const port = Number(values.port) || (await freePort());
const url = `http://localhost:${port}`;
const settings = {
  LATCHKEY_ISSUER: values.issuer ?? url,
  ...Object.fromEntries(values.set.map((pair) => pair.split(/=(.*)/s, 2))),
};

const keys = JSON.parse(process.env.LATCHKEY_KEYS_BY_FUNCTION ?? "{}");

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

// Replaces Cloudflare: picks the Worker by the patterns of its routes, and sets the address of the client. A test names the certificate
// of the TLS connection in a header field, because workerd does no handshake with certificates of clients.
const ROUTER = `
  export default {
    async fetch(request, env) {
      const { pathname, search } = new URL(request.url);
      const target = pathname + search;
      const route = env.ROUTES.find(({ path }) =>
        path.endsWith("*") ? target.startsWith(path.slice(0, -1)) : target === path);
      if (!route) return new Response("no route", { status: 404 });
      const passed = new Request(request, { redirect: "manual" });
      passed.headers.set("CF-Connecting-IP", "127.0.0.1");
      const certificate = passed.headers.get("latchkey-test-certificate");
      const chain = passed.headers.get("latchkey-test-certificate-chain");
      passed.headers.delete("latchkey-test-certificate");
      passed.headers.delete("latchkey-test-certificate-chain");
      // Each member is a text, also without a certificate.
      const tlsClientAuth = {
        certPresented: certificate ? "1" : "0",
        certVerified: !certificate ? "NONE" : chain === "unverified" ? "FAILED:self signed certificate" : "SUCCESS",
        certRevoked: chain === "revoked" ? "1" : "0",
        certRFC9440: certificate ?? "",
        certRFC9440TooLarge: "0",
      };
      return env[route.worker].fetch(passed, { cf: { ...request.cf, tlsClientAuth } });
    },
  };`;

function read(name) {
  return unstable_readConfig({ config, env: name }, { hideWarnings: true });
}

// True if the Worker belongs to the authorization server. The guard of an API and the API have neither records nor secret.
function isServer(name) {
  return read(name).durable_objects.bindings.length > 0;
}

// True if wrangler.toml gives the Worker settings. The owner of the Durable Objects and the services of other Workers have none.
function hasSettings(name) {
  return Object.keys(read(name).vars).length > 0;
}

// The owner of the Durable Objects serves no routes.
function ownsObjects(name) {
  return read(name).durable_objects.bindings.some(({ script_name }) => script_name === undefined);
}

function worker(name) {
  const { workerOptions, main } = unstable_getMiniflareWorkerOptions(config, name);
  const isAdministration = (read(name).routes ?? []).some(({ pattern }) => pattern.includes("/admin/"));
  const isOwn = ([setting]) => isAdministration || !setting.startsWith("LATCHKEY_ADMIN");
  const given = hasSettings(name) ? Object.fromEntries(Object.entries(settings).filter(isOwn)) : {};
  const bindings = { ...workerOptions.bindings, ...given, ...keys[name] };
  const wrapper = wrapperOf(name);
  const code = existsSync(wrapper) ? wrapped(script(main), wrapper) : script(main);
  return { ...workerOptions, bindings, name: read(name).name, zone: undefined, ...code };
}

// The path of the script that injects faults into a Worker, or measures it; there need not be one.
function wrapperOf(name) {
  if (values.faults) return `${root}infra/cloudflare/faulty-${name}.mjs`;
  return values.contract ? `${root}tests/contract-worker/measured-${name}.mjs` : "";
}

// A script, wrapped in another one.
function wrapped({ modules, modulesRoot }, wrapper) {
  const path = `${modulesRoot}/${basename(wrapper)}`;
  return { modules: [{ type: "ESModule", path, contents: readFileSync(wrapper, "utf8") }, ...modules], modulesRoot };
}

// The output of infra/cloudflare/build.sh: a module and its wasm.
function script(path) {
  const modules = [
    { type: "ESModule", path },
    { type: "CompiledWasm", path: path.replace("index.js", "index_bg.wasm") },
  ];
  return { modules, modulesRoot: dirname(path), modulesRules: undefined };
}

// Returns the place of a pattern in the order of specificity: the longest fixed part first, then the pattern without a wildcard.
function rank({ path }) {
  return path.endsWith("*") ? 2 * (path.length - 1) : 2 * path.length + 1;
}

function router(workers) {
  // The gateway has the host of the server here, and stands before the sample API alone.
  const gateway = ["/demo-api*", "/.well-known/oauth-protected-resource*"].map((path) => ({ path, worker: "authorizer" }));
  const faults = values.faults ? workers.filter(ownsObjects).map((worker) => ({ path: "/faults", worker })) : [];
  const routes = workers.filter(isServer).flatMap((name) =>
    (read(name).routes ?? []).map(({ pattern }) => ({ path: pattern.slice(pattern.indexOf("/")), worker: name })),
  );
  return {
    name: "router",
    modules: true,
    script: ROUTER,
    compatibilityDate: "2026-11-01",
    bindings: { ROUTES: [...routes, ...gateway, ...faults].sort((one, other) => rank(other) - rank(one)) },
    serviceBindings: Object.fromEntries(workers.map((name) => [name, read(name).name])),
  };
}

function workers() {
  const names = unstable_readConfig({ config }, { hideWarnings: true }).definedEnvironments;
  const owner = names.find(ownsObjects);
  if (values.contract) {
    // The bindings of any function of the server will do, without those to Workers that do not run here.
    const contract = worker(names.find((name) => isServer(name) && name !== owner));
    const bindings = keys.contract;
    return [{ ...contract, bindings, serviceBindings: {}, name: "contract", ...script(`${root}tests/contract-worker/build/index.js`) }, worker(owner)];
  }
  return [router(names.filter((name) => values.faults || name !== owner)), ...names.map(worker)];
}

const miniflare = new Miniflare({
  ...convertV4MiniflareOptions({
    host: "127.0.0.1",
    port,
    cf: false,
    log: new Log(LogLevel.ERROR),
    handleStructuredLogs: ({ message }) => process.stderr.write(`${message}\n`),
    unsafeTriggerHandlers: true,
    workers: workers(),
  }),
  ...(values.keep ? { resourcePersistencePath: values.keep } : {}),
});
await miniflare.ready;
process.stdout.write(`${JSON.stringify({ url })}\n`);

for await (const line of createInterface({ input: process.stdin })) {
  const name = line.trim();
  if (name === "") continue;
  const scheduled = await miniflare.getWorker(read(name).name);
  const { outcome } = await scheduled.scheduled({ cron: "" });
  process.stdout.write(`${JSON.stringify({ scheduled: name, outcome })}\n`);
}
await miniflare.dispose();
