import os

from flask import Flask, jsonify, redirect
from flask_appbuilder import AppBuilder
from flask_appbuilder.models.sqla.base import SQLA
from flask_appbuilder.security.manager import AUTH_OAUTH
from flask_appbuilder.security.sqla.manager import SecurityManager as BaseSecurityManager
from flask_login import current_user


# docs: begin
class SecurityManager(BaseSecurityManager):
    def get_oauth_user_info(self, provider, resp):
        user = self.oauth_remotes[provider].userinfo()
        names = {"first_name": user.get("given_name", ""), "last_name": user.get("family_name", "")}
        return {"username": user["preferred_username"], "email": user["email"], **names}


OAUTH_PROVIDERS = [
    {
        "name": "latchkey",
        "token_key": "access_token",
        "remote_app": {
            "client_id": os.environ["CLIENT_ID"],
            "client_secret": os.environ["CLIENT_SECRET"],
            "server_metadata_url": os.environ["ISSUER"] + "/.well-known/openid-configuration",
            "client_kwargs": {"scope": "openid profile email"},  # with openid it sends a nonce
        },
    }
]
# docs: end
app = Flask(__name__)
app.config.update(
    SECRET_KEY="a secret of the application",
    SQLALCHEMY_DATABASE_URI="sqlite://",
    AUTH_TYPE=AUTH_OAUTH,
    AUTH_USER_REGISTRATION=True,
    AUTH_USER_REGISTRATION_ROLE="Public",
    OAUTH_PROVIDERS=OAUTH_PROVIDERS,
)
with app.app_context():
    db = SQLA(app)
    AppBuilder(app, db.session, security_manager_class=SecurityManager)


@app.get("/user")
def user():
    if not current_user.is_authenticated:
        return redirect("/login/latchkey?next=/user")
    return jsonify(email=current_user.email, name=current_user.get_full_name())


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=False)
