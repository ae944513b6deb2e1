"""The registered agencies (*myndigheter*)."""
