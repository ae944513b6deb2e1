"""The law layer: pure functions over dated data. No I/O beyond loading the law once, no clock, no framework."""
