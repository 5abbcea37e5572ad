// Serves the single-page app oidc-client-ts.html.
import express from "express";

const { ISSUER, CLIENT_ID, PORT } = process.env;
const file = (path) => (req, res) => res.sendFile(path, { root: import.meta.dirname });
const app = express();
app.get("/oidc-client-ts.js", file("node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js"));
app.get("/settings.json", (req, res) => res.json({ authority: ISSUER, client_id: CLIENT_ID }));
app.get("/*path", file("oidc-client-ts.html"));
app.get("/", file("oidc-client-ts.html"));
app.listen(PORT, "127.0.0.1");
