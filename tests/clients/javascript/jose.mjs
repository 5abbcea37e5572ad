import express from "express";
import { createRemoteJWKSet, jwtVerify } from "jose";

const { ISSUER, RESOURCE, PORT } = process.env;
const keys = createRemoteJWKSet(new URL(`${ISSUER}/jwks`));
const app = express();
app.get("/api", async (req, res) => {
  const token = req.headers.authorization?.replace(/^Bearer /, "") ?? "";
  try {
    const { payload } = await jwtVerify(token, keys, { issuer: ISSUER, audience: RESOURCE, typ: "at+jwt" });
    if (!payload.scope?.split(" ").includes("orders:read")) return res.sendStatus(403);
    res.json(payload);
  } catch {
    res.sendStatus(401);
  }
});
app.listen(PORT, "127.0.0.1");
