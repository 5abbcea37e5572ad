import os

from flask import Flask, jsonify, session
from flask_oidc import OpenIDConnect

app = Flask(__name__)
app.config.update(
    SECRET_KEY="a secret of the application",
    OIDC_CLIENT_SECRETS={
        "web": {
            "client_id": os.environ["CLIENT_ID"],
            "client_secret": os.environ["CLIENT_SECRET"],
            "issuer": os.environ["ISSUER"],
        }
    },
    OIDC_SCOPES="openid profile email",
)
oidc = OpenIDConnect(app)


@app.get("/")
@oidc.require_login
def home():
    return jsonify(session["oidc_auth_profile"])


app.run("127.0.0.1", int(os.environ["PORT"]))
