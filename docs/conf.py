"""How Sphinx builds these pages: ``make docs``."""

import os

from sphinx_astropy.conf.v3 import *

import lsstregions

project = "lsstregions"
author = "the lsstregions developers"
copyright = f"2026, {author}"
version = release = lsstregions.__version__

extensions += [  # noqa: F405 Of sphinx-astropy.
    "matplotlib.sphinxext.plot_directive",
    "matplotlib.sphinxext.roles",
    "myst_nb",
    "sphinx_design",
]
exclude_patterns += ["_build", "**.ipynb_checkpoints", "conf.py"]  # noqa: F405
# Other projects' inventories are fetched where there is a network.
if not os.environ.get("READTHEDOCS"):
    intersphinx_mapping = {}

# A single backtick is code here, and a link in API pages only where numpydoc makes it one.
default_role = "literal"
rst_epilog = ""
numpydoc_xref_param_type = False
automodsumm_inherited_members = True
autodoc_typehints = "none"
autoclass_content = "class"
# An overloaded signature is given once, by the function itself.
suppress_warnings = ["autodoc.mocked_object"]

plot_include_source = True
plot_html_show_source_link = False
plot_html_show_formats = False
plot_formats = [("png", 100)]
plot_rcparams = {"image.origin": "lower", "image.cmap": "gray", "figure.figsize": (5, 5), "savefig.bbox": "tight"}
plot_apply_rcparams = True

nb_custom_formats = {".py": ["jupytext.reads", {"fmt": "py:percent"}]}
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120

html_title = f"{project} {release}"
html_theme_options = {"navigation_with_keys": False}
htmlhelp_basename = project + "doc"
latex_documents = []
man_pages = []
