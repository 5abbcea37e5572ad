// A TLS front: terminates TLS with a self-signed certificate and forwards to a plain HTTP port on this machine.
// The conformance suite and `latchkey dev` both listen without TLS.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { join } from "node:path";

// The suites of TLS 1.2 that FAPI 2.0 and FAPI 1 both permit. An RSA key is needed for them.
const CIPHERS = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384";

/** Returns { key, cert } as PEM; makes them with openssl unless `directory` has them. */
export function certificate(directory, name, subject = "/CN=localhost") {
  mkdirSync(directory, { recursive: true });
  const key = join(directory, `${name}.key`);
  const cert = join(directory, `${name}.crt`);
  if (!existsSync(cert)) {
    const names = "subjectAltName=DNS:localhost,DNS:localhost.emobix.co.uk,IP:127.0.0.1";
    execFileSync(
      "openssl",
      ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", subject, "-addext", names, "-keyout", key, "-out", cert],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
  }
  return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
}

/** Starts a front and resolves to its server. With `askForCertificate`, the PEM of the client's certificate is passed on in X-Ssl-Cert. */
export function front({ port, target, identity, askForCertificate = false }) {
  const agent = new http.Agent({ keepAlive: true });
  const server = https.createServer(
    {
      ...identity,
      minVersion: "TLSv1.2",
      ciphers: `TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:${CIPHERS}`,
      honorCipherOrder: true,
      requestCert: askForCertificate,
      rejectUnauthorized: false,
    },
    (request, response) => {
      const headers = { ...request.headers };
      for (const name of Object.keys(headers)) {
        if (name.startsWith("x-ssl-") || name.startsWith("x-forwarded-")) delete headers[name];
      }
      headers["x-forwarded-proto"] = "https";
      headers["x-forwarded-host"] = request.headers.host ?? `localhost:${port}`;
      headers["x-forwarded-port"] = String(port);
      headers["x-forwarded-for"] = "127.0.0.1";
      headers["x-ssl-cipher"] = request.socket.getCipher().name;
      headers["x-ssl-protocol"] = request.socket.getProtocol();
      if (askForCertificate) {
        const peer = request.socket.getPeerX509Certificate?.();
        // A header field has one line: nginx folds the PEM with tabs, and the suite reads it so.
        if (peer) headers["x-ssl-cert"] = peer.toString().trim().replaceAll("\n", "\t");
      } else if (request.url.startsWith("/test-mtls")) {
        headers["x-test-mtls-called-on-wrong-host"] = "true";
      }
      const forwarded = http.request(
        { host: "127.0.0.1", port: target, method: request.method, path: request.url, headers, agent },
        (answer) => {
          response.writeHead(answer.statusCode, answer.headers);
          answer.pipe(response);
        },
      );
      forwarded.on("error", () => {
        if (!response.headersSent) response.writeHead(502);
        response.end();
      });
      response.on("close", () => forwarded.destroy());
      request.pipe(forwarded);
    },
  );
  server.requestTimeout = 0;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, () => resolve(server));
  });
}

// As a command: `node front.mjs` puts fronts before the suite on port 8080, as its nginx does.
if (process.argv[1] === import.meta.filename) {
  const identity = certificate(process.env.CERTIFICATION_STATE ?? ".certification", "suite");
  await front({ port: 8443, target: 8080, identity });
  await front({ port: 8444, target: 8080, identity, askForCertificate: true });
  console.log("https://localhost.emobix.co.uk:8443 and :8444 (with client certificates) -> http://localhost:8080");
}
