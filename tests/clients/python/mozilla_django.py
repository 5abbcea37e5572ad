import os

import django
from django.conf import settings
from django.core.management import call_command
from django.http import JsonResponse
from django.shortcuts import redirect
from django.urls import include, path

ISSUER, PORT = os.environ["ISSUER"], os.environ["PORT"]
settings.configure(
    SECRET_KEY="a secret of the application",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    # docs: begin
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "mozilla_django_oidc"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    AUTHENTICATION_BACKENDS=["mozilla_django_oidc.auth.OIDCAuthenticationBackend"],
    OIDC_RP_CLIENT_ID=os.environ["CLIENT_ID"],
    OIDC_RP_CLIENT_SECRET=os.environ["CLIENT_SECRET"],
    OIDC_RP_SIGN_ALGO="RS256",  # the default is HS256, which this server does not have
    OIDC_RP_SCOPES="openid profile email",
    OIDC_OP_AUTHORIZATION_ENDPOINT=f"{ISSUER}/authorize",
    OIDC_OP_TOKEN_ENDPOINT=f"{ISSUER}/token",
    OIDC_OP_USER_ENDPOINT=f"{ISSUER}/userinfo",
    OIDC_OP_JWKS_ENDPOINT=f"{ISSUER}/jwks",
    # docs: end
    LOGIN_REDIRECT_URL="/",
    OIDC_STORE_ACCESS_TOKEN=True,
)
django.setup()


def home(request):
    if not request.user.is_authenticated:
        return redirect("oidc_authentication_init")
    from mozilla_django_oidc.auth import OIDCAuthenticationBackend

    claims = OIDCAuthenticationBackend().get_userinfo(request.session["oidc_access_token"], None, None)
    return JsonResponse({"email": request.user.email, "name": claims["name"]})


urlpatterns = [path("", home), path("oidc/", include("mozilla_django_oidc.urls"))]
call_command("migrate", verbosity=0)
call_command("runserver", f"127.0.0.1:{PORT}", "--noreload", "--nothreading", "--skip-checks")
