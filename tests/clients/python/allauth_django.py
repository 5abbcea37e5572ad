import os

import django
from django.conf import settings
from django.core.management import call_command
from django.http import JsonResponse
from django.shortcuts import redirect
from django.urls import include, path

PORT = os.environ["PORT"]
settings.configure(
    SECRET_KEY="a secret of the application",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "allauth",
        "allauth.account",
        "allauth.socialaccount",
        "allauth.socialaccount.providers.openid_connect",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "allauth.account.middleware.AccountMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
        }
    ],
    LOGIN_REDIRECT_URL="/",
    # docs: begin
    SOCIALACCOUNT_PROVIDERS={
        "openid_connect": {
            "OAUTH_PKCE_ENABLED": True,  # it sends no nonce, and no code challenge by default
            "APPS": [
                {
                    "provider_id": "latchkey",
                    "name": "Latchkey",
                    "client_id": os.environ["CLIENT_ID"],
                    "secret": os.environ["CLIENT_SECRET"],
                    "settings": {"server_url": os.environ["ISSUER"]},
                }
            ],
        }
    },
    # docs: end
)
django.setup()


def home(request):
    if not request.user.is_authenticated:
        return redirect("openid_connect_login", provider_id="latchkey")
    return JsonResponse({"email": request.user.email, "name": request.user.get_full_name()})


urlpatterns = [path("", home), path("accounts/", include("allauth.urls"))]
call_command("migrate", verbosity=0)
call_command("runserver", f"127.0.0.1:{PORT}", "--noreload", "--nothreading", "--skip-checks")
