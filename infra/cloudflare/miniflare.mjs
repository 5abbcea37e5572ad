// Runs the Workers of wrangler.toml in one workerd: the deployment, on this machine, with nothing kept afterwards.
//
//   node_modules/.bin/node infra/cloudflare/miniflare.mjs [--port PORT] [--issuer URL] [--set NAME=VALUE]... [--contract] [--faults]
//
// --port      the port on localhost; a free one unless given
// --issuer    LATCHKEY_ISSUER; http://localhost:PORT unless given
// --set       a variable for every function; LATCHKEY_SECRET comes from the environment
// --contract  serves the contract of the store (tests/contract-worker) and none of the functions
// --faults    has the objects of the store misbehave by a plan that tests put at /faults (faulty-records.mjs)
//
// Prints {"url"} when it is ready. A line on standard input that is the name of a scheduled function runs it, and prints
// {"scheduled", "outcome"}. Ends when standard input does. What the Workers log goes to standard error.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname } from "node:path";
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
  ...(process.env.LATCHKEY_SECRET ? { LATCHKEY_SECRET: process.env.LATCHKEY_SECRET } : {}),
  ...Object.fromEntries(values.set.map((pair) => pair.split(/=(.*)/s, 2))),
};

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

// Stands for Cloudflare: chooses the Worker by the patterns of its routes, and says itself who connected.
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
      return env[route.worker].fetch(passed);
    },
  };`;

// The guard of an API, and the API, are no part of the server: they do without its secret.
const GUARDED = ["authorizer", "demo-api"];

function worker(name) {
  const { workerOptions, main } = unstable_getMiniflareWorkerOptions(config, name);
  const { LATCHKEY_SECRET, ...others } = settings;
  const given = name === "records" ? {} : GUARDED.includes(name) ? others : settings;
  const bindings = { ...workerOptions.bindings, ...given };
  const code = name === "records" && values.faults ? faulty(script(main)) : script(main);
  return { ...workerOptions, bindings, name: `latchkey-${name}`, zone: undefined, ...code };
}

// The script that owns the objects, behind the one that has them misbehave.
function faulty({ modules, modulesRoot }) {
  const contents = readFileSync(`${root}infra/cloudflare/faulty-records.mjs`, "utf8");
  return { modules: [{ type: "ESModule", path: `${modulesRoot}/faulty-records.mjs`, contents }, ...modules], modulesRoot };
}

// What infra/cloudflare/build.sh left: a module, and the wasm beside it.
function script(path) {
  const modules = [
    { type: "ESModule", path },
    { type: "CompiledWasm", path: path.replace("index.js", "index_bg.wasm") },
  ];
  return { modules, modulesRoot: dirname(path), modulesRules: undefined };
}

function router(workers) {
  // The gateway's host is the server's own here: it stands before the sample API alone.
  const gateway = ["/demo-api*", "/.well-known/oauth-protected-resource*"].map((path) => ({ path, worker: "authorizer" }));
  const faults = values.faults ? [{ path: "/faults", worker: "records" }] : [];
  const routes = workers.filter((name) => !GUARDED.includes(name)).flatMap((name) =>
    (unstable_readConfig({ config, env: name }, { hideWarnings: true }).routes ?? []).map(({ pattern }) => ({
      path: pattern.slice(pattern.indexOf("/")),
      worker: name,
    })),
  );
  return {
    name: "router",
    modules: true,
    script: ROUTER,
    compatibilityDate: "2026-11-01",
    bindings: { ROUTES: [...routes, ...gateway, ...faults].sort((one, other) => other.path.length - one.path.length) },
    serviceBindings: Object.fromEntries(workers.map((name) => [name, `latchkey-${name}`])),
  };
}

function workers() {
  if (values.contract) {
    // Any function's bindings will do.
    const contract = worker("token");
    return [{ ...contract, name: "contract", ...script(`${root}tests/contract-worker/build/index.js`) }, worker("records")];
  }
  const names = unstable_readConfig({ config }, { hideWarnings: true }).definedEnvironments;
  return [router(names.filter((name) => values.faults || name !== "records")), ...names.map(worker)];
}

const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    host: "127.0.0.1",
    port,
    cf: false,
    log: new Log(LogLevel.ERROR),
    handleStructuredLogs: ({ message }) => process.stderr.write(`${message}\n`),
    unsafeTriggerHandlers: true,
    workers: workers(),
  }),
);
await miniflare.ready;
process.stdout.write(`${JSON.stringify({ url })}\n`);

for await (const line of createInterface({ input: process.stdin })) {
  const name = line.trim();
  if (name === "") continue;
  const scheduled = await miniflare.getWorker(`latchkey-${name}`);
  const { outcome } = await scheduled.scheduled({ cron: "" });
  process.stdout.write(`${JSON.stringify({ scheduled: name, outcome })}\n`);
}
await miniflare.dispose();
