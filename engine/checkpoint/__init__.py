"""A model's files: reading the official ones, and preparing a folder that loads fast.

Nothing here imports torch before a tensor is wanted, so that models can be listed at once.
"""
