import os

from authlib.integrations.flask_client import OAuth
from flask import Flask, jsonify, redirect, session, url_for

app = Flask(__name__)
app.secret_key = "a secret of the application"
# docs: begin
oauth = OAuth(app)
oauth.register(
    "latchkey",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    server_metadata_url=os.environ["ISSUER"] + "/.well-known/openid-configuration",
    client_kwargs={"scope": "openid profile email offline_access"},  # with openid it sends a nonce
)


@app.get("/")
def home():
    if "user" in session:
        return jsonify(session["user"])
    return oauth.latchkey.authorize_redirect(url_for("callback", _external=True))


@app.get("/callback")
def callback():
    token = oauth.latchkey.authorize_access_token()
    session["user"], session["refresh_token"] = token["userinfo"], token["refresh_token"]
    session["id_token"] = token["id_token"]
    return redirect("/")
# docs: end


@app.get("/refresh")
def refresh():
    token = oauth.latchkey.fetch_access_token(grant_type="refresh_token", refresh_token=session["refresh_token"])
    return jsonify(oauth.latchkey.userinfo(token=token))


@app.get("/logout")
def logout():
    metadata, hint = oauth.latchkey.load_server_metadata(), session["id_token"]
    session.clear()
    return redirect(f"{metadata['end_session_endpoint']}?id_token_hint={hint}")


app.run("127.0.0.1", int(os.environ["PORT"]))
