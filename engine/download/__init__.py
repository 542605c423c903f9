"""Fetches the official files of the model, so that no byte that has come is lost."""
