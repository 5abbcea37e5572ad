import express from "express";
import session from "express-session";
import passport from "passport";
import OpenIDConnectStrategy from "passport-openidconnect";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, PORT } = process.env;
// docs: begin
const options = {
  issuer: ISSUER,
  authorizationURL: `${ISSUER}/authorize`,
  tokenURL: `${ISSUER}/token`,
  userInfoURL: `${ISSUER}/userinfo`,
  clientID: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
  callbackURL: `http://127.0.0.1:${PORT}/callback`,
  scope: "profile email",
  nonce: true, // the strategy has no PKCE, and sends no nonce by default
};
passport.use(new OpenIDConnectStrategy(options, (issuer, profile, done) => done(null, profile)));
// docs: end
passport.serializeUser((user, done) => done(null, user));
passport.deserializeUser((user, done) => done(null, user));

const app = express();
app.use(session({ secret: "a secret of the application", resave: false, saveUninitialized: false }), passport.session());
app.get("/", (req, res) => (req.user ? res.json(req.user) : res.redirect("/login")));
app.get("/login", passport.authenticate("openidconnect"));
app.get("/callback", passport.authenticate("openidconnect", { successRedirect: "/" }));
app.listen(PORT, "127.0.0.1");
