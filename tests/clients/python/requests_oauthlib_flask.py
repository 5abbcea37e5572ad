import os

from flask import Flask, jsonify, redirect, request, session
from requests_oauthlib import OAuth2Session

ISSUER, PORT = os.environ["ISSUER"], os.environ["PORT"]
if ISSUER.startswith("http://localhost"):
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
app = Flask(__name__)
app.secret_key = "a secret of the application"


# docs: begin
def client(**arguments):
    scope = ["openid", "profile", "email", "offline_access"]
    redirect_uri = f"http://127.0.0.1:{PORT}/callback"
    # Without pkce="S256" the library sends neither a code challenge nor a nonce.
    return OAuth2Session(os.environ["CLIENT_ID"], scope=scope, redirect_uri=redirect_uri, pkce="S256", **arguments)


@app.get("/")
def home():
    if "token" in session:
        return jsonify(client(token=session["token"]).get(f"{ISSUER}/userinfo").json())
    library = client()
    url, session["state"] = library.authorization_url(f"{ISSUER}/authorize")
    session["verifier"] = library._code_verifier
    return redirect(url)


@app.get("/callback")
def callback():
    library = client(state=session["state"])
    library._code_verifier = session["verifier"]
    session["token"] = library.fetch_token(
        f"{ISSUER}/token", client_secret=os.environ["CLIENT_SECRET"], authorization_response=request.url
    )
    return redirect("/")
# docs: end


@app.get("/refresh")
def refresh():
    authentication = (os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
    session["token"] = client(token=session["token"]).refresh_token(f"{ISSUER}/token", auth=authentication)
    return redirect("/")


app.run("127.0.0.1", int(PORT))
