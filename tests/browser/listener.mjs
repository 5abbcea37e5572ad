// A client of another origin: listens on a loopback port and keeps what arrives at /callback.
import { createServer } from "node:http";

export async function listen() {
  const waiting = [];
  const arrived = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    response.writeHead(200, { "content-type": "text/html" }).end('<title>Arrived</title><link rel="icon" href="data:,">');
    const url = new URL(request.url, "http://127.0.0.1");
    if (url.pathname !== "/callback") return;
    const parameters = request.method === "POST" ? new URLSearchParams(Buffer.concat(chunks).toString()) : url.searchParams;
    const message = { method: request.method, ...Object.fromEntries(parameters) };
    const next = waiting.shift();
    if (next) next(message);
    else arrived.push(message);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    redirectUri: `http://127.0.0.1:${server.address().port}/callback`,
    /** The next authorization response: its parameters, and the `method` that brought it. */
    next: () => (arrived.length ? Promise.resolve(arrived.shift()) : new Promise((resolve) => waiting.push(resolve))),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
