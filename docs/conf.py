"""How the documentation is built: `make docs` here, the same in CI, warnings as errors and nothing fetched."""

from __future__ import annotations

import importlib
import pkgutil

from typing_extensions import Buffer

import asrproto

# Only type checkers import this name in the package; autodoc, which evaluates annotations, wants it too.
for found in pkgutil.walk_packages(asrproto.__path__, "asrproto."):
    if not found.name.startswith(("asrproto.cli", "asrproto.pytest_plugin", "asrproto.testing.sphinx")):
        vars(importlib.import_module(found.name)).setdefault("Buffer", Buffer)

project = "asrproto"
author = "the asrproto authors"
project_copyright = "2026, the asrproto authors"
version = release = asrproto.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["_build", "figures"]
default_role = "code"

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
# What sessions and compiled classes do is often written in a base of theirs; what Python's own types do is left out.
autodoc_default_options = {"inherited-members": ",".join((
    "AsrProtoError", "BaseException", "Enum", "Event", "Exception", "Flag", "IntEnum", "IntFlag", "Protocol", "Struct",
    "ValueError", "dict", "int", "object", "str", "tuple"))}
python_maximum_signature_line_length = 88
autodoc_mock_imports = ["pocketsphinx", "pytest"]
napoleon_google_docstring = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = "asrproto"
html_static_path = ["_static"]
html_css_files = ["asrproto.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b6e4f", "color-brand-content": "#0b6e4f"},
    "dark_css_variables": {"color-brand-primary": "#5fd3a8", "color-brand-content": "#5fd3a8"},
}
copybutton_exclude = ".linenos, .gp, .go"
