"""The calls on the active run, where programs look for them."""

from runyard.client.fluent import *  # noqa: F403 - these are exactly its public names
