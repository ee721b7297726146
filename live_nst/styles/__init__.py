"""Style pictures, what models keep of them, and mixing."""
