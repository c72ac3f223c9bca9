"""The request and response types of the REST protocol, shared by client and server; one module a resource."""
