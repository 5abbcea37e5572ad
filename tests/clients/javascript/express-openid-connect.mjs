import express from "express";
import { auth } from "express-openid-connect";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, PORT } = process.env;
const app = express();
// docs: begin
app.use(
  auth({
    issuerBaseURL: ISSUER,
    baseURL: `http://127.0.0.1:${PORT}`,
    clientID: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    secret: "a secret of the application, for its cookie",
    idpLogout: true,
    // The default is the implicit flow (id_token), which OAuth 2.1 removed.
    authorizationParams: { response_type: "code", scope: "openid profile email offline_access" },
  }),
);
// docs: end
app.get("/", (req, res) => res.json(req.oidc.user));
app.get("/refresh", async (req, res) => {
  await req.oidc.accessToken.refresh();
  res.json(await req.oidc.fetchUserInfo());
});
app.listen(PORT, "127.0.0.1");
