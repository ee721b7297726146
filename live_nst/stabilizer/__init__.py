"""Removal of flicker from stylized video. It knows images, but no cameras and no models."""
