"""Measurements that the documents quote, each a program of its own."""
