package main

func write(string, *results, []verdict) error { return nil }
