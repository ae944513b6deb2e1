"""Open drug scenes (*öppna drogscener*) and their outlines."""
