// Serves the sample for fetch hosts on Node.js.
import { serve } from "@hono/node-server";
import sample from "../samples/fetch.mjs";

serve({ fetch: (request) => sample.fetch(request, process.env), hostname: "127.0.0.1", port: Number(process.env.PORT) });
