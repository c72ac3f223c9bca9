"""The database: its schema, how it is reached, and one module a resource. Only this package and search know SQL."""
