import os

import jwt
from flask import Flask, abort, jsonify, request

ISSUER = os.environ["ISSUER"]
app = Flask(__name__)
keys = jwt.PyJWKClient(f"{ISSUER}/jwks")


@app.get("/api")
def api():
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    try:
        key = keys.get_signing_key_from_jwt(token)
        claims = jwt.decode_complete(
            token, key, algorithms=["ES256"], audience=os.environ["RESOURCE"], issuer=ISSUER
        )
    except jwt.PyJWTError:
        abort(401)
    if claims["header"]["typ"].lower() != "at+jwt":  # the library compares no type
        abort(401)
    if "orders:read" not in claims["payload"]["scope"].split():
        abort(403)
    return jsonify(claims["payload"])


app.run("127.0.0.1", int(os.environ["PORT"]))
