"""Locations as URIs: read, write, publish whole, keep node-local copies."""
