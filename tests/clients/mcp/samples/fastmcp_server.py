import os

from fastmcp import FastMCP
from fastmcp.server.auth import RemoteAuthProvider
from fastmcp.server.auth.providers.jwt import JWTVerifier
from fastmcp.server.dependencies import get_access_token

ISSUER, RESOURCE = os.environ["ISSUER"], os.environ["RESOURCE"]

auth = RemoteAuthProvider(
    token_verifier=JWTVerifier(
        jwks_uri=f"{ISSUER}/jwks",
        issuer=ISSUER,
        audience=RESOURCE,
        algorithm="ES256",
        required_scopes=["notes:read"],
    ),
    authorization_servers=[ISSUER],
    base_url=RESOURCE.removesuffix("/mcp"),
    scopes_supported=["notes:read", "notes:write"],
)
mcp = FastMCP("notes", auth=auth)


@mcp.tool
def whoami() -> str:
    """Returns the user."""
    return get_access_token().claims["sub"]


if __name__ == "__main__":
    mcp.run(transport="http", host="127.0.0.1", port=int(os.environ["PORT"]), show_banner=False)
