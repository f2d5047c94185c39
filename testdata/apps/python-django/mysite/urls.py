import platform

from django.http import HttpResponse
from django.template import engines
from django.urls import path

PAGE = """{% load static %}<!doctype html>
<link rel="stylesheet" href="{% static 'site.css' %}">
<p>Hello from Django!</p>
"""


def index(request):
    return HttpResponse(engines["django"].from_string(PAGE).render(request=request))


def version(request):
    return HttpResponse(platform.python_version() + "\n", content_type="text/plain")


urlpatterns = [path("", index), path("version", version)]
