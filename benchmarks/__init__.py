"""How fast and how heavy the server is, beside its peers, on one machine in one run. See README.md in this folder."""
