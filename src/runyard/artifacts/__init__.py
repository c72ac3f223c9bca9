"""Where artifacts are: their URIs, and one interface over the places that keep them."""
