# SPDX-License-Identifier: MIT
"""Sphinx configuration. Run by scripts/make-docs."""

import importlib.util

project = "hdmabuf"
author = "The hdmabuf contributors"
copyright = author
language = "en"

extensions = ["sphinx.ext.graphviz"]
root_doc = "index"
primary_domain = "c"
highlight_language = "c"
smartquotes_action = "D"     # dashes, but quotes stay as they are

graphviz_output_format = "svg"

html_static_path = ["_static"]
html_css_files = ["hdmabuf.css"]
html_copy_source = False
html_show_sphinx = False
html_title = "hdmabuf"
if importlib.util.find_spec("sphinx_rtd_theme"):
    html_theme = "sphinx_rtd_theme"
    html_theme_options = {"navigation_depth": 3, "collapse_navigation": False}
else:
    html_theme = "alabaster"

man_pages = [
    ("protocol/hyper_dmabuf", "hyper_dmabuf", "sharing big buffers between virtual machines", author, 7),
]
