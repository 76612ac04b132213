"""A Django project with djangorestframework-simplejwt in one file, as test/django needs it. Its settings come from the environment."""

import json
import os
import sys
from datetime import timedelta

import django
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickHasher(PBKDF2PasswordHasher):
    """Django's hasher with so few iterations that logins don't slow the test."""

    iterations = 1000


env = os.environ
settings.configure(
    SECRET_KEY=env["DJANGO_SECRET_KEY"],
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": env["DJANGO_DATABASE"]}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
        "rest_framework_simplejwt",
        "rest_framework_simplejwt.token_blacklist",
    ],
    PASSWORD_HASHERS=["__main__.QuickHasher"],
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    },
    ROOT_URLCONF="__main__",
    SIMPLE_JWT={
        "ALGORITHM": env.get("DJANGO_ALGORITHM", "HS256"),
        "SIGNING_KEY": env.get("DJANGO_SIGNING_KEY", env["DJANGO_SECRET_KEY"]),
        "VERIFYING_KEY": env.get("DJANGO_VERIFYING_KEY", ""),
        "REFRESH_TOKEN_LIFETIME": timedelta(days=7),
        "ROTATE_REFRESH_TOKENS": env.get("DJANGO_ROTATE", "1") == "1",
        "BLACKLIST_AFTER_ROTATION": True,
    },
    USE_TZ=True,
)
django.setup()

from django.urls import path  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402
from rest_framework_simplejwt import views  # noqa: E402


class Me(APIView):
    """Tells who the bearer of an access token is."""

    def get(self, request):
        return Response({"id": request.user.pk, "username": request.user.username})


urlpatterns = [
    path("api/token/", views.TokenObtainPairView.as_view()),
    path("api/token/refresh/", views.TokenRefreshView.as_view()),
    path("api/token/blacklist/", views.TokenBlacklistView.as_view()),
    path("me/", Me.as_view()),
]


def serve():
    """Serves on a free port, and prints it."""
    from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

    from django.core.wsgi import get_wsgi_application

    class Handler(WSGIRequestHandler):
        def log_message(self, *args):
            pass

    class Server(WSGIServer):
        # As many devices as may wait for the one thread.
        request_queue_size = 1024

    server = make_server("127.0.0.1", 0, get_wsgi_application(), server_class=Server, handler_class=Handler)
    print(json.dumps({"port": server.server_port}), flush=True)
    server.serve_forever()


def create_users(names, password):
    """Creates a user for each name."""
    from django.contrib.auth.models import User

    for name in names:
        User.objects.create_user(name, f"{name}@example.org", password)


def deactivate(name):
    """Deactivates a user."""
    from django.contrib.auth.models import User

    User.objects.filter(username=name).update(is_active=False)


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "serve":
        serve()
    elif command == "create_users":
        create_users(json.loads(arguments[0]), arguments[1])
    elif command == "deactivate":
        deactivate(arguments[0])
    else:
        from django.core.management import execute_from_command_line

        execute_from_command_line(sys.argv)
