import express from "express";
import { auth, requiredScopes } from "express-oauth2-jwt-bearer";

const { ISSUER, RESOURCE, PORT } = process.env;
const app = express();
app.use(
  auth({
    issuerBaseURL: ISSUER,
    audience: RESOURCE,
    strict: true, // rejects what is no access token by RFC 9068, such as an ID token
  }),
);
app.get("/api", requiredScopes("orders:read"), (req, res) => res.json(req.auth.payload));
app.listen(PORT, "127.0.0.1");
