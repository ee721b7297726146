"""Control of a session from other programs, and its figures for them."""
