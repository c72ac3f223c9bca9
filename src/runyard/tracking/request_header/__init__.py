"""Headers that a program adds to every request to a server."""
