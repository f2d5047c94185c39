import platform

from flask import Flask, render_template_string

app = Flask(__name__)


@app.get("/")
def index():
    return render_template_string("<p>Hello from {{ what }}!</p>\n", what="Poetry")


@app.get("/version")
def version():
    return platform.python_version() + "\n"
