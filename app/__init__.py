"""The web application: upload a film, see the answer."""
