import os
import socket
import tempfile

PORT = os.environ["PORT"]
ISSUER = os.environ["ISSUER"]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


if __name__ == "__main__":
    # The configuration starts the program that reads it.
    from jupyterhub.app import JupyterHub

    JupyterHub.launch_instance(["--config", __file__])
    raise SystemExit

c = get_config()  # noqa: F821
# docs: begin
c.JupyterHub.authenticator_class = "generic-oauth"
c.GenericOAuthenticator.client_id = os.environ["CLIENT_ID"]
c.GenericOAuthenticator.client_secret = os.environ["CLIENT_SECRET"]
c.GenericOAuthenticator.oauth_callback_url = f"http://127.0.0.1:{PORT}/hub/oauth_callback"
c.GenericOAuthenticator.authorize_url = f"{ISSUER}/authorize"
c.GenericOAuthenticator.token_url = f"{ISSUER}/token"
c.GenericOAuthenticator.scope = ["openid", "profile", "email"]
c.GenericOAuthenticator.enable_pkce = True
c.GenericOAuthenticator.userdata_from_id_token = True
c.GenericOAuthenticator.username_claim = "preferred_username"
c.GenericOAuthenticator.allow_all = True  # or allowed_users; by default no user may enter
c.GenericOAuthenticator.logout_redirect_url = f"{ISSUER}/logout"
# docs: end
c.JupyterHub.bind_url = f"http://127.0.0.1:{PORT}"
c.JupyterHub.hub_port = free_port()
c.JupyterHub.db_url = "sqlite:///:memory:"
c.JupyterHub.cookie_secret = os.urandom(32)
c.JupyterHub.redirect_to_server = False
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{free_port()}"
c.ConfigurableHTTPProxy.auth_token = os.urandom(16).hex()
c.ConfigurableHTTPProxy.command = [
    "node",
    "--import",
    "../javascript/end-with-parent.mjs",
    "../javascript/node_modules/.bin/configurable-http-proxy",
]
# JupyterHub deletes this file.
c.ConfigurableHTTPProxy.pid_file = os.path.join(tempfile.mkdtemp(), "proxy.pid")
