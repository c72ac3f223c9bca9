"""What programs use to reach a server: a transport, and typed calls over it."""
