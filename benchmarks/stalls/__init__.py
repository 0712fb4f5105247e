"""How long other clients wait at most while one client makes the server work hard."""
