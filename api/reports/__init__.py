"""Situation reports (*lägesbilder*) and the county's indicators."""
