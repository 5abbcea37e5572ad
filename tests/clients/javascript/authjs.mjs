import { ExpressAuth, getSession } from "@auth/express";
import express from "express";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, PORT } = process.env;
const config = {
  secret: "a secret of the application, for its cookie",
  trustHost: true,
  providers: [
    // With type "oidc" the library sends PKCE and reads the user from the ID token.
    { id: "latchkey", name: "Latchkey", type: "oidc", issuer: ISSUER, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET },
  ],
};
const app = express();
app.use(/\/auth\/(.*)/, ExpressAuth(config));
app.get("/", async (req, res) => {
  const session = await getSession(req, config);
  if (session) res.json(session.user);
  else res.redirect("/auth/signin");
});
app.listen(PORT, "127.0.0.1");
