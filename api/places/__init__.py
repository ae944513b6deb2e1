"""Places: municipalities, districts, local police areas, schools, stations; outlines and readers of their files."""
