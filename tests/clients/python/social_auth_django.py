import os

import django
from django.conf import settings
from django.core.management import call_command
from django.http import HttpResponse, JsonResponse
from django.urls import include, path

PORT = os.environ["PORT"]
settings.configure(
    SECRET_KEY="a secret of the application",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "social_django"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    # docs: begin
    AUTHENTICATION_BACKENDS=["social_core.backends.open_id_connect.OpenIdConnectAuth"],
    SOCIAL_AUTH_OIDC_OIDC_ENDPOINT=os.environ["ISSUER"],
    SOCIAL_AUTH_OIDC_KEY=os.environ["CLIENT_ID"],
    SOCIAL_AUTH_OIDC_SECRET=os.environ["CLIENT_SECRET"],
    # docs: end
    LOGIN_REDIRECT_URL="/",
)
django.setup()


def home(request):
    if not request.user.is_authenticated:
        return HttpResponse('<form method="post" action="/login/oidc/"><button>Sign in</button></form>')
    return JsonResponse({"email": request.user.email, "name": request.user.get_full_name()})


urlpatterns = [path("", home), path("", include("social_django.urls", namespace="social"))]
call_command("migrate", verbosity=0)
call_command("runserver", f"127.0.0.1:{PORT}", "--noreload", "--nothreading", "--skip-checks")
