"""The studio: a page in the browser that shows and controls a live session."""
