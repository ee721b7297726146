"""Places where frames go: a window, a recording, a virtual camera."""
