"""The search language: one grammar for filters and orders, a vocabulary for each entity, and its way to SQL."""
