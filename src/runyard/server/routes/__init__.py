"""The endpoints, one module a resource: decode, one call of the store, reply."""
