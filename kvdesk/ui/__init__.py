"""Widgets: they show state and emit what the person wants, and know no files and no processes."""
