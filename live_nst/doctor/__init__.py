"""Check this machine for everything that live-nst needs, for `live-nst doctor`."""
