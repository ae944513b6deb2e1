"""What people look at: the pages that describe the interfaces, with every asset served from here."""
