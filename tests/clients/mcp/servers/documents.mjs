// Serves client ID metadata documents at https://localhost:PORT. Each path is a document whose client_id is its own URL.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";

const port = Number(process.env.PORT);
const directory = mkdtempSync(join(tmpdir(), "documents-"));
const [key, cert] = ["key.pem", "cert.pem"].map((name) => join(directory, name));
const arguments_ = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost".split(" ");
execFileSync("openssl", [...arguments_, "-keyout", key, "-out", cert], { stdio: "ignore" });

createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
  const document = {
    client_id: `https://localhost:${port}${request.url}`,
    client_name: "Document client",
    redirect_uris: ["http://localhost/callback", "http://127.0.0.1/callback", "http://localhost/oauth/callback"],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  };
  response.writeHead(200, { "content-type": "application/json", "cache-control": "max-age=600" });
  response.end(JSON.stringify(document));
}).listen(port, "127.0.0.1");
